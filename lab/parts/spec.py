"""What a lab is made of: the kinds of machine, the nodes of a .lab file, and each node's share of this machine."""

import dataclasses
import os
import re

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINE = re.compile(r"(?:(\d+)\s+(?:x\s+)?)?([a-z][a-z0-9-]*)")
NETWORK = "10.77.0"
FIRST_HOST = 11
MAX_NODES = 200
NAME_LENGTH = 15  # of a network interface


class LabError(Exception):
    """One line for a person."""


class Usage(LabError):
    """The command was called wrongly."""


@dataclasses.dataclass
class Node:
    name: str
    kind: str
    arch: str
    speed: float  # in Pis
    cores: int  # of the real machine
    memory_mb: int
    link_mbit: float
    address: str
    quota: float = 0.0  # cores of this machine


def rows(path):
    """The lines of a file that say something, with their numbers."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.split("#")[0].strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line]


def read_kinds():
    kinds = {}
    for number, line in rows(os.path.join(FOLDER, "kinds")):
        try:
            name, arch, speed, cores, memory_mb, link_mbit = line.split()
            kinds[name] = (name, arch, float(speed), int(cores), int(memory_mb), float(link_mbit))
        except ValueError as error:
            raise LabError(f"lab/kinds, line {number}: six columns are needed") from error
    return kinds


def read_nodes(path, cores):
    """The nodes of a .lab file, in its order; their quotas add up to `cores`, and none has more than its own."""
    kinds = read_kinds()
    wanted = []
    for number, line in rows(path):
        match = LINE.fullmatch(line)
        if not match or match[2] not in kinds:
            raise LabError(f"{path}, line {number}: `{line}` is not `COUNT x KIND`; kinds are {', '.join(kinds)}")
        wanted.append((int(match[1] or 1), match[2]))
    if not 0 < sum(count for count, _ in wanted) <= MAX_NODES:
        raise LabError(f"{path}: a lab has 1 to {MAX_NODES} nodes")
    totals = {kind: sum(count for count, other in wanted if other == kind) for _, kind in wanted}
    nodes, seen = [], {}
    for count, kind in wanted:
        for _ in range(count):
            seen[kind] = seen.get(kind, 0) + 1
            name = kind if totals[kind] == 1 else f"{kind}-{seen[kind]}"
            if len(name) > NAME_LENGTH:
                raise LabError(f"{path}: the name {name} is longer than {NAME_LENGTH} letters")
            nodes.append(Node(name, *kinds[kind], f"{NETWORK}.{FIRST_HOST + len(nodes)}"))
    share_cores(nodes, cores)
    return nodes


def share_cores(nodes, cores):
    total = sum(node.speed for node in nodes)
    core_per_pi = min(cores / total, min(node.cores / node.speed for node in nodes))
    for node in nodes:
        node.quota = node.speed * core_per_pi


def table(nodes):
    """The lab as a table; it says that speeds are emulated."""
    lines = [f"{'node':{NAME_LENGTH}} {'address':12} {'kind':10} {'arch':6} {'speed':>6} {'share of a core':>16}"
             f" {'memory':>9} {'link':>10}"]
    for node in nodes:
        lines.append(f"{node.name:{NAME_LENGTH}} {node.address:12} {node.kind:10} {node.arch:6} {node.speed:6.2f}"
                     f" {node.quota:16.3f} {node.memory_mb:6} MB {node.link_mbit:5.0f} Mb/s")
    lines.append("Emulated speeds: shares of this machine's cores, in proportion to the real machines' (1 = a Pi 4).")
    return "\n".join(lines)
