#!/bin/sh
# What the container runs: the server, which takes this process over and gets its signals.
#
# A container that was killed leaves the lock of its data directory behind, and its next life, which has a process namespace of its own, cannot
# see that the owner has ended. The kernel can: it holds a lock on IN-USE for as long as the process lives, so whoever gets that lock
# knows that no container of this kernel has the volume. Locks of other hosts are left to an operator.
set -eu

data=${KAYA_DATA:-/var/lib/kayadb/node}
guard=$(dirname "$data")/IN-USE

exec 9>"$guard"
if ! flock --nonblock 9; then
  echo "ERROR: another container has $data open" >&2
  echo "HINT: Stop it first, or give this one a volume of its own." >&2
  exit 6
fi

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$2"; }
for lock in "$data"/LOCK "$data"/groups/*/store-*/LOCK; do
  [ -f "$lock" ] || continue
  [ "$(field host "$lock")" = "$(cat /proc/sys/kernel/hostname)" ] || continue
  /opt/kayadb/apps/kayactl/bin/kayactl.js --data "$(dirname "$lock")" unlock --token "$(field token "$lock")" >&2 || true
done

exec node /opt/kayadb/apps/kayadb-server/bin/kayadb-server.js "$@"
