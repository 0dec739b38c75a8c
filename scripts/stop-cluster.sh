#!/usr/bin/env bash
# Stops the cluster that start-cluster.sh has started in CLUSTER_DIR (default ./cluster), and waits until it has ended.
# Data and logs stay: started again, the nodes go on with them.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
# shellcheck source=scripts/cluster-lib.sh
source "$ROOT/scripts/cluster-lib.sh"

readonly WAIT_SECONDS=30

stopping=()
for node in "${NODES[@]}"; do
  if pid=$(running_pid "$node"); then
    kill -TERM "$pid" 2>/dev/null || true
    stopping+=("$node")
  fi
done

deadline=$((SECONDS + WAIT_SECONDS))
for node in ${stopping[@]+"${stopping[@]}"}; do
  while pid=$(running_pid "$node"); do
    if ((SECONDS >= deadline)); then
      fail "node $node, process $pid, has not ended within $WAIT_SECONDS s; see $CLUSTER_DIR/node-$node/log"
    fi
    sleep 0.1
  done
done
for node in "${NODES[@]}"; do rm -f "$CLUSTER_DIR/node-$node/pid"; done
echo "stopped ${#stopping[@]} nodes of $CLUSTER_DIR"
