# What setup-certs.sh and make-sidecars.sh share: the list of nodes, and what they are called in their certificates.
# shellcheck shell=bash

# The number of each node, in the order of the list, and by number where others reach it and its further names.
NODE_IDS=()
declare -A HOSTS NAMES

fail() {
  echo "ERROR: $1" >&2
  exit 1
}

# Reads lines "NUMBER HOST [NAME...]"; what follows a # is for people.
read_nodes() {
  local line id host rest
  [[ -r $1 ]] || fail "the list of nodes $1 cannot be read"
  while read -r line; do
    line=${line%%#*}
    read -r id host rest <<<"$line"
    [[ -n $id ]] || continue
    [[ $id =~ ^[1-9][0-9]{0,2}$ ]] || fail "$1: $id is no number of a node from 1 to 999"
    [[ -n $host ]] || fail "$1: node $id has no host"
    [[ -z ${HOSTS[$id]:-} ]] || fail "$1: node $id is there twice"
    [[ "$host $rest" =~ ^[A-Za-z0-9.:\ -]*$ ]] || fail "$1: node $id has a name that is neither an address nor a DNS name"
    NODE_IDS+=("$id")
    HOSTS[$id]=$host
    # shellcheck disable=SC2034
    NAMES[$id]=$rest
  done <"$1"
  ((${#NODE_IDS[@]} > 0)) || fail "$1 names no node"
}

# By which a tunnel knows the other side, wherever it is.
node_name() { echo "node-$1.kayadb.internal"; }
client_name() { echo "$1.client.kayadb.internal"; }
