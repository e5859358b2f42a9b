#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Build the image of a guest from packages of Debian: a kernel, busybox and a
# boot loader for BIOS and UEFI. Nothing is mounted. Run as:
# guest.sh FOLDER IMAGE

set -eu
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
cd "$1"
image=$2

# The package of the kernel is unpacked, not installed.
if [[ ! -d kernel ]]; then
    package=$(apt-cache depends linux-image-cloud-amd64 |
        awk '$1 == "Depends:" {print $2; exit}')
    rm -rf packages kernel.new
    mkdir packages
    # As its own user apt may not write here.
    (cd packages && apt-get -q -o APT::Sandbox::User=root download "$package")
    dpkg-deb -x packages/*.deb kernel.new
    mv kernel.new kernel
    rm -rf packages
fi
version=$(ls kernel/lib/modules)

rm -rf root
mkdir -p root/{bin,dev,modules}
cp /bin/busybox root/bin/
install -m 755 "$here/guest-init.sh" root/init
# In the order to load them.
for module in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev \
    virtio_pci virtio_blk failover net_failover virtio_net crc32c_generic \
    libcrc32c crc16 mbcache jbd2 ext4 cdrom isofs scsi_common scsi_mod \
    libata ata_piix libahci ahci sr_mod nls_ascii nls_cp437 fat vfat evdev \
    button efivarfs; do
    found=$(find "kernel/lib/modules/$version" -name "$module.ko*")
    # What is not there is a part of the kernel.
    [[ -n $found ]] || continue
    case $found in
        *.xz) xz -dc "$found" >"root/modules/$module.ko" ;;
        *) cp "$found" "root/modules/$module.ko" ;;
    esac
    echo "$module.ko" >>root/modules/order
done
(cd root && find . | cpio -o -H newc --quiet | gzip -6) >initrd.img

# Sectors: a partition of FAT to boot from, and one for the data.
start=2048 size=65536
data=$((start + size)) total=$((400 * 2048))
cat >syslinux.cfg <<END
SERIAL 0 115200
DEFAULT guest
PROMPT 0
TIMEOUT 0
LABEL guest
 KERNEL /vmlinuz
 APPEND initrd=/initrd.img console=ttyS0 quiet no_timer_check
END
cp "kernel/boot/vmlinuz-$version" vmlinuz
rm -f disk.raw boot.raw data.raw
truncate -s $((size * 512)) boot.raw
mkfs.vfat -F 16 -h $start -n BOOT boot.raw >/dev/null
mcopy -i boot.raw vmlinuz initrd.img syslinux.cfg ::
mmd -i boot.raw ::EFI ::EFI/BOOT
mcopy -i boot.raw /usr/lib/SYSLINUX.EFI/efi64/syslinux.efi ::EFI/BOOT/BOOTX64.EFI
mcopy -i boot.raw /usr/lib/syslinux/modules/efi64/ldlinux.e64 syslinux.cfg \
    ::EFI/BOOT/
syslinux --install boot.raw
truncate -s $(((total - data) * 512)) data.raw
mkfs.ext4 -q -F -L data data.raw
truncate -s $((total * 512)) disk.raw
printf 'label: dos\nstart=%d,size=%d,type=ef,bootable\nstart=%d,type=83\n' \
    $start $size $data | sfdisk -q disk.raw
put() {
    dd if="$1" of=disk.raw bs=512 seek="$2" conv=notrunc,sparse status=none
}
dd if=/usr/lib/syslinux/mbr/mbr.bin of=disk.raw bs=440 count=1 conv=notrunc \
    status=none
put boot.raw $start
put data.raw $data
qemu-img convert -c -O qcow2 disk.raw "$image.new"
mv "$image.new" "$image"
rm -rf root initrd.img disk.raw boot.raw data.raw vmlinuz syslinux.cfg
