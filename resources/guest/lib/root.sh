# The root file system, as a folder.

# Programs beside busybox.
programs='qemu-ga fio dropbear dropbearkey dbclient mke2fs e2fsck resize2fs tune2fs dumpe2fs debugfs'
# For disks that several machines write to at once.
programs="$programs mkfs.ocfs2 fsck.ocfs2 mount.ocfs2 ocfs2_hb_ctl o2cb"

assemble_root() {
  local name
  root=$work/root
  mkdir -p "$root"/{dev,proc,sys,run,tmp,mnt,root,var/log,var/tmp,etc/dropbear,usr/local/bin} "$root"/usr/{bin,sbin,lib,lib64}
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  # Debian's loader looks for libraries in a folder of the architecture's name, others do not: one folder under all names.
  rmdir "$root/usr/lib64"
  ln -s lib "$root/usr/lib64"
  ln -s . "$root/usr/lib/x86_64-linux-gnu"
  cp -R "$here/rootfs/." "$root/"
  chmod 1777 "$root/tmp" "$root/var/tmp"
  chmod 700 "$root/root"
  chmod 600 "$root/etc/shadow"
  ln -s ../run/resolv.conf "$root/etc/resolv.conf"
  ln -s /proc/mounts "$root/etc/mtab"
  ln -s ../run "$root/var/run"
  install_busybox
  for name in $programs; do install_program "$name"; done
  for name in 2 3 4; do
    ln -s mke2fs "$root/usr/sbin/mkfs.ext$name"
    ln -s e2fsck "$root/usr/sbin/fsck.ext$name"
  done
  if [ -e "$tree/etc/mke2fs.conf" ]; then cp "$tree/etc/mke2fs.conf" "$root/etc/"; fi
}

install_busybox() {
  local busybox link
  busybox=$(find_program busybox)
  cp -L "$busybox" "$root/bin/busybox"
  "$root/bin/busybox" --list-full | while read -r link; do
    case ${link##*/} in busybox | dpkg* | rpm* | mke2fs | linuxrc) continue ;; esac
    link=$root/${link#usr/}
    [ -d "${link%/*}" ] || link=$root/bin/${link##*/}
    [ -e "$link" ] || ln -s /bin/busybox "$link"
  done
}

# Copies a program and the libraries it needs. The guest works without any of them but the agent and resize2fs.
install_program() {
  local file library
  file=$(find_program "$1")
  if [ -z "$file" ]; then
    note "left out, for it is not here: $1"
    return
  fi
  cp -L "$file" "$root/usr/sbin/"
  libraries_of "$file" | while read -r library; do
    [ -e "$root/usr/lib/${library##*/}" ] || cp -L "$library" "$root/usr/lib/"
  done
}

find_program() {
  local folder file
  for folder in usr/sbin usr/bin sbin bin usr/local/sbin usr/local/bin; do
    file=$tree/$folder/$1
    # An absolute link inside the tree means a file of the tree.
    while [ -L "$file" ]; do
      case $(readlink "$file") in
        /*) file=$tree$(readlink "$file") ;;
        *) file=${file%/*}/$(readlink "$file") ;;
      esac
    done
    if [ -x "$file" ]; then
      echo "$file"
      return
    fi
  done
}

# The files of the libraries, found among the tree's by the tree's own loader.
libraries_of() {
  local list
  if [ -z "$tree" ]; then
    list=$(ldd "$1")
  else
    list=$(load --list "$1")
  fi
  if grep -q 'not found' <<<"$list"; then
    fail "$1 needs libraries that are not here:" "$(grep 'not found' <<<"$list")"
  fi
  grep -oE '/[^ ]*\.so[^ ]*' <<<"$list" | sort -u
}

# Runs a program of the tree with the tree's libraries, whatever this system has.
load() {
  library_path=${library_path:-$(find "$tree"/lib/x86_64-linux-gnu "$tree"/usr/lib -name '*.so*' ! -path '*/gconv/*' -printf '%h\n' | sort -u | paste -s -d :)}
  "$tree/lib64/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$library_path" "$@"
}

# Runs a program of this system, or of the tree where this system has none.
tool() {
  if command -v "$1" >/dev/null; then
    command "$@"
  else
    load --argv0 "$1" "$(find_program "$1")" "${@:2}"
  fi
}
