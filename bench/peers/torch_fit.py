#!/usr/bin/python3
"""Steps of PyTorch on Fashion-MNIST in a process of its own; prints one JSON object.

The three networks of bench/net_fit, batch 128, SGD with momentum 0.9. Data are float tensors before the clock starts; a step is what a
PyTorch user writes: gather the batch, forward, backward, update."""

import argparse
import gzip
import json
import os
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

BATCH = 128
WARM_UP_STEPS = 3


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def cnn():
    def stage(channels_in, channels):
        return nn.Conv2d(channels_in, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*stage(1, 32), *stage(32, 64), nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10))


def convolution(channels_in, channels, size, stride):
    return nn.Sequential(nn.Conv2d(channels_in, channels, size, stride, size // 2, bias=False), nn.BatchNorm2d(channels))


class Residual(nn.Module):
    """Two convolutions beside a way round them."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.first, self.second = convolution(channels_in, channels, 3, stride), convolution(channels, channels, 3, 1)
        self.around = convolution(channels_in, channels, 1, stride) if stride > 1 or channels_in != channels else nn.Identity()

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.around(x))


def resnet20():
    blocks, before = [], 16
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        for number in range(3):
            blocks.append(Residual(before, channels, 1 if number else stride))
            before = channels
    return nn.Sequential(convolution(1, 16, 3, 1), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NETS = {"mlp": mlp, "cnn": cnn, "resnet20": resnet20}


def read(folder):
    with gzip.open(os.path.join(folder, "train-labels-idx1-ubyte.gz")) as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    with gzip.open(os.path.join(folder, "train-images-idx3-ubyte.gz")) as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(len(y), 1, 28, 28)
    return torch.from_numpy(x.copy()).float() / 255, torch.from_numpy(y.copy()).long()


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", help="Fashion-MNIST")
    words.add_argument("net", choices=sorted(NETS))
    words.add_argument("samples", type=int)
    words.add_argument("--threads", type=int, default=1)
    options = words.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    x, y = read(options.folder)
    net = NETS[options.net]()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

    def step(rows):
        optimiser.zero_grad()
        loss = functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimiser.step()
        return loss.item()

    for _ in range(WARM_UP_STEPS):
        step(torch.arange(BATCH))
    order = torch.randperm(len(y))[:options.samples]
    began = time.perf_counter()
    for first in range(0, len(order), BATCH):
        loss = step(order[first:first + BATCH])
    seconds = time.perf_counter() - began
    print(json.dumps({"samples_per_second": len(order) / seconds, "loss": loss, "fit_seconds": seconds,
                      "parameters": sum(p.numel() for p in net.parameters()), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
