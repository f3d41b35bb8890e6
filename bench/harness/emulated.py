"""A lab (lab/README.md) for a benchmark: its nodes, trainings on them told as they happen, and what processes cost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

from harness import datasets, programs

sys.path.insert(0, os.path.join(programs.ROOT, "lab", "parts"))
import cluster as lab_cluster  # noqa: E402
from spec import read_nodes  # noqa: E402

EMULATED = "Speeds are emulated: each node has a share of one machine's cores, in proportion to the real machines'."
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 300
SETTLE_SECONDS = 2
SHARED_OUT = 0.9  # of the machine; the rest is for the system, so that every node gets its share
MANY = 100000  # trees: more than will be grown


class Late(Exception):
    """What was waited for did not happen."""


def why_not():
    """Why there can be no lab here, or None."""
    return lab_cluster.needs()


def engine_program(bramble):
    """bench_engine of the build our program comes from."""
    build = os.path.dirname(os.path.abspath(bramble))
    subprocess.run(["ninja", "-C", build, "bench/bench_engine"], check=True, stdout=subprocess.DEVNULL)


class Lab:
    """The nodes of a .lab file while the block lasts; `head` is the first of the fastest, where programs are started."""

    def __init__(self, file, bramble, arm64=None):
        os.environ.setdefault("LAB", os.path.join(programs.ROOT, "build", "lab-bench"))
        self.lab = lab_cluster.Lab()
        self.nodes = read_nodes(os.path.join(programs.ROOT, "lab", file), SHARED_OUT * os.cpu_count())
        self.folders = {"x86": os.path.dirname(os.path.abspath(bramble))}
        if arm64:
            self.folders["arm64"] = os.path.dirname(os.path.abspath(arm64))
        self.head = max((node for node in self.nodes if node.arch == "x86"), key=lambda node: node.speed)

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the lab is taken down then, too
        self.lab.up(self.nodes, self.folders)
        return self

    def __exit__(self, *_):
        self.lab.down()

    def names(self):
        return [node.name for node in self.nodes]

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def start(self, name, words, **options):
        """A command on a node, as its user."""
        return self.lab.start_command(self.node(name), words, **options)

    def run(self, name, words, text=None):
        """What a command on a node prints."""
        with self.start(name, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                        text=True) as process:
            said, _ = process.communicate(text)
        if process.returncode:
            raise programs.ProgramFailed(f"{name}: {' '.join(words)}: {said.strip()[-2000:]}")
        return said

    def write_cluster(self, names, path="cluster.ini"):
        """A cluster file in the head's home folder; nodes that are not named do not take part."""
        lines = ["[cluster]", "local = no"] + [f"[{name}]\nhost = {name}" for name in names]
        self.run(self.head.name, ["sh", "-c", f"cat > {path}"], "\n".join(lines) + "\n")
        return path

    def set_speed(self, name, times):
        """Makes a node `times` as fast as it should be."""
        self.lab.groups.limit_cpu(name, self.node(name).quota * times)

    def ranks(self, name):
        """The bramble processes of the cluster's job on a node: pid -> command line."""
        found = {}
        for pid in self.lab.groups.processes(name):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if line.split(" ")[0].endswith("bramble") and " rank --session" in line:  # and not mpiexec's, which has it too
                found[pid] = line
        return found

    def coordinator(self):
        """The pid of rank 0, of the newest job."""
        return max(pid for pid, line in self.ranks(self.head.name).items() if "--orders" in line)

    def worker(self, name):
        """The pid of a node's worker, of the newest job."""
        return max(pid for pid, line in self.ranks(name).items() if "--orders" not in line)


def processor_seconds(pid):
    """What a process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_bytes(pid):
    """The most memory a process has had."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) * 1024


class Training:
    """bench_engine on a lab's head: what it tells, as it comes in. `seconds` of events count from the launch."""

    def __init__(self, lab, cluster_file, data, trees, folder=""):
        self.lab, self.events, self.changed = lab, [], threading.Condition()
        self.offset = None  # our clock less its own
        self.process = lab.start(lab.head.name, ["/opt/bramble/bench/bench_engine", cluster_file, data, str(trees), folder,
                                                 "/opt/bramble/bramble"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            offset = time.monotonic() - event["seconds"]
            with self.changed:
                self.offset = offset if self.offset is None else min(offset, self.offset)
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.events.append({"seconds": self.now(), "event": "ended"})
            self.changed.notify_all()

    def now(self):
        """Seconds since its launch."""
        return time.monotonic() - (self.offset if self.offset is not None else time.monotonic())

    def wait(self, wanted, since=0, what="an event", seconds=PATIENCE_SECONDS):
        """The first event after `since` for which wanted(event) holds."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for event in self.events:
                    if event["seconds"] >= since and wanted(event):
                        return event
                if self.events and self.events[-1]["event"] == "ended":
                    raise Late(f"the training ended before {what}")
                if not self.changed.wait(end - time.monotonic()):
                    raise Late(f"{what} did not come within {seconds:.0f} s")

    def wait_for_work(self, names, since=0):
        """Until each of these nodes has handed in a tree that it was given after `since`: the event."""
        before = {}

        def all_have(event):
            if event["event"] != "progress":
                return False
            for name, (_, tasks, _) in event["members"].items():
                before.setdefault(name, tasks)
            return all(name in event["members"] and event["members"][name][0] == "working"
                       and event["members"][name][1] > before[name] for name in names)

        return self.wait(all_have, since, f"a tree of each of {', '.join(names)}")

    def finish(self):
        """Waits for the end: the last event."""
        said = self.wait(lambda event: event["event"] == "finished", what="the end", seconds=24 * 3600)
        self.process.wait()
        return said

    def stop(self):
        self.process.terminate()
        self.process.wait()


def fault(name, *words):
    """lab/fault on a node."""
    subprocess.run([os.path.join(programs.ROOT, "lab", "fault"), name, *words], check=True, stdout=subprocess.DEVNULL)


def recovery(lab, file, victim, words, others):
    """Seconds from a fault of `victim` to a tree of each of `others` that was begun after it was dealt with. Heals it."""
    training = Training(lab, file, datasets.FASHION, MANY)
    training.wait_for_work(lab.names())
    time.sleep(SETTLE_SECONDS)
    began = training.now()
    fault(victim, *words)
    ready = training.wait(lambda event: event["event"] == "ready", began, "a new generation")
    taken = training.wait_for_work(others, ready["seconds"])["seconds"] - began
    if words[0] != "kill9":
        fault(victim, "heal")
    training.stop()
    return taken
