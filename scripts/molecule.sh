#!/usr/bin/env bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule.sh [molecule command and options]: the Molecule scenario on doubles, `molecule test` by default. Molecule itself runs where
# the control node of the lab stands, so it meets the lab's servers under their real names.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
[ $# -gt 0 ] || set -- test
[ "$(id -u)" = 0 ] || die "needs root: make molecule"

export PATH="$ROOT/.venv/bin:$ROOT/.cache/bin:$PATH"
name=mol$$
folder=$ROOT/.build/molecule
rm -rf "$folder"
mkdir -p "$folder"
double=
cleanup() {
  cd "$ROOT"
  if [ -n "$double" ]; then
    kill "$double" 2>/dev/null || true
    wait "$double" 2>/dev/null || true
  fi
  PYTHONPATH=tests .venv/bin/python -m lab down --name "$name" >/dev/null || true
}
trap cleanup EXIT

hosts=extensions/molecule/default/hosts.yml
names=$(.venv/bin/python -c 'import sys, yaml; print(",".join(yaml.safe_load(open(sys.argv[1]))["hosts"]))' "$hosts")
PYTHONPATH=tests .venv/bin/python -m lab up --name "$name" --site "ankara:$names" >"$folder/lab.log"

PYTHONPATH=tests .venv/bin/python -m windows_double serve --hosts "$hosts" --lab "$name" --netns "edr-$name-ctl" \
  --folder "$folder/double" --inventory "$folder/inventory.yml" >"$folder/double.log" 2>&1 </dev/null &
double=$!
for _ in $(seq 300); do
  grep -q '"hosts"' "$folder/double.log" && break
  kill -0 "$double" 2>/dev/null || { cat "$folder/double.log" >&2; die "the doubles did not come up"; }
  sleep 0.1
done

export EDEFTER_ROOT=$ROOT EDEFTER_MOLECULE_FOLDER=$folder EDEFTER_MOLECULE_INVENTORY=$folder/inventory.yml
export NO_COLOR=1 ANSIBLE_NOCOLOR=1 PY_COLORS=0 ANSIBLE_FORCE_COLOR=0
export MOLECULE_EPHEMERAL_DIRECTORY=$folder/ephemeral ANSIBLE_HOME=$folder/ansible
cd extensions
ip netns exec "edr-$name-ctl" molecule "$@" </dev/null
