#!/usr/bin/env bash
# Makes the certificates of a cluster: a CA of its own, one for each node of a list, and one for each client, with their
# keys, and all of it once more as PKCS #12 bundles.
#
#   setup-certs.sh NODES DIR [CLIENT...]     clients: default "operator"
#
#   NODES    lines "NUMBER HOST [NAME...]", as in nodes.example
#   DAYS     how long certificates of nodes and clients are good for (default 365)
#   CA_DAYS  how long that of the CA is (default 3650)
#
# What is there is kept, so it can be run again when the list has grown. It overwrites nothing: what is there and does not
# agree with the list ends it before anything is made. Files are readable by their owner alone.
set -euo pipefail
umask 077

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
# shellcheck source=scripts/mtls-sidecar/sidecar-lib.sh
source "$HERE/sidecar-lib.sh"

(($# >= 2)) || fail "give the list of nodes and a folder: setup-certs.sh NODES DIR [CLIENT...]"
read_nodes "$1"
readonly DIR=$2
readonly DAYS=${DAYS:-365}
readonly CA_DAYS=${CA_DAYS:-3650}
shift 2
clients=("$@")
((${#clients[@]} > 0)) || clients=(operator)
for client in "${clients[@]}"; do
  [[ $client =~ ^[A-Za-z0-9-]+$ ]] || fail "$client is no name of a client: letters, digits and dashes"
done

# The names of a node as one subjectAltName, or of a client.
names_of_node() {
  local id=$1 name all
  all=DNS:$(node_name "$id")
  for name in ${HOSTS[$id]} ${NAMES[$id]}; do
    if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then all+=,IP:$name; else all+=,DNS:$name; fi
  done
  echo "$all"
}

# As openssl prints it, so that two can be compared.
names_in() {
  openssl x509 -in "$1" -noout -ext subjectAltName | tail -n +2 | tr -d ' ' | sed 's/IPAddress:/IP:/g'
}

# An address of version 6 has more than one spelling, of which a certificate keeps none.
as_printed() {
  if [[ $1 != *::* && $1 != *IP:*:* ]]; then
    echo "$1"
    return
  fi
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -addext "subjectAltName=$1" \
    -keyout /dev/null -out "$WORK/names.crt" 2>/dev/null || fail "the names $1 cannot be put into a certificate"
  names_in "$WORK/names.crt"
}

# Whether a pair is there; half of one, one of another CA or with other names is not passed over.
has_pair() {
  local name=$1 names=$2
  if [[ ! -e $DIR/$name.crt && ! -e $DIR/$name.key ]]; then return 1; fi
  [[ -e $DIR/$name.crt && -e $DIR/$name.key ]] || fail "of $DIR/$name.crt and $name.key one is missing; remove the other, or bring it back"
  openssl verify -no_check_time -CAfile "$DIR/ca.crt" "$DIR/$name.crt" >/dev/null 2>&1 ||
    fail "$DIR/$name.crt is not signed by $DIR/ca.crt; move it away if it is to be made anew"
  [[ $(names_in "$DIR/$name.crt") == "$(as_printed "$names")" ]] ||
    fail "$DIR/$name.crt is for $(names_in "$DIR/$name.crt"), and the list says $names; move it and its key away if it is to be made anew"
  openssl x509 -in "$DIR/$name.crt" -noout -checkend 0 >/dev/null || fail "$DIR/$name.crt has expired; move it and its key away to make another"
}

make_authority() {
  cat >"$WORK/ca.conf" <<CONF
[req]
distinguished_name = subject
x509_extensions = authority
prompt = no
[subject]
CN = kayadb CA
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
CONF
  openssl req -x509 -config "$WORK/ca.conf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$CA_DAYS" \
    -keyout "$WORK/ca.key" -out "$WORK/ca.crt" 2>/dev/null
  publish ca
}

# A pair called $1 for the names $2 and the purpose $3.
make_pair() {
  cat >"$WORK/leaf.conf" <<CONF
subjectAltName = $2
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = $3
CONF
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=kayadb $1" -keyout "$WORK/$1.key" -out "$WORK/$1.csr" 2>/dev/null
  openssl x509 -req -in "$WORK/$1.csr" -CA "$DIR/ca.crt" -CAkey "$DIR/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -days "$DAYS" -extfile "$WORK/leaf.conf" -out "$WORK/$1.crt" 2>/dev/null
  publish "$1"
}

publish() {
  mv -n "$WORK/$1.key" "$DIR/$1.key"
  mv -n "$WORK/$1.crt" "$DIR/$1.crt"
}

make_bundle() {
  [[ ! -e $DIR/$1.p12 ]] || return 0
  openssl pkcs12 -export -in "$DIR/$1.crt" -inkey "$DIR/$1.key" -certfile "$DIR/ca.crt" -name "kayadb $1" \
    -passout "file:$DIR/p12-password" -out "$WORK/$1.p12"
  mv -n "$WORK/$1.p12" "$DIR/$1.p12"
}

command -v openssl >/dev/null || fail 'openssl is not installed'
mkdir -p "$DIR"
WORK=$(mktemp -d "$DIR/.new.XXXXXX")
readonly WORK
trap 'rm -rf "$WORK"' EXIT

missing=()
purposes=()
kept=0
if [[ -e $DIR/ca.crt ]]; then
  kept=$((kept + 1))
elif compgen -G "$DIR/*.crt" >/dev/null || [[ -e $DIR/ca.key ]]; then
  fail "$DIR has keys or certificates and no ca.crt: bring it back, or name an empty folder"
fi
want() {
  if [[ -e $DIR/ca.crt ]] && has_pair "$1" "$2"; then
    kept=$((kept + 1))
  else
    missing+=("$1")
    purposes+=("$2 $3")
  fi
}
for id in "${NODE_IDS[@]}"; do want "node-$id" "$(names_of_node "$id")" serverAuth,clientAuth; done
for client in "${clients[@]}"; do want "client-$client" "DNS:$(client_name "$client")" clientAuth; done
if [[ -e $DIR/ca.crt ]] && ((${#missing[@]} > 0)) && [[ ! -e $DIR/ca.key ]]; then
  fail "$DIR/ca.key is needed to sign ${missing[*]}, and is not there"
fi

made=()
if [[ ! -e $DIR/ca.crt ]]; then
  make_authority
  made+=(ca)
fi
if [[ ! -e $DIR/p12-password ]]; then openssl rand -hex 24 >"$DIR/p12-password"; fi
for at in "${!missing[@]}"; do
  make_pair "${missing[$at]}" "${purposes[$at]% *}" "${purposes[$at]##* }"
  made+=("${missing[$at]}")
done
for id in "${NODE_IDS[@]}"; do make_bundle "node-$id"; done
for client in "${clients[@]}"; do make_bundle "client-$client"; done

echo "made in $DIR: ${made[*]:-nothing}; kept: $kept"
echo "Keep $DIR/ca.key away from the nodes: whoever has it can make a node of the cluster."
