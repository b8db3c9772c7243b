# The disk image: an ext4 root made without root, in a qcow2 file that stands on its own.

write_base_image() {
  local raw=$work/base.raw
  # 4 KiB blocks and ordinary inode density although it is small: it will grow.
  mke2fs -q -t ext4 -T default -b 4096 -m 1 -L strata-root -U "$file_system_uuid" -E root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,hash_seed="$file_system_uuid" \
    -d "$root" "$raw" "${virtual_size_mib}M"
  own_by_root "$raw"
  qemu-img convert -q -f raw -O qcow2 -c -o compression_type=zstd,cluster_size=16k "$raw" "$result/base.qcow2"
}

# Every guest's root stands on this one image, so one identifier for all is honest.
file_system_uuid=5712a7a0-0000-4000-8000-000000000001

# mke2fs keeps the builder's user and group on the files that it copies in; debugfs changes them inside the image.
own_by_root() {
  (cd "$root" && find . -mindepth 1 -printf '/%P\n') |
    sed -E 's|.*|set_inode_field "&" uid 0\nset_inode_field "&" gid 0|' >"$work/owners"
  debugfs -w -f "$work/owners" "$1" >"$work/debugfs.log" 2>&1
  # debugfs ends with success whatever happens, and says nothing when all is well but its own name and the commands.
  if grep -v -E '^(debugfs: set_inode_field |debugfs [0-9.]+ )' "$work/debugfs.log" >"$work/complaints"; then
    fail 'The files of the image could not be given to root:' "$(head -n 3 "$work/complaints")"
  fi
}
