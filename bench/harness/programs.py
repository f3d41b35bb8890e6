"""Running one program to its end, and what it said and cost."""

import json
import os
import subprocess
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, "bench")
# Debian's scikit-learn and pandas belong to Debian's interpreter, whatever else is called python3 here.
PYTHON = "/usr/bin/python3"


class ProgramFailed(SystemExit):
    """A program ended with an error or did not print one JSON object: the benchmark ends, saying so."""


def run(command, limit=None):
    """
    Runs a program that prints one JSON object: that object, with the most memory the process had as
    `peak_bytes`. None when it was ended after `limit` seconds.
    """
    runs = {**os.environ, "BRAMBLE_HOME": scratch("runs")}  # not the person's own
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(command, cwd=ROOT, env=runs, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=complaints) as process:
            late = threading.Event()
            timer = threading.Timer(limit or 0, lambda: (late.set(), process.kill()))
            if limit:
                timer.start()
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            timer.cancel()
        if late.is_set():
            return None
        complaints.seek(0)
        return parse(command, process.returncode, said, complaints.read()) | {"peak_bytes": usage.ru_maxrss * 1024}


def parse(command, status, said, complaints):
    """The object a program printed; ProgramFailed, with what it complained of, when there is none."""
    try:
        if status == 0:
            return json.loads(said)
    except ValueError:
        pass
    words = complaints.decode(errors="replace").strip() or said.decode(errors="replace").strip()
    raise ProgramFailed(f"{' '.join(command)}: exit status {status}: {words[-2000:]}")


def bramble_train(bramble, data, trees, threads=1, seed=0, options=()):
    """The command that trains one of our forests; the model goes to build/bench/model.onnx."""
    return [bramble, "train", "forest", data, "--trees", str(trees), "--threads", str(threads), "--seed", str(seed),
            "--out", scratch("model.onnx"), "--json", *options]


def sklearn_fit(data, trees, *options):
    """The command that trains scikit-learn's; `data` are words for peers/sklearn_fit.py."""
    return [PYTHON, os.path.join(BENCH, "peers", "sklearn_fit.py"), *data, "--trees", str(trees), *options]


def ranger_fit(data, trees, seed=1):
    """The command that trains ranger's; `data` are words for peers/ranger_fit.R."""
    return ["Rscript", "--vanilla", os.path.join(BENCH, "peers", "ranger_fit.R"), *data, str(trees), str(seed)]


def scratch(name):
    """A path in build/bench, whose folder exists."""
    folder = os.path.join(ROOT, "build", "bench")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, name)
