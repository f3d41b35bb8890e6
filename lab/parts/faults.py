"""What can go wrong with a node of a lab, on purpose; `heal` undoes all of it, in whatever state the node is."""

import contextlib
import os
import re
import signal

import layout
from cluster import must
from spec import LabError

CACHE = f"/home/{layout.USER}/.cache"
FAKETIME = {"x86": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
            "arm64": "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"}


def number(text, what, least=1):
    with contextlib.suppress(ValueError):
        if float(text) >= least:
            return float(text)
    raise LabError(f"{text}: {what} of at least {least} is needed")


def kill9(lab, node, pattern):
    """Kills (SIGKILL) the user's processes whose command line matches PATTERN."""
    killed = 0
    for pid in lab.groups.processes(node.name):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode(errors="replace")
            if os.stat(f"/proc/{pid}").st_uid == layout.UID and re.search(pattern, words):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    if not killed:
        raise LabError(f"no process of {node.name} matches {pattern}")
    print(f"killed {killed}")


def freeze(lab, node):
    """Stops every process of the node at once, as a hung machine; its kernel still answers. lab/run waits, too."""
    lab.groups.freeze(node.name, True)


def thaw(lab, node):
    """Lets a frozen node go on."""
    lab.groups.freeze(node.name, False)


def cut(lab, node):
    """Pulls the node's cable."""
    lab.in_network("router", f"link set {node.name} down\n")


def mend(lab, node):
    """Puts the node's cable back."""
    lab.in_network("router", f"link set {node.name} up\n")


def rate(lab, node, mbit):
    """Makes the node's link MBIT per second fast."""
    lab.set_rate(node, number(mbit, "a rate in Mbit/s", 0.1))


def fill(lab, node, megabytes="1"):
    """Puts an empty disk with room for MEGABYTES (1 if not given) in place of the node's ~/.cache."""
    size = int(number(megabytes, "a size in MB"))
    mount(lab, node, "-t", "tmpfs", "-o", f"size={size}m,mode=755,uid={layout.UID},gid={layout.UID}", "none")


def readonly(lab, node):
    """Makes the node's ~/.cache read-only."""
    mount(lab, node, "--bind", lab.root_of(node) + CACHE)
    mount(lab, node, "-o", "remount,bind,ro")


def mount(lab, node, *words):
    must([*lab.beside(node.name, "-m", "-p"), "mount", *words, lab.root_of(node) + CACHE], f"mounting ~/.cache of {node.name}")


def clock(lab, node, seconds):
    """Sets the clock SECONDS ahead (or behind, if negative) for what ssh and lab/run start from now on."""
    offset = int(number(seconds, "an offset in seconds", -10**9))
    library = FAKETIME[node.arch]
    if not os.path.exists(lab.root_of(node) + library):
        raise LabError("a wrong clock needs libfaketime (Debian: faketime)")
    layout.set_environment(lab.node_folder(node), node, {
        "LD_PRELOAD": library, "FAKETIME": f"{offset:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    restart_sshd(lab, node)


def hostkey(lab, node):
    """Gives the node another ssh host key than the others know."""
    layout.new_host_key(lab.node_folder(node))
    restart_sshd(lab, node)


def nosshd(lab, node):
    """Stops the node's sshd; sessions that are open stay."""
    lab.stop_sshd(node)


def restart_sshd(lab, node):
    lab.stop_sshd(node)
    lab.start_sshd(node)


def firewall(lab, node, ports):
    """Drops what comes for the node's TCP ports FROM-TO."""
    if not re.fullmatch(r"\d{1,5}(-\d{1,5})?", ports):
        raise LabError(f"{ports}: a port or a range FROM-TO is needed")
    nft(lab, node, "table inet lab { chain input { type filter hook input priority 0;"
        f" iif != lo tcp dport {ports} drop\n}}\n}}\n")


def nft(lab, node, rules):
    must([*lab.beside(node.name, "-n"), "nft", "-f", "-"], f"firewall of {node.name}", input=rules, stdin=None)


def memory(lab, node, megabytes):
    """Lowers the node's memory limit to MEGABYTES."""
    lab.groups.limit_memory(node.name, int(number(megabytes, "a size in MB")))


def hosts(lab, node, name, address):
    """Makes the node believe that NAME is at ADDRESS."""
    path = os.path.join(lab.node_folder(node), "etc", "hosts")
    others = [line for line in layout.hosts(lab.nodes()).splitlines() if line.split()[1] != name]
    layout.write(path, "\n".join([*others, f"{address} {name}", ""]))


def heal(lab, node):
    """Undoes everything above (but what was killed stays dead)."""
    thaw(lab, node)
    mend(lab, node)
    lab.set_rate(node, node.link_mbit)
    lab.groups.limit_memory(node.name, node.memory_mb)
    nft(lab, node, "table inet lab {}\ndelete table inet lab\n")
    where = lab.root_of(node) + CACHE
    must([*lab.beside(node.name, "-m", "-p"), "sh", "-c", 'while mountpoint -q "$1"; do umount -l "$1" || exit; done', "sh", where],
         f"unmounting ~/.cache of {node.name}")
    folder = lab.node_folder(node)
    layout.write(os.path.join(folder, "etc", "hosts"), layout.hosts(lab.nodes()))
    layout.set_environment(folder, node, {})
    layout.old_host_key(folder)
    restart_sshd(lab, node)


FAULTS = {fault.__name__: fault for fault in (
    kill9, freeze, thaw, cut, mend, rate, fill, readonly, clock, hostkey, nosshd, firewall, memory, hosts, heal)}
