#!/usr/bin/python3
"""sklearn_predict.py PICKLE ROWS REPEATS: loading and predicting with scikit-learn's forest on one thread, as
bench_predict does with ours; prints one JSON object. Reading a pickle runs what is in it: this one is ours."""

import json
import pickle
import statistics
import sys
import time

import numpy as np
import sklearn.ensemble  # noqa: F401  pylint: disable=unused-import  (or loading would pay for the import)


def seconds(work, *arguments):
    """What a call took, and what came of it."""
    began = time.perf_counter()
    done = work(*arguments)
    return time.perf_counter() - began, done


def load(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def main():
    path, rows, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
    load_seconds, model = seconds(load, path)
    model.n_jobs = 1
    x = np.fromfile(rows, np.float32).reshape(-1, model.n_features_in_)
    model.predict_proba(x)
    times = [seconds(model.predict_proba, x)[0] for _ in range(repeats)]
    print(json.dumps({"load_seconds": load_seconds, "predict_seconds": statistics.median(times), "rows": len(x)}))


main()
