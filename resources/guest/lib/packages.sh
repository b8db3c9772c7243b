# Where the guest's files come from: Debian packages when apt is here, else the running system itself.
# Afterwards $tree is a folder laid out like a root file system that holds them all, and $kernel_tree the kernel's.

# Tools that the build itself needs; what a fresh Debian may lack is taken from packages as well.
build_packages='lz4 zstd kmod'

need_tools() {
  local missing=()
  command -v qemu-img >/dev/null || missing+=('qemu-img (package qemu-utils)')
  command -v mke2fs >/dev/null || [ -x /sbin/mke2fs ] || missing+=('mke2fs (package e2fsprogs)')
  [ ${#missing[@]} -eq 0 ] || fail 'Programs are missing that the build needs:' "${missing[@]}"
  PATH=$PATH:/usr/sbin:/sbin
}

fetch_packages() {
  if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    fetch_from_apt
  else
    use_running_system
  fi
}

apt() { command "$1" -o APT::Sandbox::User=root "${apt_options[@]}" "${@:2}"; }

fetch_from_apt() {
  apt_options=()
  if [ -z "$(first_known $kernel_packages)" ]; then
    fetch_lists
  fi
  local kernel packages
  kernel=$(first_known $kernel_packages)
  [ -n "$kernel" ] || fail "apt knows no kernel package ($kernel_packages)." \
    'Its package lists may be missing or old. Run: sudo apt-get update'
  packages="$(dependencies_of $kernel | grep -E '^linux-(image|modules)-[0-9]') $(with_libraries $guest_packages $build_packages)"
  mkdir "$work/debs"
  (cd "$work/debs" && apt apt-get -q=2 download $(printf '%s\n' $packages | sort -u)) >"$work/apt.log" 2>&1 || fail \
    'The packages could not be fetched.' "$(tail -n 3 "$work/apt.log")" 'Check the network; if the lists are old, run: sudo apt-get update'
  note "$(ls "$work/debs" | wc -l) packages, $(du -sh "$work/debs" | cut -f 1)"
  unpack
}

# Without lists in the system's own place, or without the right to write there, apt works in a folder of our own.
fetch_lists() {
  phase 'Fetching package lists'
  mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial"
  apt_options=(-o "Dir::State=$work/apt/state" -o "Dir::State::status=/var/lib/dpkg/status" -o "Dir::Cache=$work/apt/cache")
  apt apt-get -q=2 update >"$work/apt.log" 2>&1 || fail 'The package lists could not be fetched.' \
    "$(tail -n 3 "$work/apt.log")" 'Check the network, or run: sudo apt-get update'
}

# The first of the packages that can be downloaded, or nothing.
first_known() {
  local package
  for package; do
    if apt apt-cache show "$package" 2>/dev/null | grep '^Filename:' >/dev/null; then # -q would end early, and apt-cache with SIGPIPE
      echo "$package"
      return
    fi
  done
}

dependencies_of() { apt apt-cache depends --important "$@" | sed -n -E 's/^ +\|?(Pre)?Depends: ([^<].*)$/\2/p' | sort -u; }

# The packages and all library packages under them. Programs are not followed: fio would bring Python, debconf Perl.
with_libraries() {
  local known=' ' next="$*" package
  while [ -n "$next" ]; do
    known="$known$next "
    local found
    found=$(dependencies_of $next | grep -E '^(lib|zlib)' || true)
    next=''
    for package in $found; do
      [[ $known == *" $package "* ]] || next="$next$package "
    done
    next=${next% }
  done
  echo $known
}

unpack() {
  local deb
  tree=$work/tree kernel_tree=$work/kernel
  mkdir "$tree" "$kernel_tree"
  for deb in "$work"/debs/*.deb; do
    case ${deb##*/} in
      linux-*) dpkg-deb -x "$deb" "$kernel_tree" ;;
      *) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree" --exclude='./usr/share/*' ;;
    esac
    rm "$deb"
  done
}

# The fallback for systems without apt: their own kernel and programs, where they have them.
use_running_system() {
  tree=${STRATA_GUEST_SYSTEM:-} kernel_tree=$tree
  note "apt is not here: using this system's own kernel and programs"
  local release missing=() program
  release=$(system_kernel_release)
  [ -n "$release" ] || missing+=("a kernel: no readable /boot/vmlinuz-* with its modules in /lib/modules")
  for program in busybox qemu-ga resize2fs; do
    [ -n "$(find_program $program)" ] || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] || fail 'The guest cannot be made from this system. Missing:' "${missing[@]}" \
    'Install them (busybox statically linked), or build the guest on Debian or Ubuntu and copy its folder here.'
}
