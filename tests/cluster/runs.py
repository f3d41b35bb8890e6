"""Runs of bramble over nodes that are all this machine, as the tests here need them."""

import glob
import importlib.machinery
import importlib.util
import json
import os
import signal
import subprocess
import sys


def load_engine_tests():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine")
    loader = importlib.machinery.SourceFileLoader("engine_tests", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("engine_tests", loader))
    loader.exec_module(module)
    return module


def write_cluster(house, name, memory):
    """A cluster's file: nodes, each with what memory it may take ("" for what it has)."""
    text = "[cluster]\nnetwork = 127.0.0.0/8\n"
    for node, most in memory.items():
        text += f"[{node}]\ncores = 1\nprogram = {house.path(node, 'toy')}\n" + (f"memory = {most}\n" if most else "")
        text += "host = localhost\nlocal = yes\n" if node == "own" else ""
    return house.write(name, text)


class Training:
    """A command of bramble's that trains, with --json, its runs kept in a folder of its own."""

    def __init__(self, house, home, *words):
        self.house = house
        self.home = house.path(home)
        self.child = subprocess.Popen(
            [house.path("own", "toy"), *words], env={**house.environment, "BRAMBLE_HOME": self.home},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=house.folder)

    def events(self):
        lines = []
        for path in glob.glob(self.home + "/**/events.jsonl", recursive=True):
            with open(path, encoding="utf-8") as file:
                lines += [json.loads(line) for line in file if line.endswith("}\n")]
        return lines

    def saw(self, event, text="", node=None):
        return any(e["event"] == event and text in e.get("text", "") and node in (None, e.get("node")) for e in self.events())

    def result(self):
        """What it printed, as --json has it, and what it said."""
        out, words = self.child.communicate(timeout=240)
        assert self.child.returncode == 0, words
        return json.loads(out), words

    def refusal(self):
        words = self.child.communicate(timeout=240)[1]
        assert self.child.returncode != 0, "it was not refused"
        return words

    def kill_node(self, tests, node):
        for pid, words in tests.command_lines().items():
            if words[0] == self.house.path(node, "toy") and "--threads" in words:
                os.kill(pid, signal.SIGKILL)


def run_tests(cases, prepare):
    """`prepare` makes of the house what each case gets behind it and the engine's tests. Prints TAP."""
    tests = load_engine_tests()
    try:
        house = tests.House(sys.argv[1])
    except tests.Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return
    cases = [case for case in cases if len(sys.argv) < 3 or case.__name__ in sys.argv[2:]]
    try:
        prepared = prepare(house)
        print(f"1..{len(cases)}", flush=True)
        for number, case in enumerate(cases, 1):
            try:
                case(house, tests, prepared)
                print(f"ok {number} - {case.__name__}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                print(f"not ok {number} - {case.__name__}\n# {str(error)[:3000]}", flush=True)
    finally:
        house.close()
