# What start-cluster.sh and stop-cluster.sh share: which nodes there are, and which of them run.
# shellcheck shell=bash

# shellcheck disable=SC2034
readonly NODES=(1 2 3)
CLUSTER_DIR=${CLUSTER_DIR:-cluster}
# The path as a node is started with, whatever folder the scripts are called from.
case $CLUSTER_DIR in
  /*) ;;
  *) CLUSTER_DIR=$PWD/$CLUSTER_DIR ;;
esac
readonly CLUSTER_DIR

fail() {
  echo "ERROR: $1" >&2
  exit 1
}

# As it has to be typed, spaces and all.
quoted() { printf '%q' "$1"; }

command_line_of() {
  if [[ -d /proc/self ]]; then
    tr '\0' ' ' <"/proc/$1/cmdline"
  else
    ps -p "$1" -o args=
  fi 2>/dev/null
}

# Prints the process of a node, if it runs. The id alone may be another program's by now.
running_pid() {
  local pid
  pid=$(cat "$CLUSTER_DIR/node-$1/pid" 2>/dev/null) || return 1
  command_line_of "$pid" | grep -qF -- "--data $CLUSTER_DIR/node-$1/data " || return 1
  echo "$pid"
}
