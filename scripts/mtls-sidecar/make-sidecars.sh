#!/usr/bin/env bash
# Makes, from one list of nodes, what puts a tunnel with TLS on both sides before every port of plain nodes: for each machine a
# configuration of stunnel, the same for ghostunnel, and the settings of its node.
#
#   make-sidecars.sh NODES DIR
#
#   NODES    lines "NUMBER HOST [NAME...]", as in nodes.example, the same as for setup-certs.sh
#   TLS_DIR  where the certificates are on the machines (default /etc/kayadb/mtls)
#   LISTEN   where the tunnels listen for others (default: the host of the node in the list)
#   CLIENT   whose certificate the tunnels of clients show (default operator)
#
# What it makes is made anew each time.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
# shellcheck source=scripts/mtls-sidecar/sidecar-lib.sh
source "$HERE/sidecar-lib.sh"

(($# == 2)) || fail "give the list of nodes and a folder: make-sidecars.sh NODES DIR"
read_nodes "$1"
readonly DIR=$2
readonly TLS_DIR=${TLS_DIR:-/etc/kayadb/mtls}
readonly LISTEN=${LISTEN:-}
readonly CLIENT=${CLIENT:-operator}

# Ports of a plain node, on loopback, and of the tunnels that lead to them from outside.
declare -A PLAIN=([clients]=7379 [nodes]=7481 [reports]=9090)
declare -A OUTSIDE=([clients]=17379 [nodes]=17481 [reports]=19090)
# On loopback of every machine, the way to node N is this and N.
declare -A WAY_TO=([clients]=27000 [nodes]=28000 [reports]=29000)
readonly PORTS=(clients nodes reports)

# Of a lone node nobody has to reach the port for nodes.
doors_of() {
  local port
  for port in "${PORTS[@]}"; do if [[ $port != nodes || -n $(others_of "$1") ]]; then echo "$port"; fi; done
}

# An address of version 6 is written in brackets before a port, except for stunnel.
in_brackets() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

others_of() {
  local id
  for id in "${NODE_IDS[@]}"; do if [[ $id != "$1" ]]; then echo "$id"; fi; done
}

# What every stunnel has; $1 is whose certificate it shows.
stunnel_head() {
  cat <<CONF
; Made by make-sidecars.sh: change the list of nodes, and make it anew.
foreground = yes
pid =
syslog = no
debug = notice
; Names are looked up for each connection, so that a node may be started before the others are known.
delay = yes
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
TIMEOUTconnect = 5
TIMEOUTclose = 0
sslVersionMin = TLSv1.3
; Each connection shows its certificate anew.
sessionResume = no
verifyChain = yes
CAfile = $TLS_DIR/ca.crt
cert = $TLS_DIR/$1.crt
key = $TLS_DIR/$1.key
CONF
}

# A tunnel that leads from outside to a port of this node. That for nodes lets nobody in but the others.
stunnel_door() {
  local id=$1 port=$2 other
  cat <<CONF

[$port]
accept = ${LISTEN:-${HOSTS[$id]}}:${OUTSIDE[$port]}
connect = 127.0.0.1:${PLAIN[$port]}
CONF
  if [[ $port == nodes ]]; then
    for other in $(others_of "$id"); do echo "checkHost = $(node_name "$other")"; done
  fi
}

# A tunnel from loopback to a port of node $1.
stunnel_way() {
  local id=$1 port=$2
  cat <<CONF

[$port-of-node-$id]
client = yes
accept = 127.0.0.1:$((${WAY_TO[$port]} + id))
connect = ${HOSTS[$id]}:${OUTSIDE[$port]}
checkHost = $(node_name "$id")
CONF
}

ghostunnel_door() {
  local id=$1 port=$2 other who=
  if [[ $port == nodes ]]; then
    for other in $(others_of "$id"); do who+=" --allow-dns $(node_name "$other")"; done
  else
    who=' --allow-all'
  fi
  ghostunnel "node-$id" "server --listen $(in_brackets "${LISTEN:-${HOSTS[$id]}}"):${OUTSIDE[$port]} --target 127.0.0.1:${PLAIN[$port]}$who"
}

ghostunnel_way() {
  local id=$1 port=$2 shown=$3
  ghostunnel "$shown" "client --listen 127.0.0.1:$((${WAY_TO[$port]} + id)) --target $(in_brackets "${HOSTS[$id]}"):${OUTSIDE[$port]}$(
    echo " --override-server-name $(node_name "$id") --verify-dns $(node_name "$id") --skip-resolve"
  )"
}

# One process has one tunnel; the file is what kayadb-ghostunnel@.service starts it with.
ghostunnel() {
  echo "GHOSTUNNEL_ARGS=$2 --cert $TLS_DIR/$1.crt --key $TLS_DIR/$1.key --cacert $TLS_DIR/ca.crt --timed-reload 60s --quiet conns"
}

# Settings of a plain node behind its tunnels. On every machine, node N is at the same address of loopback.
node_settings() {
  local id=$1 other peers=()
  for other in $(others_of "$id"); do
    peers+=("$other=127.0.0.1:$((${WAY_TO[nodes]} + other)),127.0.0.1:$((${WAY_TO[clients]} + other))")
  done
  cat <<ENV
KAYA_NODE_ID=$id
KAYA_CLIENT_ADDR=127.0.0.1:${PLAIN[clients]}
KAYA_RAFT_ADDR=127.0.0.1:${PLAIN[nodes]}
KAYA_METRICS_ADDR=127.0.0.1:${PLAIN[reports]}
KAYA_ADVERTISE_CLIENT_ADDR=127.0.0.1:$((${WAY_TO[clients]} + id))
KAYA_ADVERTISE_RAFT_ADDR=127.0.0.1:$((${WAY_TO[nodes]} + id))
ENV
  if ((${#peers[@]} > 0)); then echo "KAYA_PEER=\"${peers[*]}\""; fi
}

for id in "${NODE_IDS[@]}"; do
  at=$DIR/node-$id
  rm -rf "$at/ghostunnel"
  mkdir -p "$at/ghostunnel"
  {
    stunnel_head "node-$id"
    for port in $(doors_of "$id"); do stunnel_door "$id" "$port"; done
    for other in $(others_of "$id"); do stunnel_way "$other" nodes; done
  } >"$at/stunnel.conf"
  for port in $(doors_of "$id"); do ghostunnel_door "$id" "$port" >"$at/ghostunnel/$port.env"; done
  for other in $(others_of "$id"); do ghostunnel_way "$other" nodes "node-$id" >"$at/ghostunnel/nodes-of-node-$other.env"; done
  node_settings "$id" >"$at/kayadb.env"
done

at=$DIR/client
rm -rf "$at/ghostunnel"
mkdir -p "$at/ghostunnel"
{
  stunnel_head "client-$CLIENT"
  for id in "${NODE_IDS[@]}"; do for port in clients reports; do stunnel_way "$id" "$port"; done; done
} >"$at/stunnel.conf"
for id in "${NODE_IDS[@]}"; do
  for port in clients reports; do ghostunnel_way "$id" "$port" "client-$CLIENT" >"$at/ghostunnel/$port-of-node-$id.env"; done
done

servers=
for id in "${NODE_IDS[@]}"; do servers+=" --server 127.0.0.1:$((${WAY_TO[clients]} + id))"; done
echo "made in $DIR for nodes ${NODE_IDS[*]}"
echo "Through the tunnels of a client: kayactl$servers members"
