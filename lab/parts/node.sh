#!/bin/sh
# node.sh FOLDER ROOT PROGRAM_FOLDER: the first process of a node, in namespaces of its own. Gives the node its own
# files, then only stays, as the parent of whatever loses its own. FOLDER is the node's, ROOT what it sees as /
# ("" for this machine's), PROGRAM_FOLDER has bramble for its architecture ("" for none).
set -eu
folder=$1
root=$2
program_folder=$3
echo -1000 2>/dev/null >/proc/self/oom_score_adj || : # a node short of memory loses a program, not itself

place() { # place SOURCE TARGET: what is not there need not be hidden
    [ ! -e "$root$2" ] || mount --bind "$1" "$root$2"
}

# The folder may lie under one that is about to be hidden.
mount --bind "$folder" /mnt
[ -z "$program_folder" ] || mount --bind "$program_folder" /mnt/opt/bramble
for file in hosts hostname passwd group nsswitch.conf ssh; do
    place "/mnt/etc/$file" "/etc/$file"
done
mount --bind /mnt/etc/boot_id /proc/sys/kernel/random/boot_id
if [ -n "$root" ]; then
    for tree in /proc /sys /dev; do
        mount --rbind "$tree" "$root$tree"
    done
fi
mount -t tmpfs -o mode=1777 none "$root/dev/shm"
mount --rbind /mnt/opt "$root/opt"
place /mnt/bin /usr/local/bin
place /mnt/run /run
place /mnt/tmp /tmp
place /mnt/tmp /var/tmp
place /mnt/home /home
# The process to enter the node by: this one, or for a foreign ROOT one in whose user namespace its programs are known.
entry=1
if [ -n "$root" ]; then
    echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start # its sshd is no root of this network namespace
    unshare --user --mount sh "${0%/*}/emulate.sh" "$root" &
    entry=$!
    until echo '0 0 65536' 2>/dev/null >"/proc/$entry/uid_map"; do sleep 0.02; done
    echo '0 0 65536' >"/proc/$entry/gid_map"
    until [ -e /mnt/tmp/emulated ]; do
        kill -0 "$entry" 2>/dev/null || exit 1
        sleep 0.02
    done
    rm /mnt/tmp/emulated
fi
echo "$entry" >/mnt/entry.new
mv /mnt/entry.new /mnt/entry
umount -l /mnt

trap '' INT QUIT TERM HUP
while :; do
    sleep 1000 &
    wait
done
