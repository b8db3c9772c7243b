#!/bin/sh
# check.sh BIN: unit tests, then a service of that build with honest and hostile clients at once. Leaves nothing behind.
set -eu
bin=$(realpath "$1")
folder=$(mktemp -d)
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1

fail() {
  echo "check: $1" >&2
  grep -v 'is not served' "$folder/run/service.log" | tail -60 >&2 || true
  exit 1
}
leave() {
  cd "$folder"
  "$bin/service" stop >"$folder/stop.out" 2>&1 || true
  cd /
  rm -rf "$folder"
}
trap leave EXIT

"$bin/unit"
timeout 120 "$bin/wakeups" 30000 || fail 'a wake-up was lost'

cd "$folder"
dd if=/dev/urandom of=disk1.img bs=1M count=8 2>/dev/null

round() {
  "$bin/service" start --idle 60 "$@" >/dev/null || fail "the service does not start $*"
  hostile=
  for what in scribble overrun nonsense silent leave lock lines memory; do
    "$bin/hostile" "$what" "${HOSTILE_SECONDS:-4}" &
    hostile="$hostile $!"
  done
  honest=
  for threads in 1 8 40; do
    timeout 120 "$bin/client" "$threads" 3000 >/dev/null &
    honest="$honest $!"
  done
  for pid in $honest; do wait "$pid" || fail 'an honest client failed'; done
  for pid in $hostile; do wait "$pid" || fail 'a hostile client crashed, which proves nothing'; done
  count=0
  for sectors in sectors.*; do
    "$bin/tool_for_integrity" disk1.img "$sectors" "read.${sectors#sectors.}" >/dev/null || fail "$sectors differs"
    count=$((count + 1))
    rm "$sectors" "read.${sectors#sectors.}"
  done
  [ "$count" = 3 ] || fail "$count files instead of 3"
  "$bin/service" stop >/dev/null || fail 'the service does not stop, or has crashed'
  ! grep -E 'ERROR|WARNING|runtime error' run/service.log >&2 || fail 'a sanitizer has something to say'
  [ ! -e run/clients ] && [ ! -e run/service.pid ] || fail 'files are left'
}
round
round --io events
round --io threads
round --spin 0
