#!/usr/bin/python3
"""
Fits scikit-learn's forest the paper's way: joblib's Dask backend, on a cluster whose scheduler is running.
dask_fit.py SCHEDULER WORKERS TREES...: waits for WORKERS, then for each TREES prints {"trees": ..., "fit_seconds": ...}.
"""

import gzip
import json
import sys
import time
import warnings

import joblib
import numpy
from distributed import Client
from sklearn.ensemble import RandomForestClassifier

warnings.filterwarnings("ignore")
DATA = "/usr/share/datasets/fashion-mnist/train-"


def load():
    with gzip.open(DATA + "labels-idx1-ubyte.gz") as labels, gzip.open(DATA + "images-idx3-ubyte.gz") as images:
        y = numpy.frombuffer(labels.read(), numpy.uint8, offset=8)
        return numpy.frombuffer(images.read(), numpy.uint8, offset=16).reshape(len(y), 784), y


def main():
    x, y = load()
    client = Client(sys.argv[1], timeout=120)
    client.wait_for_workers(int(sys.argv[2]), timeout=300)
    for trees in map(int, sys.argv[3:]):
        model = RandomForestClassifier(trees, n_jobs=-1, random_state=0)
        with joblib.parallel_backend("dask", scatter=[x, y]):
            began = time.perf_counter()
            model.fit(x, y)
            seconds = time.perf_counter() - began
        print(json.dumps({"trees": trees, "fit_seconds": seconds}), flush=True)


main()
