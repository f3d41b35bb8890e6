"""What the figures were measured on."""

import functools
import os
import platform
import subprocess

from harness import programs

PACKAGES = {"scikit-learn": "python3-sklearn", "ranger": "r-cran-ranger", "R": "r-base-core",
            "pandas": "python3-pandas", "Dask": "python3-distributed", "PyTorch": "python3-torch",
            "OpenBLAS": "libopenblas0"}


def load():
    """Processes that wanted a processor during the last minute, on average."""
    return os.getloadavg()[0]


@functools.cache
def description():
    """Processor, vector instructions, memory, system: one line."""
    cpu = cpuinfo()
    flags = cpu.get("flags", "").split() or cpu.get("Features", "").split()
    vectors = [name for name in ("avx2", "avx512f", "asimd", "sve") if name in flags]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{cpu.get('model name', platform.machine())}, {os.cpu_count()} processors, "
            f"{' '.join(vectors) or 'no vectors known'}, {memory:.0f} GiB, Linux {platform.release()} "
            f"{platform.machine()}.")


def cpuinfo():
    """The first processor's entries of /proc/cpuinfo."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        pairs = [line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line]
    return {key.strip(): value.strip() for key, value in pairs}


@functools.cache
def versions():
    """Of bramble (the last change to its source) and of the peers' packages: one line."""
    source = ["--", "src", "include", "cli"]
    commit = said(["git", "-C", programs.ROOT, "log", "-1", "--format=%h", *source])
    changed = said(["git", "-C", programs.ROOT, "status", "--porcelain", *source]) != "?"
    peers = [f"{name} {said(['dpkg-query', '-W', '-f=${Version}', package])}" for name, package in PACKAGES.items()]
    return f"Bramble {commit}{' with changes' if changed else ''}, {', '.join(peers)}."


def said(command):
    """What a small program prints; a question mark when it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() or "?"
    except (OSError, subprocess.CalledProcessError):
        return "?"
