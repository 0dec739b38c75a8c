#!/usr/bin/env bash
# Starts a cluster of three nodes on this machine, for trying things out, and waits until it serves. Of a cluster that
# runs in part, it starts the rest.
#
#   CLUSTER_DIR   where data, logs and process ids are kept (default ./cluster); started again, the nodes go on with it
#   CLIENT_PORT   port of node 1 for clients; the others take the next ones (default 7379)
#   RAFT_PORT     the same for nodes (default 7481)
#   METRICS_PORT  the same for health, metrics and status over HTTP (default 9090)
#   TLS_DIR       where ca.crt, node-1.crt, node-1.key and so on are, as docs/operating/tls.md makes them: the nodes speak TLS
#
# Further arguments are flags for each node, such as --log-level debug. stop-cluster.sh stops it.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
# shellcheck source=scripts/cluster-lib.sh
source "$ROOT/scripts/cluster-lib.sh"

readonly SERVER=$ROOT/apps/kayadb-server/bin/kayadb-server.js
readonly CLIENT_PORT=${CLIENT_PORT:-7379}
readonly RAFT_PORT=${RAFT_PORT:-7481}
readonly METRICS_PORT=${METRICS_PORT:-9090}
readonly TLS_DIR=${TLS_DIR:-}
readonly WAIT_SECONDS=60

client_address() { echo "127.0.0.1:$((CLIENT_PORT + $1 - 1))"; }
raft_address() { echo "127.0.0.1:$((RAFT_PORT + $1 - 1))"; }
metrics_address() { echo "127.0.0.1:$((METRICS_PORT + $1 - 1))"; }

start_node() {
  local node=$1 folder=$CLUSTER_DIR/node-$1 flags=() peer
  shift
  for peer in "${NODES[@]}"; do
    flags+=(--peer "$peer=$(raft_address "$peer"),$(client_address "$peer")")
  done
  if [[ -n $TLS_DIR ]]; then
    flags+=(--tls-cert "$TLS_DIR/node-$node.crt" --tls-key "$TLS_DIR/node-$node.key" --tls-ca "$TLS_DIR/ca.crt")
  fi
  mkdir -p "$folder"
  # Here and not by the process, which may come to it when wait_for has already read what the one before had said.
  : >"$folder/output"
  node "$SERVER" --node-id "$node" --data "$folder/data" "${flags[@]}" \
    --raft-addr "$(raft_address "$node")" --client-addr "$(client_address "$node")" \
    --metrics-addr "$(metrics_address "$node")" "$@" </dev/null >>"$folder/output" 2>>"$folder/log" &
  echo $! >"$folder/pid"
}

# A node that is ready says so; one that has ended has said why at the end of its log.
wait_for() {
  local node=$1 folder=$CLUSTER_DIR/node-$1 deadline=$((SECONDS + WAIT_SECONDS)) pid
  pid=$(cat "$folder/pid")
  until grep -q ' is ready\.$' "$folder/output"; do
    if ! kill -0 "$pid" 2>/dev/null; then
      echo "node $node has ended:" >&2
      tail -n 2 "$folder/log" >&2
      return 1
    fi
    if ((SECONDS >= deadline)); then
      echo "node $node is not ready after $WAIT_SECONDS s; see $folder/log" >&2
      return 1
    fi
    sleep 0.1
  done
}

starting=()
for node in "${NODES[@]}"; do
  if ! running_pid "$node" >/dev/null; then starting+=("$node"); fi
done
if ((${#starting[@]} == 0)); then
  fail "the cluster in $CLUSTER_DIR runs already; stop-cluster.sh stops it, and CLUSTER_DIR with other ports starts another one"
fi

if [[ ! -f $ROOT/apps/kayadb-server/dist/main.js ]]; then
  (cd "$ROOT" && corepack pnpm -s build >&2)
fi
for node in "${starting[@]}"; do start_node "$node" "$@"; done
for node in "${starting[@]}"; do
  if ! wait_for "$node"; then
    # What ran before goes on.
    for other in "${starting[@]}"; do
      if pid=$(running_pid "$other"); then kill -TERM "$pid" 2>/dev/null || true; fi
    done
    fail "node $node of the cluster in $CLUSTER_DIR could not be started, and the nodes that were started with it are stopped again"
  fi
done

echo "A cluster of ${#NODES[@]} nodes is ready."
echo
servers=
scheme=http
if [[ -n $TLS_DIR ]]; then
  servers=" --tls-ca $(quoted "$TLS_DIR/ca.crt")"
  scheme=https
fi
for node in "${NODES[@]}"; do
  echo "  node $node   clients $(client_address "$node")   reports $scheme://$(metrics_address "$node")/v1/status   process $(running_pid "$node")"
  servers+=" --server $(client_address "$node")"
done
echo "  data and logs are in $CLUSTER_DIR"
echo
echo "What to type next:"
echo "  corepack pnpm -s kayactl$servers put hello world"
echo "  corepack pnpm -s kayactl$servers get hello"
echo "  corepack pnpm -s kayactl$servers status"
echo "  kill -9 $(running_pid 1)                 node 1 dies, and the others go on; this script starts it again"
echo "  CLUSTER_DIR=$(quoted "$CLUSTER_DIR") $(quoted "$ROOT/scripts/stop-cluster.sh")"
