#!/usr/bin/python3
"""generate_rows.py N FOLDER: N rows of 30 features and a class of two, as FOLDER/train.npy, and 100,000 more as
test.npy. Float32, the class last. Fewer rows are the first of more rows.

Ten columns are normal and matter, eight are normal noise, six have few values (two of them matter), three are skewed,
three are noisy copies of columns that matter."""

import os
import sys

import numpy as np

FEATURES = 30
CHUNK = 250_000
TEST_ROWS = 100_000


def chunk(number, n_rows):
    """The first rows of chunk `number`, features and class."""
    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence([2024, number])))
    table = np.empty((CHUNK, FEATURES + 1), np.float32)
    table[:, :18] = draw.standard_normal((CHUNK, 18), np.float32)
    for column, values in zip(range(18, 24), (2, 3, 5, 10, 20, 50)):
        table[:, column] = draw.integers(0, values, CHUNK)
    table[:, 24:27] = np.exp(draw.standard_normal((CHUNK, 3), np.float32))
    table[:, 27:30] = table[:, :3] + draw.standard_normal((CHUNK, 3), np.float32)
    chance = 1 / (1 + np.exp(-evidence(table)))
    table[:, FEATURES] = draw.random(CHUNK, np.float32) < chance
    return table[:n_rows]


def evidence(t):
    """The logarithm of the odds of class 1: terms alone, together and bent."""
    return (1.5 * t[:, 0] * t[:, 1] + t[:, 2] ** 2 - 1 + np.sin(3 * t[:, 3]) + t[:, 4] + np.abs(t[:, 5]) - 0.8
            + t[:, 6] * (t[:, 18] - 0.5) + 0.5 * t[:, 7] * (t[:, 8] > 0) + 0.7 * t[:, 9] + 0.2 * (t[:, 20] - 2))


def write(path, first_chunk, n_rows):
    table = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, FEATURES + 1))
    for begin in range(0, n_rows, CHUNK):
        table[begin:begin + CHUNK] = chunk(first_chunk + begin // CHUNK, n_rows - begin)
    table.flush()


def main():
    n_rows, folder = int(sys.argv[1]), sys.argv[2]
    write(os.path.join(folder, "train.npy"), 1, n_rows)
    write(os.path.join(folder, "test.npy"), 0, TEST_ROWS)


main()
