#!/usr/bin/env bash
# Makes a folder with both programs and nothing that they do not need, out of a clone: it can be moved, and copied to machines of
# the same architecture that have Node.js of the same version. Dependencies are those of the lockfile.
#
#   make-folder.sh DIR      such as /opt/kayadb
set -euo pipefail

fail() {
  echo "ERROR: $1" >&2
  exit 1
}

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly ROOT
readonly PROGRAMS=(kayadb-server kayactl)

(($# == 1)) || fail 'give a folder: make-folder.sh DIR'
[[ ! -e $1 || -z $(ls -A "$1") ]] || fail "$1 is not empty"
mkdir -p "$1"
DIR=$(cd "$1" && pwd)
readonly DIR

selected=()
built=()
for program in "${PROGRAMS[@]}"; do
  selected+=(--filter-prod "@kayadb/$program...")
  built+=("--filter=@kayadb/$program")
done
cd "$ROOT"
corepack pnpm --silent run build "${built[@]}" --output-logs=errors-only >&2

corepack pnpm --silent "${selected[@]}" ls --recursive --depth -1 --parseable | while read -r package; do
  mkdir -p "$DIR/${package#"$ROOT"/}"
  for part in package.json bin dist; do
    if [[ -e $package/$part ]]; then cp -R "$package/$part" "$DIR/${package#"$ROOT"/}/"; fi
  done
done
find "$DIR" \( -name '*.map' -o -name '*.d.ts' -o -name '*.tsbuildinfo' \) -delete
cp package.json pnpm-workspace.yaml pnpm-lock.yaml LICENSE "$DIR"

# Copied, not linked: whoever owns the folder later does not own the store of pnpm.
(cd "$DIR" && corepack pnpm install --prod --frozen-lockfile --prefer-offline --config.package-import-method=copy "${selected[@]}" >&2)
for program in "${PROGRAMS[@]}"; do node "$DIR/apps/$program/bin/$program.js" --version; done
