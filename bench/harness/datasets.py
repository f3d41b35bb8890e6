"""Where data come from: Debian packages, exported or generated once into build/bench/data."""

import os
import shutil
import subprocess

from harness import programs

FASHION = "/usr/share/datasets/fashion-mnist"
FASHION_PEERS = ["--idx", FASHION]
# Name -> task of the tables data/export.R makes.
TABULAR = {"letter": "classification", "shuttle": "classification", "satellite": "classification",
           "diamonds": "regression", "boston": "regression"}


def folder(name):
    """The folder of one data set; it need not exist."""
    return os.path.join(programs.ROOT, "build", "bench", "data", name)


def make(name, command):
    """Makes a data set, unless it is there, by running `command` with a folder as its last word."""
    path = folder(name)
    if os.path.isdir(path):
        return path
    print(f"making {os.path.relpath(path, programs.ROOT)}", flush=True)
    unfinished = path + ".part"
    shutil.rmtree(unfinished, ignore_errors=True)
    os.makedirs(unfinished)
    subprocess.run([*command, unfinished], check=True, stdin=subprocess.DEVNULL)
    os.rename(unfinished, path)
    return path


def tabular():
    """The folder of NAME-train.csv, NAME-test.csv (texts as they are, for us), the same with codes instead of
    texts (NAME-train-codes.csv, for scikit-learn) and as R objects (NAME.rds, for ranger)."""
    return make("tabular", ["Rscript", "--vanilla", os.path.join(programs.BENCH, "data", "export.R")])


def generated(n_rows):
    """The folder of train.npy with `n_rows` rows, and test.npy."""
    script = os.path.join(programs.BENCH, "data", "generate_rows.py")
    return make(f"rows-{n_rows}", [programs.PYTHON, script, str(n_rows)])


def noisy_images():
    """The folder of train.npy and test.npy: Fashion-MNIST with noise, no whole numbers."""
    return make("noisy", [programs.PYTHON, os.path.join(programs.BENCH, "data", "generate_noisy.py"), FASHION])


def numeric_csv(n_bytes):
    """The path of a CSV file with numbers only."""
    script = os.path.join(programs.BENCH, "data", "generate_csv.py")
    return os.path.join(make(f"csv-{n_bytes}", [programs.PYTHON, script, str(n_bytes)]), "numbers.csv")
