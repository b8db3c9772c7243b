# Progress, failure, and the working folder.

phase() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }

fail() {
  printf 'build.sh: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# A failed command ends the build through `set -e`; this says which, and names the commonest reason when it is that one.
explain_failure() {
  local status=$1 line=$2 command=$3 free_kib
  # The trap fires again in every caller; the first one knows best.
  [ ! -e "$work/explained" ] || return 0
  : 2>/dev/null >"$work/explained" || true
  free_kib=$(df --output=avail -k "$work" 2>/dev/null | tail -n 1 || echo 1000000)
  if [ "${free_kib:-1000000}" -lt 4096 ]; then
    printf 'build.sh: The disk is full: nothing is left in %s.\n' "$(dirname "$work")" >&2
    printf '  %s\n' "The build needs about ${space_needed_mib} MiB there. Free some space and run it again; nothing was changed." >&2
  else
    printf 'build.sh: Failed (exit code %s) in line %s: %s\n' "$status" "$line" "$command" >&2
  fi
}

# What the build takes at its peak, measured.
space_needed_mib=700

# Refuses to replace a folder that this recipe did not make.
check_target() {
  local out=$1
  [ "$out" != / ] || fail 'OUT_DIR may not be the root folder.'
  [ -d "$out" ] || [ ! -e "$out" ] || fail "$out exists and is not a folder."
  if [ -d "$out" ] && [ ! -e "$out/guest.json" ] && [ -n "$(ls -A "$out")" ]; then
    fail "$out holds other files. Name a new or empty folder, or one that holds a guest."
  fi
}

# The working folder lies beside the target, so that the result gets there by a rename. It goes away whatever happens.
make_work_folder() {
  local parent=$1 free_mib
  mkdir -p -- "$parent" 2>/dev/null || fail "$parent cannot be made." 'Name a folder that you may write to.'
  [ -w "$parent" ] || fail "$parent is not writable." 'Name a folder that you may write to.'
  free_mib=$(df --output=avail -m "$parent" | tail -n 1 | tr -d ' ')
  [ "$free_mib" -ge "$space_needed_mib" ] ||
    fail "Too little space in $parent: $free_mib MiB are free, the build needs about $space_needed_mib MiB." 'Nothing was changed.'
  work=$(mktemp -d -- "$parent/.guest-build.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  set -E
  trap 'explain_failure $? $LINENO "$BASH_COMMAND"; exit 1' ERR
  result=$work/result
  chmod 755 "$work"
  mkdir "$result"
}
