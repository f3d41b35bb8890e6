#!/usr/bin/python3
"""
Steps of PyTorch's DistributedDataParallel over gloo on Fashion-MNIST: every process takes as many rows of each batch as the others.
RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are in the environment, torch_fit.py beside this file. The first process prints one
JSON object.
"""

import argparse
import json
import os
import time

import torch
import torch.distributed as dist
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from torch_fit import NETS, read

WARM_UP_STEPS = 2


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", help="Fashion-MNIST")
    words.add_argument("net", choices=sorted(NETS))
    words.add_argument("batch", type=int, help="rows a step, of all processes together")
    words.add_argument("steps", type=int)
    options = words.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    x, y = read(options.folder)
    net = DistributedDataParallel(NETS[options.net]())
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    own = options.batch // world

    def step(number):
        rows = torch.arange(number * options.batch + rank * own, number * options.batch + (rank + 1) * own) % len(y)
        optimiser.zero_grad()
        loss = functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimiser.step()
        return loss.item()

    for number in range(WARM_UP_STEPS):
        step(number)
    dist.barrier()
    began = time.perf_counter()
    for number in range(options.steps):
        step(WARM_UP_STEPS + number)
    dist.barrier()
    seconds = time.perf_counter() - began
    if rank == 0:
        print(json.dumps({"samples_per_second": options.steps * own * world / seconds, "nodes": world,
                          "torch": torch.__version__, "pid": os.getpid()}), flush=True)


if __name__ == "__main__":
    main()
