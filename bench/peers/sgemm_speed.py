#!/usr/bin/python3
"""OpenBLAS's sgemm on 1024 x 1024 matrices in a process of its own; prints one JSON object with its GFLOP/s."""

import argparse
import ctypes
import json
import statistics
import time

SIDE = 1024
WARM_UP = 3
SECONDS = 1.0
ROW_MAJOR, NO_TRANSPOSE = 101, 111  # CBLAS's numbers


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--threads", type=int, default=1)
    options = words.parse_args()
    blas = ctypes.CDLL("libopenblas.so.0")
    blas.openblas_get_corename.restype = ctypes.c_char_p
    blas.openblas_set_num_threads(options.threads)
    a, b, c = ((ctypes.c_float * (SIDE * SIDE))(*[0.5] * (SIDE * SIDE)) for _ in range(3))
    one, zero = ctypes.c_float(1), ctypes.c_float(0)

    def multiply():
        began = time.perf_counter()
        blas.cblas_sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, SIDE, SIDE, SIDE, one, a, SIDE, b, SIDE, zero, c, SIDE)
        return time.perf_counter() - began

    for _ in range(WARM_UP):
        multiply()
    seconds = []
    while sum(seconds) < SECONDS:
        seconds.append(multiply())
    print(json.dumps({"gflops": 2e-9 * SIDE ** 3 / statistics.median(seconds), "products": len(seconds),
                      "kernels": blas.openblas_get_corename().decode()}))


main()
