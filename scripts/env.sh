# shellcheck shell=bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the scripts here, never run: one environment for all of them, whatever called us (a terminal, CI without
# a HOME, cron). Leaves the caller in the repository's root.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT" || exit 1

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME="${HOME:-/root}"
# Ansible refuses to start without a UTF-8 locale; C.UTF-8 is the one that every Debian has.
export LC_ALL=C.UTF-8 LANG=C.UTF-8
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
export ANSIBLE_CONFIG="$ROOT/ansible.cfg"
# A caller's own settings must not leak into what we run here.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV ANSIBLE_COLLECTIONS_PATH ANSIBLE_COLLECTIONS_PATHS ANSIBLE_INVENTORY

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo -E env "PATH=$PATH" "$@"
  else die "this step needs root (run as root, or install sudo): $*"
  fi
}

# again N COMMAND…: a package index that hiccups is no reason to fail a set-up.
again() {
  local tries=$1 n=1
  shift
  until "$@"; do
    [ "$n" -ge "$tries" ] && return 1
    sleep $((n * 3)); n=$((n + 1))
  done
}
