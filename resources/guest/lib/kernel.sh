# The kernel, its modules, and the initrd.

# What the initrd loads, each list on a processor of its own; modules that the kernel has built in are left out.
# The first of the crc32c modules works only on processors with that instruction; ext4 needs either.
device_modules='virtio_pci virtio_blk virtio_console'
file_system_modules='crc32c_intel crc32c_generic ext4'

prepare_kernel() {
  local boot modules
  kernel_release=$(basename "$(ls -d "$kernel_tree"/boot/vmlinuz-* | sort -V | tail -n 1)")
  kernel_release=${kernel_release#vmlinuz-}
  boot=$kernel_tree/boot
  modules=$kernel_tree/lib/modules
  [ -d "$modules/$kernel_release" ] || modules=$kernel_tree/usr/lib/modules
  [ -d "$modules/$kernel_release" ] || fail "Linux $kernel_release comes without its modules."
  modules=$modules/$kernel_release

  cp "$boot/vmlinuz-$kernel_release" "$result/vmlinuz"
  chmod 644 "$result/vmlinuz"
  kernel_file=vmlinuz
  if grep -q '^CONFIG_PVH=y' "$boot/config-$kernel_release" && unpack_kernel "$result/vmlinuz" "$result/vmlinux"; then
    kernel_file=vmlinux
  fi
  note "Linux $kernel_release, booted from $kernel_file"
  select_modules "$modules"
}

# A bzImage unpacks itself in the guest, which under TCG takes 0.5 s (lz4) to 3 s (xz). QEMU can start the kernel inside
# it directly (PVH boot protocol), so it is unpacked here. Where it lies: Documentation/arch/x86/boot.rst, payload_offset.
unpack_kernel() {
  local image=$1 plain=$2 setup_sectors offset length magic
  setup_sectors=$(od -An -tu1 -j 497 -N 1 "$image")
  offset=$(od -An -tu4 -j 584 -N 4 "$image")
  length=$(od -An -tu4 -j 588 -N 4 "$image")
  # The payload's last four bytes are its unpacked length, no part of the compressed stream.
  tail -c +$(((setup_sectors + 1) * 512 + offset + 1)) "$image" | head -c $((length - 4)) >"$work/payload" || true
  magic=$(od -An -tx1 -N 4 "$work/payload" | tr -d ' ')
  case $magic in
    02214c18) tool lz4 -dcq "$work/payload" ;;
    28b52ffd) tool zstd -dcq "$work/payload" ;;
    fd377a58) tool xz -dcq "$work/payload" ;;
    1f8b*) gzip -dcq "$work/payload" ;;
    *) return 1 ;;
  esac >"$plain"
  rm "$work/payload"
  [ "$(od -An -tx1 -N 4 "$plain" | tr -d ' ')" = 7f454c46 ]
}

select_modules() {
  modules_source=$1
  [ -e "$modules_source/modules.dep" ] || tool depmod -b "${modules_source%/lib/modules/*}" "$kernel_release"
  modules_target=$work/root/lib/modules/$kernel_release
  mkdir -p "$modules_target"
  local file
  for file in $(grep -v '^#' "$here/modules.list" | while read -r name; do module_files "$name"; done | sort -u) \
    $(for name in $device_modules $file_system_modules; do module_files "$name"; done); do
    mkdir -p "$modules_target/${file%/*}"
    copy_module "$modules_source/$file" "$modules_target/${file%.ko*}.ko"
  done
  cp "$modules_source"/modules.{order,builtin,builtin.modinfo} "$modules_target/"
  tool depmod -b "$work/root" "$kernel_release"
}

# The files of a module and of all it depends on, in the order of loading; none when it is built in or unknown.
module_files() {
  local pattern=${1//[-_]/[-_]}
  sed -n -E "s|^(.*/$pattern\.ko[^:]*): *(.*)$|\1 \2|p" "$modules_source/modules.dep" | tr ' ' '\n' | sed '/^$/d' | tac
}

copy_module() {
  case $1 in
    *.xz) tool xz -dc "$1" ;;
    *.zst) tool zstd -dcq "$1" ;;
    *.gz) gzip -dc "$1" ;;
    *) cat "$1" ;;
  esac >"$2"
}

pack_initrd() {
  local initrd=$work/initrd name
  mkdir -p "$initrd"/{bin,dev,proc,sys,run,root,modules}
  cp "$here/initramfs/init" "$initrd/init"
  cp "$root/bin/busybox" "$initrd/bin/busybox"
  for name in sh mount insmod switch_root cat ls setsid cttyhack reboot; do ln -s busybox "$initrd/bin/$name"; done
  list_modules $device_modules >"$initrd/modules/devices"
  list_modules $file_system_modules >"$initrd/modules/file-system"
  # Not compressed: unpacking costs the guest more than QEMU's reading of a few megabytes.
  (cd "$initrd" && find . | sort | "$root/bin/busybox" cpio -o -H newc -R 0:0) >"$result/initrd" 2>"$work/cpio.log"
}

# Copies modules, with those they need, into the initrd, and prints their names in the order of loading.
list_modules() {
  local name file
  for name; do
    for file in $(module_files "$name"); do
      name=$(basename "${file%.ko*}.ko")
      cp "$modules_target/${file%.ko*}.ko" "$initrd/modules/$name"
      echo "$name"
    done
  done | awk '!seen[$0]++'
}
