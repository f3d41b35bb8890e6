"""A real Slurm on a lab of its own: slurmctld on the first node, where people log in, a slurmd on each other one.

Nothing of it is outside the lab's folder and the scratch folder that the nodes share as /opt/bramble.
"""

import os
import secrets
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "lab", "parts"))
import cluster  # noqa: E402
from groups import wait_until  # noqa: E402
from layout import UID, write  # noqa: E402
from spec import LabError, read_nodes  # noqa: E402

SHARED = "/opt/bramble"
START_SECONDS = 30
CORES = 2  # that Slurm believes a node has
MEMORY_MB = 600
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "salloc", "srun", "scontrol", "sinfo", "squeue", "scancel")
SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = ("/usr/bin/env", "-i", f"PATH={SEARCHED}", f"SLURM_CONF={SHARED}/slurm.conf")
CONFIGURATION = """ClusterName=lab
SlurmctldHost={login}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=/run/munge.socket
CredType=cred/munge
StateSaveLocation=/run/slurmctld
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmdSpoolDir=/run/slurmd
SlurmctldLogFile=/opt/bramble/log/slurmctld
SlurmdLogFile=/opt/bramble/log/slurmd-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
KillWait=2
NodeName={nodes} CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP
"""


def needs():
    """Why there can be no such cluster here, or None."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path=SEARCHED)]
    if missing:
        return f"there is no {missing[0]} (Debian: slurmctld, slurmd, slurm-client, munge)"
    return cluster.needs()


class SmallCluster:
    """`scratch` becomes /opt/bramble of all nodes; whatever lies in it, they see. stop() leaves nothing running."""

    def __init__(self, scratch, lab_file):
        self.scratch, self.lab = scratch, cluster.Lab()
        self.nodes = read_nodes(lab_file, os.cpu_count())
        self.login, self.computing = self.nodes[0], self.nodes[1:]

    def start(self):
        for name in ("log", "home"):
            os.makedirs(os.path.join(self.scratch, name))
        os.chmod(self.scratch, 0o755)
        os.chown(os.path.join(self.scratch, "home"), UID, UID)
        with open(os.open(os.path.join(self.scratch, "key"), os.O_WRONLY | os.O_CREAT, 0o400), "wb") as file:
            file.write(secrets.token_bytes(128))
        names = ",".join(node.name for node in self.computing)
        write(os.path.join(self.scratch, "slurm.conf"),
              CONFIGURATION.format(login=self.login.name, nodes=names, cores=CORES, memory=MEMORY_MB))
        self.lab.up(self.nodes, {"x86": self.scratch})
        for node in self.nodes:
            self.lab.stop_sshd(node)
            self.spawn(node, "/usr/sbin/munged", "--force", "--foreground", f"--key-file={SHARED}/key", "--socket=/run/munge.socket",
                       "--pid-file=/run/munged.pid", "--seed-file=/run/munged.seed",
                       f"--log-file={SHARED}/log/munged-{node.name}")
        for node in self.nodes:
            self.wait(node, "/run/munge.socket")
        self.spawn(self.login, "/usr/sbin/slurmctld", "-D")
        for node in self.computing:
            self.start_slurmd(node)
        wait_until(lambda: self.idle() == len(self.computing), "Slurm's nodes do not become idle", START_SECONDS)

    def start_slurmd(self, node):
        self.spawn(node, "/usr/sbin/slurmd", "-D", "-N", node.name)

    def stop(self):
        self.lab.down()

    def spawn(self, node, *words):
        log = os.path.join(self.scratch, "log", f"{os.path.basename(words[0])}-{node.name}.said")
        self.lab.spawn(node.name, self.lab.entering(node, *ENVIRONMENT, *words), log)

    def wait(self, node, path):
        there = self.lab.entering(node, "test", "-e", path)
        wait_until(lambda: subprocess.run(there, check=False).returncode == 0, f"{node.name}: no {path}", START_SECONDS)

    def idle(self):
        return self.run("sinfo", "-h", "-N", "-t", "idle", "-o", "%N")[0].count("\n")

    def launch(self, *words, **options):
        """Starts a command on the login node as its user, in the folder all nodes share."""
        shell = f'cd {SHARED}/home && exec "$@"'
        environment = [f"SLURM_CONF={SHARED}/slurm.conf", "BRAMBLE_SSH=/bin/false"]  # there is no ssh
        return self.lab.start_command(self.login, ["env", *environment, "sh", "-c", shell, "sh", *words],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def run(self, *words, seconds=60):
        """What a command said, and its exit status."""
        with self.launch(*words) as process:
            said, _ = process.communicate(timeout=seconds)
        return said, process.returncode

    def administer(self, *words):
        """What a command of Slurm said to the login node's root, and its exit status."""
        done = subprocess.run(self.lab.entering(self.login, *ENVIRONMENT, *words), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=START_SECONDS)
        return done.stdout, done.returncode
