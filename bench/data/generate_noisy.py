#!/usr/bin/python3
"""generate_noisy.py IMAGES FOLDER: Fashion-MNIST's images with noise in [0, 1) on every pixel, so that hardly any two
values are alike, as FOLDER/train.npy and test.npy: float32, the class last."""

import gzip
import os
import sys

import numpy as np


def part(images, name, draw):
    """The rows of one part."""
    with gzip.open(os.path.join(images, f"{name}-labels-idx1-ubyte.gz")) as file:
        classes = np.frombuffer(file.read(), np.uint8, offset=8)
    with gzip.open(os.path.join(images, f"{name}-images-idx3-ubyte.gz")) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(len(classes), -1)
    return np.column_stack([pixels + draw.random(pixels.shape, np.float32), classes]).astype(np.float32)


def main():
    images, folder = sys.argv[1:]
    draw = np.random.Generator(np.random.PCG64(2024))
    for name, file in (("train", "train.npy"), ("t10k", "test.npy")):
        np.save(os.path.join(folder, file), part(images, name, draw))


main()
