#!/usr/bin/python3
"""generate_csv.py BYTES FOLDER: about BYTES bytes of numbers with a header, as FOLDER/numbers.csv: 20 columns, whole
numbers of one to six digits and numbers with a point, some negative, some with an exponent. A block of 100,000
rows is written again and again."""

import os
import sys

import numpy as np

ROWS = 100_000


def block():
    draw = np.random.Generator(np.random.PCG64(2024))
    whole = [draw.integers(0, 10 ** (1 + column % 6), ROWS) for column in range(8)]
    pointed = [draw.standard_normal(ROWS) * 10.0 ** (column - 3) for column in range(10)]
    tiny = [draw.random(ROWS) * 1e-9]
    target = [draw.standard_normal(ROWS)]
    formats = ["%d"] * 8 + ["%.5f"] * 5 + ["%.6g"] * 5 + ["%.4e"] + ["%.7g"]
    line = ",".join(formats) + "\n"
    rows = zip(*(column.tolist() for column in whole + pointed + tiny + target))
    return "".join(line % row for row in rows).encode()


def main():
    size, folder = int(sys.argv[1]), sys.argv[2]
    rows = block()
    with open(os.path.join(folder, "numbers.csv"), "wb") as file:
        file.write(",".join(f"column_{i}" for i in range(20)).encode() + b"\n")
        for _ in range(max(1, round(size / len(rows)))):
            file.write(rows)


main()
