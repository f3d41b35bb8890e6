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
touch /mnt/ready
umount -l /mnt

trap '' INT QUIT TERM HUP
while :; do
    sleep 1000 &
    wait
done
