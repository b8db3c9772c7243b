#!/usr/bin/env bash
# Builds the built-in guest into OUT_DIR: a kernel and an initrd for direct boot, a qcow2 base and guest.json.
# Needs no root. See README.md beside this file for what is in it and how to change it.
set -eu -o pipefail
[ -z "${TRACE:-}" ] || { PS4="+\t"; set -x; }
shopt -s inherit_errexit
export LC_ALL=C
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Space for the guest's own files beside the packages; a machine's disk is usually larger, and the guest grows into it.
virtual_size_mib=512
# Debian's generic kernel, not the smaller cloud one: it has OCFS2, 9p and drivers for displays.
kernel_packages=${STRATA_GUEST_KERNEL:-'linux-image-amd64 linux-image-virtual'}
guest_packages='busybox-static qemu-guest-agent e2fsprogs fio dropbear-bin ocfs2-tools'

# What Strata appends to the kernel's command line; each word's reason is in README.md.
command_line='console=tty0 console=ttyS0 quiet mitigations=off cryptomgr.notests no_timer_check init_on_alloc=0'

source "$here/lib/common.sh"
source "$here/lib/packages.sh"
source "$here/lib/kernel.sh"
source "$here/lib/root.sh"
source "$here/lib/image.sh"

usage() {
  cat <<'TEXT'
usage: build.sh OUT_DIR          build the guest (an existing OUT_DIR is replaced when all is done)
       build.sh --recipe-hash    print the hash of this recipe, the recipeHash of guest.json
TEXT
}

# Changes whenever a file of the recipe changes, README.md apart.
recipe_hash() {
  (cd "$here" && find . -type f ! -name README.md -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
}

write_description() {
  cat >"$1/guest.json" <<JSON
{
  "version": 1,
  "recipeHash": "$(recipe_hash)",
  "kernel": "$kernel_file",
  "efiKernel": "vmlinuz",
  "initrd": "initrd",
  "base": "base.qcow2",
  "baseFormat": "qcow2",
  "virtualSizeBytes": $((virtual_size_mib * 1024 * 1024)),
  "kernelRelease": "$kernel_release",
  "commandLine": "$command_line"
}
JSON
}

# The new folder takes the old one's place by renames, so that whoever looks sees the one or the other, complete.
replace_folder() {
  local new=$1 target=$2
  if [ -e "$target" ]; then
    mv -T "$target" "$work/old"
  fi
  mv -T "$new" "$target"
}

main() {
  case "${1:-}" in
    --recipe-hash) recipe_hash; return ;;
    -h | --help) usage; return ;;
    '' | -*) usage >&2; exit 2 ;;
  esac
  [ $# -eq 1 ] || { usage >&2; exit 2; }
  local out
  out=$(realpath -m -- "$1")
  check_target "$out"
  make_work_folder "$(dirname "$out")"
  need_tools

  phase 'Fetching packages'
  fetch_packages
  phase 'Assembling the root file system'
  assemble_root
  phase 'Preparing the kernel and the initrd'
  prepare_kernel
  pack_initrd
  phase 'Writing the disk image'
  write_base_image
  write_description "$result"
  replace_folder "$result" "$out"
  phase "Done: $(du -sh "$out" | cut -f 1) in $SECONDS s, Linux $kernel_release"
}

main "$@"
