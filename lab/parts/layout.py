"""A node's own files: written into its folder before it starts, seen by it in their usual places."""

import os
import shutil
import subprocess
import uuid

USER = "pi"
UID = 1000
FOLDERS = ("etc/ssh", "bin", "home/" + USER + "/.ssh", "home/" + USER + "/.cache", "opt/bramble", "run/sshd", "tmp")
PASSWD = f"""root:x:0:0:root:/root:/bin/sh
sshd:*:100:65534::/run/sshd:/usr/sbin/nologin
{USER}:*:{UID}:{UID}::/home/{USER}:/bin/sh
nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = f"root:x:0:\ntty:x:5:\n{USER}:x:{UID}:\nnogroup:x:65534:\n"
SSHD_CONFIG = """ListenAddress {address}
HostKey /etc/ssh/host_key
PidFile /run/sshd.pid
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 100
Subsystem sftp internal-sftp
"""
SSH_CONFIG = "ConnectTimeout 5\nBatchMode yes\nStrictHostKeyChecking yes\n"


def write(path, text, mode=0o644):
    """In place where the file is there, for the node has it mounted."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", path], check=True)


def hosts(nodes):
    return "127.0.0.1 localhost\n" + "".join(f"{node.address} {node.name}\n" for node in nodes)


def set_environment(folder, node, variables):
    """What sessions get besides the usual: through sshd's configuration, and for lab/run (Lab.start_command)."""
    words = [f"{name}={value}" for name, value in variables.items()]
    write(os.path.join(folder, "environment"), "".join(word + "\n" for word in words))
    write(os.path.join(folder, "etc", "ssh", "sshd_config"), SSHD_CONFIG.format(address=node.address)
          + (f"SetEnv {' '.join(words)}\n" if words else ""))


def new_host_key(folder):
    """Puts the host key aside and makes another."""
    key = os.path.join(folder, "etc", "ssh", "host_key")
    if not os.path.exists(key + ".old"):
        os.rename(key, key + ".old")
    for path in (key, key + ".pub"):
        if os.path.exists(path):
            os.remove(path)
    make_key(key)


def old_host_key(folder):
    """Brings back the host key that was put aside, if one was."""
    key = os.path.join(folder, "etc", "ssh", "host_key")
    if os.path.exists(key + ".old"):
        os.rename(key + ".old", key)


def known_hosts(nodes, folder_of):
    lines = []
    for node in nodes:
        with open(os.path.join(folder_of(node), "etc", "ssh", "host_key.pub"), encoding="utf-8") as file:
            lines.append(f"{node.name},{node.address} {' '.join(file.read().split()[:2])}\n")
    return "".join(lines)


def lay_out(nodes, folder_of, key, sshd):
    """Writes every node's files; `key` is the one key that opens all of them, `sshd` the program for x86 nodes."""
    for node in nodes:
        folder = folder_of(node)
        for name in FOLDERS:
            os.makedirs(os.path.join(folder, name))
        os.chmod(os.path.join(folder, "tmp"), 0o1777)
        etc = os.path.join(folder, "etc")
        write(os.path.join(etc, "hosts"), hosts(nodes))
        write(os.path.join(etc, "hostname"), node.name + "\n")
        write(os.path.join(etc, "passwd"), PASSWD)
        write(os.path.join(etc, "group"), GROUP)
        write(os.path.join(etc, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n")
        write(os.path.join(etc, "boot_id"), str(uuid.uuid4()) + "\n", 0o444)
        make_key(os.path.join(etc, "ssh", "host_key"))
        set_environment(folder, node, {})
        os.symlink("/opt/bramble/bramble", os.path.join(folder, "bin", "bramble"))
        shutil.copy(sshd, os.path.join(folder, "bin", "sshd")) if node.arch == "x86" else os.symlink(
            "/usr/sbin/sshd", os.path.join(folder, "bin", "sshd"))
    known = known_hosts(nodes, folder_of)
    for node in nodes:
        ssh = os.path.join(folder_of(node), "home", USER, ".ssh")
        shutil.copy(key, os.path.join(ssh, "id_ed25519"))
        shutil.copy(key + ".pub", os.path.join(ssh, "authorized_keys"))
        write(os.path.join(ssh, "config"), SSH_CONFIG, 0o600)
        write(os.path.join(ssh, "known_hosts"), known, 0o600)
        own(os.path.join(folder_of(node), "home", USER))


def own(top):
    """Gives a folder and what is in it to the node's user."""
    os.chown(top, UID, UID)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            os.chown(os.path.join(folder, name), UID, UID, follow_symlinks=False)
