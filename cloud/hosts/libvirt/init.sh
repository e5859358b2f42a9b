#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The first process of a host: gives it mounts of its own, and then waits for
# its orphans. Run as: init.sh FOLDER NAME GROUP

set -eu
folder=$1 name=$2 group=$3

mount --make-rprivate /
mount -t proc proc /proc
mkdir -p "$folder/sys"
mount -t sysfs sysfs "$folder/sys"
mount -t tmpfs -o mode=755 tmpfs "$folder/sys/fs/cgroup"
for path in /sys/fs/cgroup/*/; do
    controller=${path%/}
    controller=${controller##*/}
    [[ -d /sys/fs/cgroup/$controller/$group ]] || continue
    mkdir "$folder/sys/fs/cgroup/$controller"
    mount --bind "/sys/fs/cgroup/$controller/$group" \
        "$folder/sys/fs/cgroup/$controller"
done
mount --rbind "$folder/sys" /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/lock /run/libvirt
while read -r source target; do
    mkdir -p "$target"
    mount --bind "$folder/$source" "$target"
done <<EOF
etc-libvirt /etc/libvirt
etc-ssh /etc/ssh
var-lib-libvirt /var/lib/libvirt
var-log-libvirt /var/log/libvirt
var-cache-libvirt /var/cache/libvirt
var-lib-nova /var/lib/nova
root-ssh /root/.ssh
EOF
if [[ -e $folder/shared ]]; then
    mount --bind "$folder/../shared" /var/lib/nova/instances
fi
# Where it can be opened and is of no use, libvirt asks QEMU anew at each call.
if [[ -e /dev/kvm && -e $folder/no-kvm ]]; then
    mount --bind "$folder/no-kvm" /dev/kvm
fi
for file in hostname hosts machine-id; do
    [[ -e /etc/$file ]] || touch "/etc/$file"
    mount --bind "$folder/$file" "/etc/$file"
done
hostname "$name"
ip link set lo up
touch "$folder/ready"
exec tini -s -- sleep infinity
