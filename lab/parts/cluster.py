"""A running lab: starts it, finds it again, enters its nodes, ends it."""

import contextlib
import dataclasses
import fcntl
import json
import os
import platform
import shutil
import signal
import subprocess
import zlib

import groups
import layout
import namespaces
from groups import Groups, wait_until
from spec import FOLDER, LabError, Node

PARTS = os.path.join(FOLDER, "parts")
ROUTER = "router"
NEEDS_ROOT = "the lab needs root, for network namespaces, mounts and control groups"
START_SECONDS = 60
ROOT = os.path.dirname(FOLDER)
ARM64_ROOT = os.path.join(ROOT, "build", "arm64", "root")
PATH = "/usr/local/bin:/usr/bin:/bin"


def must(command, what, **options):
    """Runs a command that has to work; its error is our error."""
    done = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        raise LabError(f"{what}: {done.stdout.strip() or f'exit status {done.returncode}'}")
    return done.stdout


def needs():
    """Why there can be no lab here, or None."""
    if os.geteuid():
        return NEEDS_ROOT
    if platform.machine() != "x86_64":
        return f"the lab's kinds of machine are for x86-64; this machine is {platform.machine()}"
    for program, package in (("ip", "iproute2"), ("tc", "iproute2"), ("unshare", "util-linux"), ("ssh", "openssh-client")):
        if not shutil.which(program):
            return f"the lab needs {program} (Debian: {package})"
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "true"],
                           capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"this machine allows no namespaces: {tried.stderr.strip()}"
    return groups.refusal()


class Lab:
    """One lab; its folder is LAB in the environment or build/lab of this checkout, so checkouts do not meet."""

    def __init__(self):
        if os.geteuid():
            raise LabError(NEEDS_ROOT)
        default = os.path.join(ROOT, "build", "lab")
        self.folder = os.path.abspath(os.environ.get("LAB") or default)
        self.groups = Groups(f"bramble-lab-{zlib.crc32(self.folder.encode()):08x}")
        self.state_path = os.path.join(self.folder, "lab.json")
        self.slice_path = os.path.join(self.folder, "slice_us")  # of this machine before the lab

    @contextlib.contextmanager
    def locked(self):
        """One lab/up or lab/down at a time; the lock ends with its process."""
        path = os.path.join(self.folder, "lock")
        while True:
            os.makedirs(self.folder, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # Whoever had it may have removed the lab, and another may have locked a new file since.
                if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(file.fileno())):
                    yield
                    return

    def node_folder(self, node):
        return os.path.join(self.folder, "nodes", node.name)

    def state(self):
        try:
            with open(self.state_path, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def nodes(self):
        state = self.state()
        if not state:
            raise LabError("no lab is up; start one with `lab/up FILE`")
        return [Node(**fields) for fields in state["nodes"]]

    def node(self, name):
        found = [node for node in self.nodes() if node.name == name]
        if not found:
            raise LabError(f"no node {name}; there are {', '.join(node.name for node in self.nodes())}")
        return found[0]

    # Life

    def up(self, nodes, programs):
        """Starts the lab; `programs` is arch -> folder with bramble. False if just this lab was up already."""
        why_not = needs()
        if why_not:
            raise LabError(why_not)
        state = {"nodes": [dataclasses.asdict(node) for node in nodes], "programs": programs}
        with self.locked():
            if self.state() == state and all(self.is_whole(node.name) for node in nodes):
                return False
            self.clear()
            try:
                self.start(nodes, programs)
            except BaseException:
                self.clear()
                raise
            layout.write(self.state_path + ".new", json.dumps(state, indent=1))
            os.rename(self.state_path + ".new", self.state_path)
        return True

    def down(self):
        if not os.path.isdir(self.folder) and not self.groups.names():
            return
        with self.locked():
            self.clear()
            shutil.rmtree(self.folder)

    def clear(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.state_path)
        self.groups.remove()
        if os.path.exists(self.slice_path):
            groups.set_slice_us(int(groups.read(self.slice_path)))
            os.remove(self.slice_path)
        shutil.rmtree(os.path.join(self.folder, "nodes"), ignore_errors=True)

    def is_whole(self, name):
        return self.entry(name) is not None

    def start(self, nodes, programs):
        if any(node.arch == "arm64" for node in nodes):
            must([os.path.join(ROOT, "tests", "arm64", "sysroot"), os.path.dirname(ARM64_ROOT)], "arm64 packages")
        folder = os.path.join(self.folder, "nodes")
        os.makedirs(os.path.join(folder, ROUTER))
        sshd = must([os.path.join(PARTS, "sshd"), os.path.join(ROOT, "build", "sshd")], "sshd").splitlines()[-1]
        layout.make_key(os.path.join(folder, "key"))
        layout.lay_out(nodes, self.node_folder, os.path.join(folder, "key"), sshd)
        self.share_finely()
        self.groups.make(ROUTER)
        layout.write(os.path.join(folder, ROUTER, "entry"), "1\n")
        self.spawn(ROUTER, ["unshare", "--net", "--pid", "--fork", "sleep", "infinity"], None)
        wait_until(lambda: self.entry(ROUTER), "the router does not start", START_SECONDS)
        self.in_network(ROUTER, "link add name br0 type bridge\nlink set br0 up\n")
        for node in nodes:
            self.start_node(node, programs.get(node.arch, ""))

    def share_finely(self):
        before = groups.slice_us()
        if before and before != groups.SLICE_US:
            layout.write(self.slice_path, f"{before}\n")
            groups.set_slice_us(groups.SLICE_US)

    def start_node(self, node, program_folder):
        self.groups.make(node.name)
        self.groups.limit_memory(node.name, node.memory_mb)
        folder = self.node_folder(node)
        log = os.path.join(folder, "log")
        self.spawn(node.name, [
            "unshare", "--mount", "--net", "--pid", "--fork", "--uts", "--ipc", "--mount-proc", "sh",
            os.path.join(PARTS, "node.sh"), folder, self.root_of(node), program_folder], log)
        wait_until(lambda: self.entry(node.name) or not self.groups.processes(node.name),
                   f"node {node.name} does not start", START_SECONDS)
        if not self.entry(node.name):
            with open(log, encoding="utf-8") as file:
                raise LabError(f"node {node.name} does not start: {file.read().strip()}")
        must(self.beside(node.name, "-u") + ["hostname", node.name], "hostname")
        self.connect(node)
        self.start_sshd(node)
        self.groups.limit_cpu(node.name, node.quota)  # last: starting is no part of what is emulated

    def spawn(self, name, command, log):
        """Starts a process of the node that outlives this one."""
        with open(log or os.devnull, "ab") as output:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                             start_new_session=True, preexec_fn=lambda: self.groups.join(name))

    def connect(self, node):
        self.in_network(ROUTER, f"link add name {node.name} mtu 1500 type veth peer name eth0 netns"
                        f" {self.entry(node.name)}\nlink set {node.name} master br0 up\n")
        self.in_network(node.name, f"link set lo up\naddr add {node.address}/24 dev eth0\nlink set eth0 up\n")
        self.set_rate(node, node.link_mbit)

    def set_rate(self, node, mbit):
        """Shapes both ends of the node's link."""
        burst = max(16_000, int(mbit * 1e6 / 8 * 0.002))
        for where, device in ((ROUTER, node.name), (node.name, "eth0")):
            must(self.beside(where, "-n") + [
                "tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", f"{int(mbit * 1000)}kbit",
                "burst", str(burst), "latency", "50ms"], f"shaping the link of {node.name}")

    def start_sshd(self, node):
        must(self.entering(node, "/usr/local/bin/sshd"), f"sshd of {node.name}",
             preexec_fn=lambda: self.groups.join(node.name))

    def stop_sshd(self, node):
        """Stops the sshd that listens, not the sessions. None running is fine."""
        path = os.path.join(self.node_folder(node), "run", "sshd.pid")
        pid = self.numbered(node.name, path)
        if pid:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not os.path.exists(f"/proc/{pid}"), f"sshd of {node.name} does not end")

    # Entering

    def entry(self, name):
        """The process whose namespaces are the node's, by its number there; None if it is not running."""
        return self.numbered(name, os.path.join(self.folder, "nodes", name, "entry"))

    def numbered(self, name, path):
        """The process of a node with the number, in the node's own counting, that a file has; None if there is none."""
        try:
            with open(path, encoding="utf-8") as file:
                number = file.read().strip()
        except FileNotFoundError:
            return None
        for pid in self.groups.processes(name):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                    numbers = next(line for line in file if line.startswith("NSpid:")).split()[1:]
                if len(numbers) > 1 and numbers[-1] == number:
                    return pid
        return None

    def entering(self, node, *command):
        """The command that runs a command in the node, as its root, with its files."""
        user = ["-U"] if self.root_of(node) else []
        return [*self.beside(node.name, "-m", "-n", "-p", "-u", "-i", *user), "chroot", self.root_of(node) or "/", *command]

    def beside(self, name, *which):
        """The start of a command that runs in some of a node's namespaces, with this machine's programs."""
        return ["nsenter", "-t", str(self.running_entry(name)), *which]

    def running_entry(self, name):
        pid = self.entry(name)
        if pid is None:
            raise LabError(f"node {name} is not running; start the lab again with `lab/up FILE`")
        return pid

    def root_of(self, node):
        """Where the node's file system begins; "" for this machine's."""
        return ARM64_ROOT if node.arch == "arm64" else ""

    def in_network(self, name, lines):
        """Runs lines for `ip -batch` in the node's network."""
        must(self.beside(name, "-n") + ["ip", "-batch", "-"], f"network of {name}", input=lines, stdin=None)

    def start_command(self, node, words, prepare=lambda: None, **options):
        """Starts words as the node's user, at home, with the environment a login has; the process is the command itself."""
        home, root = f"/home/{layout.USER}", self.root_of(node) or "/"
        with open(os.path.join(self.node_folder(node), "environment"), encoding="utf-8") as file:
            more = file.read().splitlines()
        command = ["chroot", f"--userspec={layout.UID}:{layout.UID}", "--groups=", root, "/usr/bin/env", "-i",
                   f"HOME={home}", f"USER={layout.USER}", f"LOGNAME={layout.USER}", f"PATH={PATH}", "LANG=C.UTF-8",
                   f"TERM={os.environ.get('TERM', 'dumb')}", *more, "/bin/sh", "-c", 'cd && exec "$@"', "sh", *words]
        entry = self.running_entry(node.name)
        user = ("user",) if self.root_of(node) else ()  # last: who has joined it may join no others

        def enter():
            self.groups.join(node.name)
            namespaces.join_all(entry, ("net", "uts", "ipc", "mnt", *user))
            prepare()

        with namespaces.children_in(entry):
            return subprocess.Popen(command, preexec_fn=enter, **options)
