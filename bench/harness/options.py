"""The options that all benchmarks have."""

import argparse
import os

from harness import machine, programs


def parser(description, rounds):
    """A parser with --bramble and --rounds."""
    words = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    words.add_argument("--bramble", default=os.path.join(programs.ROOT, "build", "bramble"), help="our program")
    if rounds:
        words.add_argument("--rounds", type=int, default=rounds, help="times each program runs")
    return words


def parse(words):
    """The options; warns when other work will disturb the figures."""
    options = words.parse_args()
    options.bramble = os.path.abspath(options.bramble)
    if not os.access(options.bramble, os.X_OK):
        words.error(f"{options.bramble} is not there: run `make build`")
    if machine.load() > 0.5:
        print(f"The machine is busy (load average {machine.load():.1f}): expect noise.", flush=True)
    return options
