#!/usr/bin/env bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# demo.sh up [ansible-playbook options] | down: two firms in the network lab, with eight Windows doubles (demo/hosts.yml), and
# playbooks/edefter_ready.yml on them. The machines stay up, so that a second run shows that nothing is left to do.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
[ "$(id -u)" = 0 ] || die "needs root: make demo"

lab=demo
folder=$ROOT/.build/demo
hosts=scripts/demo/hosts.yml
export PATH="$ROOT/.venv/bin:$ROOT/.cache/bin:$PATH"
in_tests() { PYTHONPATH=tests .venv/bin/python -m "$@"; }

# The doubles that an earlier run left up: a live process of ours, not just a number that was.
double_runs() {
  local pid
  pid=$(cat "$folder/double.pid" 2>/dev/null) && grep -qz windows_double "/proc/$pid/cmdline" 2>/dev/null
}

down() {
  local pid
  if double_runs; then
    pid=$(cat "$folder/double.pid")
    kill "$pid"
    for _ in $(seq 100); do
      [ -e "/proc/$pid" ] || break
      sleep 0.1
    done
  fi
  rm -f "$folder/double.pid"
  in_tests lab down --name "$lab" >/dev/null
}

branch() { sed -n "s/^  \($1-[a-z0-9]*\):.*/\1/p" "$hosts" | paste -sd,; }

bring_up() {
  say "bringing up the lab and eight Windows doubles"
  rm -rf "$folder"
  mkdir -p "$folder/inventory"
  cp scripts/demo/groups.yml "$folder/inventory/groups.yml"
  in_tests lab up --name "$lab" --site "ankara:$(branch yildiz)" --site "izmir:$(branch kaya)" >"$folder/lab.log"
  in_tests lab fault --name "$lab" tcp_drop --site izmir --port 4443 >>"$folder/lab.log"
  PYTHONPATH=tests setsid nohup .venv/bin/python -m windows_double serve --hosts "$hosts" --lab "$lab" --netns "edr-$lab-ctl" \
    --folder "$folder/double" --inventory "$folder/inventory/doubles.yml" >"$folder/double.log" 2>&1 </dev/null &
  echo $! >"$folder/double.pid"
  for _ in $(seq 300); do
    grep -q '^{"hosts"' "$folder/double.log" && return
    double_runs || { cat "$folder/double.log" >&2; die "the doubles did not come up"; }
    sleep 0.1
  done
  die "the doubles took longer than 30 s: $folder/double.log"
}

case ${1:-up} in
  down) down ;;
  up)
    shift || true
    if ! double_runs; then
      down 2>/dev/null || true
      bring_up
    fi
    say "ansible-playbook playbooks/edefter_ready.yml $*"
    code=0
    ip netns exec "edr-$lab-ctl" env ANSIBLE_HOME="$folder/ansible" ansible-playbook -i "$folder/inventory" \
      -e "edefter_reports_dir=$ROOT/reports/demo" playbooks/edefter_ready.yml "$@" </dev/null || code=$?
    case $code in
      0) say "every host is ready" ;;
      2 | 4) say "ansible-playbook ended with $code, as it should: not every host is ready (the summary above says why)" ;;
      *) die "ansible-playbook failed with $code" ;;
    esac
    say "the machines stay up: 'make demo' again changes nothing, 'make demo-down' takes them down"
    ;;
  *) die "usage: demo.sh up [ansible-playbook options] | down" ;;
esac
