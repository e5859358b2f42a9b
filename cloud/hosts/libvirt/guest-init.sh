#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
#
# The first process of a guest. What it says of its disks is on its console, in
# lines that begin with "GUEST-"; cloud/hosts/libvirt/console.py reads them.

/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
exec >/dev/console 2>&1 </dev/console
export PATH=/bin
/bin/busybox --install -s /bin
echo "GUEST-BOOT"
mkdir -p /proc /sys /disk /config /ephemeral /etc/acpi/PWRF
mount -t proc proc /proc
mount -t sysfs sysfs /sys
# Twice, as some need what comes later.
cat /modules/order /modules/order | while read -r module; do
    insmod "/modules/$module" 2>/dev/null
done

tries=0
while [ ! -b /dev/vda2 ] && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
boot=$(cut -c1-8 /proc/sys/kernel/random/boot_id)

sum() {
    sha256sum "$1" | cut -c1-16
}

# A file of random data that is written once in the life of a disk.
marker() {
    if [ ! -f "$1" ]; then
        dd if=/dev/urandom of="$1.new" bs=64k count="$2" 2>/dev/null
        sync
        mv "$1.new" "$1"
        sync
    fi
}

for device in /dev/sr0 /dev/vd[b-z]; do
    [ -b "$device" ] || continue
    if mount -t iso9660 -o ro "$device" /config 2>/dev/null; then
        json=/config/openstack/latest/meta_data.json
        echo "GUEST-CONFIG $(sed 's/.*"uuid": "\([^"]*\)".*/\1/' $json)"
        fill=$(sed -n 's/.*"fill": "\([0-9]*\)".*/\1/p' $json)
        umount /config
    elif [ "$(dd if="$device" bs=1 skip=4086 count=10 2>/dev/null)" = \
        SWAPSPACE2 ]; then
        echo "GUEST-SWAP $(cat "/sys/class/block/${device##*/}/size")"
    elif mount -t ext4 "$device" /ephemeral 2>/dev/null; then
        marker /ephemeral/marker 4
        echo "GUEST-EPHEMERAL $(sum /ephemeral/marker)"
        umount /ephemeral
    fi
done

if mount -t efivarfs none /sys/firmware/efi/efivars 2>/dev/null; then
    # It is in the variables of the firmware, which are a file of the host.
    variable=Coldmig-6d5f0a52-2d5c-4d3b-9a3e-0d6c1f1f8a11
    path=/sys/firmware/efi/efivars/$variable
    if [ ! -e "$path" ]; then
        printf '\007\000\000\000%s' "$boot" >"/value"
        cat /value >"$path"
    fi
    echo "GUEST-NVRAM $(dd if="$path" bs=1 skip=4 2>/dev/null)"
fi

if mount -t ext4 /dev/vda2 /disk; then
    marker /disk/marker 16
    [ -z "$fill" ] || marker /disk/fill $((fill * 16))
    [ -f /disk/count ] || echo 0 >/disk/count
    echo "$boot" >>/disk/boots
    sync
    [ ! -f /disk/fill ] || echo "GUEST-FILL $(sum /disk/fill)"
    echo "GUEST-DISK $(sum /disk/marker)" \
        "boots=$(wc -l </disk/boots) count=$(cat /disk/count)"
else
    echo "GUEST-NODISK"
fi

for device in /sys/class/net/*; do
    device=${device##*/}
    [ "$device" = lo ] && continue
    ip link set "$device" up
    echo "GUEST-PORT $(cat "/sys/class/net/$device/address")"
done

cat >/etc/acpi/PWRF/00000080 <<'END'
#!/bin/sh
export PATH=/bin
kill $(cat /ticker)
sync
# It was started by a daemon, whose output nobody sees.
echo "GUEST-END count=$(cat /disk/count)" >/dev/console
umount /disk || mount -o remount,ro /disk
poweroff -f
END
chmod +x /etc/acpi/PWRF/00000080
acpid -c /etc/acpi -l /dev/null

echo "GUEST-READY $boot"
(
    count=$(cat /disk/count)
    while :; do
        count=$((count + 1))
        echo $count >/disk/count.new
        sync
        mv /disk/count.new /disk/count
        sync
        echo "GUEST-TICK $count"
        sleep 1
    done
) &
echo $! >/ticker
while :; do
    sleep 1000
done
