#!/usr/bin/python3
"""One fit of scikit-learn's forest in a process of its own; prints one JSON object.

The data are float32 in row order, as its trees want them, before the clock starts: fit converts nothing."""

import argparse
import gzip
import json
import os
import pickle
import time

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

MODELS = {("forest", "classification"): RandomForestClassifier, ("forest", "regression"): RandomForestRegressor,
          ("extra", "classification"): ExtraTreesClassifier, ("extra", "regression"): ExtraTreesRegressor}


def arguments():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--idx", metavar="FOLDER", help="data: a folder as MNIST ships it")
    words.add_argument("--csv", nargs=2, metavar=("TRAIN", "TEST"), help="data: numbers, the target last")
    words.add_argument("--npy", nargs=2, metavar=("TRAIN", "TEST"), help="data: float32, the target last")
    words.add_argument("--task", default="classification")
    words.add_argument("--model", default="forest", choices=("forest", "extra"))
    words.add_argument("--trees", type=int, default=100)
    words.add_argument("--jobs", type=int, default=1)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--set", default="{}", metavar="JSON", help="more parameters")
    words.add_argument("--score", action="store_true", help="accuracy or R2 on the test data too")
    words.add_argument("--out", metavar="FILE", help="pickle the model")
    return words.parse_args()


def read_idx(folder, split):
    with gzip.open(os.path.join(folder, f"{split}-labels-idx1-ubyte.gz")) as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    with gzip.open(os.path.join(folder, f"{split}-images-idx3-ubyte.gz")) as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16)
    return x.reshape(len(y), -1).astype(np.float32), y


def read_table(table):
    return np.ascontiguousarray(table[:, :-1], np.float32), np.array(table[:, -1])


def read_csv(path):
    import pandas  # pylint: disable=import-outside-toplevel
    return read_table(pandas.read_csv(path).to_numpy(np.float64))


def read(words, test):
    """Features and target of one part."""
    if words.idx:
        return read_idx(words.idx, "t10k" if test else "train")
    if words.csv:
        return read_csv(words.csv[test])
    return read_table(np.load(words.npy[test], mmap_mode="r"))


def main():
    words = arguments()
    x, y = read(words, False)
    model = MODELS[words.model, words.task](words.trees, n_jobs=words.jobs, random_state=words.seed,
                                            **json.loads(words.set))
    began = time.perf_counter()
    model.fit(x, y)
    said = {"fit_seconds": time.perf_counter() - began,
            "nodes": int(sum(tree.tree_.node_count for tree in model.estimators_))}
    if words.score:
        said["score"] = model.score(*read(words, True))
    if words.out:
        with open(words.out, "wb") as file:
            pickle.dump(model, file)
    print(json.dumps(said))


main()
