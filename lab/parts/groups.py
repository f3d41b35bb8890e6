"""Control groups, of either version: who belongs to a node, and how much of this machine it may use.

A lab is one group with one group a node below, under each controller. What is in them is the one truth about which
processes a lab has: it is kept by the kernel and survives any interruption.
"""

import contextlib
import os
import signal
import time

from spec import LabError

MOUNTS = "/proc/self/mounts"
CONTROLLERS = ("cpu", "memory", "freezer")
PERIOD_US = 20_000  # short, so that a slow node answers soon after its share is used up
MIN_QUOTA_US = 1_000
SLICE = "/proc/sys/kernel/sched_cfs_bandwidth_slice_us"
SLICE_US = 1_000
DOWN_SECONDS = 10


def find_roots():
    """controller -> (version, where it is mounted). Version 2 has a freezer without naming it."""
    roots, unified = {}, None
    with open(MOUNTS, encoding="utf-8") as file:
        for line in file:
            _, where, kind, options = line.split()[:4]
            if kind == "cgroup":
                roots.update({name: (1, where) for name in set(options.split(",")) & set(CONTROLLERS)})
            elif kind == "cgroup2":
                unified = where
    if unified:
        offered = read(os.path.join(unified, "cgroup.controllers")).split()
        for name in CONTROLLERS:
            if name not in roots and (name in offered or name == "freezer"):
                roots[name] = (2, unified)
    missing = [name for name in CONTROLLERS if name not in roots]
    if missing:
        raise LabError(f"no control groups for {', '.join(missing)} are mounted on this machine")
    return roots


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


class Groups:
    """The groups of one lab, called `lab`. Names below are nodes'; "" is the lab itself."""

    def __init__(self, lab):
        self.lab, self.roots = lab, find_roots()

    def folder(self, controller, name=""):
        return os.path.join(self.roots[controller][1], self.lab, name).rstrip("/")

    def folders(self, name=""):
        return sorted({self.folder(controller, name) for controller in CONTROLLERS})

    def make(self, name):
        unified = sorted(controller for controller in ("cpu", "memory") if self.roots[controller][0] == 2)
        for parent in self.folders():
            os.makedirs(parent, exist_ok=True)
            if os.path.exists(os.path.join(parent, "cgroup.subtree_control")) and unified:
                for level in (os.path.dirname(parent), parent):
                    write(os.path.join(level, "cgroup.subtree_control"), " ".join("+" + word for word in unified))
            os.makedirs(os.path.join(parent, name), exist_ok=True)

    def limit_cpu(self, name, cores):
        # A share too small for the usual period gets a longer one.
        period = max(PERIOD_US, min(1_000_000, round(MIN_QUOTA_US / cores)))
        quota = max(MIN_QUOTA_US, round(cores * period))
        version, folder = self.roots["cpu"][0], self.folder("cpu", name)
        if version == 2:
            write(os.path.join(folder, "cpu.max"), f"{quota} {period}")
        else:
            write(os.path.join(folder, "cpu.cfs_period_us"), period)
            write(os.path.join(folder, "cpu.cfs_quota_us"), quota)

    def limit_memory(self, name, megabytes):
        """Memory, and no swap beyond it."""
        version, folder = self.roots["memory"][0], self.folder("memory", name)
        if version == 2:
            write(os.path.join(folder, "memory.max"), megabytes << 20)
            if os.path.exists(os.path.join(folder, "memory.swap.max")):
                write(os.path.join(folder, "memory.swap.max"), 0)
            return
        with_swap = os.path.join(folder, "memory.memsw.limit_in_bytes")
        if os.path.exists(with_swap):
            write(with_swap, -1)  # it may never be below the other
        write(os.path.join(folder, "memory.limit_in_bytes"), megabytes << 20)
        if os.path.exists(with_swap):
            write(with_swap, megabytes << 20)

    def join(self, name):
        """This process and its children to come belong to the node."""
        for folder in self.folders(name):
            write(os.path.join(folder, "cgroup.procs"), 0)

    def processes(self, name):
        pids = set()
        for folder in self.folders(name):
            with contextlib.suppress(OSError):
                pids.update(int(word) for word in read(os.path.join(folder, "cgroup.procs")).split())
        return sorted(pids)

    def names(self):
        """Nodes that have a group under any controller."""
        found = set()
        for folder in self.folders():
            with contextlib.suppress(OSError):
                found.update(entry.name for entry in os.scandir(folder) if entry.is_dir())
        return sorted(found)

    def freeze(self, name, frozen):
        """Stops every process of the node at once, or lets them go on; done when this returns."""
        version, folder = self.roots["freezer"][0], self.folder("freezer", name)
        if version == 2:
            write(os.path.join(folder, "cgroup.freeze"), int(frozen))
            done = f"frozen {int(frozen)}"
        else:
            write(os.path.join(folder, "freezer.state"), "FROZEN" if frozen else "THAWED")
            done = "FROZEN" if frozen else "THAWED"
        state = os.path.join(folder, "freezer.state" if version == 1 else "cgroup.events")
        wait_until(lambda: done in read(state), f"node {name} does not {'freeze' if frozen else 'thaw'}")

    def remove(self):
        """Kills every process of the lab and removes its groups. From any state; nothing there is fine."""
        for name in self.names():
            with contextlib.suppress(OSError):
                self.freeze(name, False)
        wait_until(self.kill_all, "processes of the lab do not end")
        wait_until(self.remove_empty, "groups of the lab cannot be removed")

    def remove_empty(self):
        """Whether all groups are gone; one whose last process is just ending is not yet."""
        names = self.names()
        for folder in self.folders():
            for name in [*names, ""]:
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(folder, name))
        return not any(os.path.exists(folder) for folder in self.folders())

    def kill_all(self):
        """Whether no process was left to kill."""
        pids = [pid for name in self.names() for pid in self.processes(name)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids


def slice_us():
    """How much of a group's quota a processor takes at a time, on all of this machine; None: the kernel does not say.

    The usual 5 ms are more than a small node's quota for a period: one processor takes all of it, and who waits for
    another gets none, however urgent. On a real machine what is urgent goes first on every processor.
    """
    return int(read(SLICE)) if os.path.exists(SLICE) else None


def set_slice_us(microseconds):
    with contextlib.suppress(OSError):  # where it may not be set, small nodes answer more slowly
        write(SLICE, microseconds)


def refusal():
    """Why no groups can be made on this machine, or None. Tries it."""
    try:
        trial = Groups(f"bramble-lab-trial-{os.getpid()}")
        try:
            trial.make("node")
            trial.limit_cpu("node", 0.5)
            trial.limit_memory("node", 100)
        finally:
            trial.remove()
    except (LabError, OSError) as error:
        return f"this machine allows no control groups: {error}"
    return None


def wait_until(done, complaint, seconds=DOWN_SECONDS):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise LabError(complaint)
        time.sleep(0.02)
