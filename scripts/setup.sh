#!/usr/bin/env bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# setup.sh [demo|test]: brings a bare Debian 12 to where `make demo` (or, by default, `make test`) runs. Debian packages
# of packages.txt, a Python, .venv (and .venv-oldest for the tests), the Windows collections, and the link that makes
# this checkout importable as a collection. Idempotent; with nothing to do it takes a second.
# PYTHON=… picks the interpreter.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
level=${1:-test}
case $level in demo | test) ;; *) die "usage: setup.sh [demo|test]" ;; esac
mkdir -p .cache

# Two set-ups of one checkout at a time would tread on each other.
exec 9>.cache/setup.lock
flock 9

# ---------------------------------------------------------------- Debian packages
wanted_packages() {
  awk -v level="$level" '
    /^## / { on = ($2 == "demo" || $2 == level); next }
    { sub(/#.*/, ""); gsub(/[ \t]/, "") } on && NF' packages.txt | if [ -d .cache/chrony ]; then grep -vx chrony; else cat; fi
}

missing_packages() {
  # Word 1 name, word 2 state; a foreign architecture shows up under the same name, which is fine.
  comm -23 <(wanted_packages | sort -u) \
    <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }' | sort -u)
}

POLICY=/usr/sbin/policy-rc.d
laid_policy=
lift_policy() { [ -z "$laid_policy" ] || as_root rm -f "$POLICY"; laid_policy=; }

install_packages() {
  local missing pkg unit
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "${missing// /}" ] || return 0
  command -v apt-get >/dev/null 2>&1 || die "needs Debian's apt-get to install: $missing"
  say "installing Debian packages: $missing"
  if [ ! -e "$POLICY" ]; then
    trap lift_policy EXIT
    laid_policy=1
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
  fi
  local log=.cache/apt.log
  local apt=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -qq -y
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  again 3 as_root "${apt[@]}" update >"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; die "apt-get update failed"; }
  # shellcheck disable=SC2086
  again 2 as_root "${apt[@]}" install --no-install-recommends $missing >>"$log" 2>&1 </dev/null ||
    { tail -n 40 "$log" >&2; die "apt-get install failed"; }
  lift_policy
  # They are tools here: a laptop that ran the demo must not wake up as a proxy after its next boot.
  if command -v systemctl >/dev/null 2>&1; then
    for pkg in $missing; do
      dpkg -L "$pkg" 2>/dev/null | sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|timer\|socket\)\)$|\2|p'
    done | while read -r unit; do
      as_root systemctl disable "$unit" >/dev/null 2>&1 </dev/null || true
    done
  fi
}

# chrony would push another time daemon off the machine. Where one is in charge, chronyd is only unpacked beside us.
chrony_aside() {
  if command -v chronyd >/dev/null 2>&1 || [ -x .cache/chrony/usr/sbin/chronyd ]; then return 0; fi
  dpkg-query -W -f='${Package} ${db:Status-Status} ${Provides}\n' |
    awk '$1 != "chrony" && $2 == "installed" && /time-daemon/ { found = 1 } END { exit !found }' || return 0
  say "another time daemon is in charge here: unpacking chronyd into .cache instead of installing it"
  local dir=.cache/chrony
  rm -rf "$dir" && mkdir -p "$dir" .cache/bin
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 update >.cache/apt.log 2>&1 </dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends libedit2 libseccomp2 \
    libcap2 libgnutls30 libnettle8 >>.cache/apt.log 2>&1 </dev/null
  (cd "$dir" && apt-get -qq download chrony 2>/dev/null && dpkg -x chrony_*.deb .) || die "cannot fetch chrony"
  ln -sf "../chrony/usr/sbin/chronyd" .cache/bin/chronyd
  ln -sf "../chrony/usr/bin/chronyc" .cache/bin/chronyc
}

chrony_aside
install_packages

# ---------------------------------------------------------------- Python
# A pyenv shim may exist and fail, so a candidate counts only if it runs and can make environments.
works() { "$1" -c "import sys, venv, ensurepip, ssl; sys.exit(sys.version_info[:2] != ($2))" >/dev/null 2>&1 </dev/null; }

find_python() {
  local version candidate
  for version in "$@"; do
    for candidate in "$HOME"/.pyenv/versions/"$version"*/bin/python"$version" "/usr/local/bin/python$version" \
      "/usr/bin/python$version" "$(command -v "python$version" || true)"; do
      if [ -n "$candidate" ] && [ -x "$candidate" ] && works "$candidate" "${version/./, }"; then
        printf '%s\n' "$candidate"
        return 0
      fi
    done
  done
  return 1
}

# What an environment was made of: interpreter, place and requirement files.
stamp_of() {
  local python=$1
  shift
  { "$python" -VV; printf '%s\n' "$python" "$ROOT"; cat requirements.txt requirements/controller.txt "$@"; } |
    sha256sum | cut -c1-64
}

fresh() { [ "$(cat "$1/.stamp" 2>/dev/null)" = "$2" ] && "$1/bin/python" -c '' 2>/dev/null; }

# $1 directory, $2 interpreter, then requirement files. Nothing happens while interpreter and requirements stay the same.
environment() {
  local dir=$1 python=$2 stamp file args=()
  shift 2
  stamp=$(stamp_of "$python" "$@")
  if fresh "$dir" "$stamp"; then return 0; fi
  say "$dir: $("$python" -V) with $*"
  if [ "$(cat "$dir/.python" 2>/dev/null)" != "$python $ROOT" ] || ! "$dir/bin/python" -m pip -V >/dev/null 2>&1; then
    rm -rf "$dir"
    "$python" -m venv "$dir" </dev/null
    printf '%s\n' "$python $ROOT" >"$dir/.python"
  fi
  rm -f "$dir/.stamp"
  for file in "$@"; do args+=(-r "$file"); done
  again 3 "$dir/bin/python" -m pip install -q --retries 5 "${args[@]}" </dev/null >.cache/pip.log 2>&1 ||
    { tail -n 30 .cache/pip.log >&2; die "pip could not fill $dir"; }
  printf '%s\n' "$stamp" >"$dir/.stamp"
}

python=${PYTHON:-}
if [ -n "$python" ]; then
  "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' ||
    die "PYTHON=$python does not run, is older than 3.11, or lacks venv"
else
  python=$(find_python 3.14 3.13 3.12 3.11) || die "no working Python 3.11 to 3.14 found (Debian: apt-get install python3-venv)"
fi
if [ "$level" = test ]; then
  environment .venv "$python" requirements/test.txt
  # ansible-core 2.19 is made for Python 3.11 to 3.13.
  oldest=$(find_python 3.11 3.12 3.13) || oldest=$python
  environment .venv-oldest "$oldest" requirements/oldest.txt
elif ! fresh .venv "$(stamp_of "$python" requirements/test.txt)"; then
  # (An environment that has the test tools has all that the demo needs.)
  environment .venv "$python" requirements/controller.txt
fi

# ---------------------------------------------------------------- collections
link=.collections/ansible_collections/edefter/ready
if [ "$(readlink "$link" 2>/dev/null)" != ../../.. ]; then
  rm -rf "$link"
  mkdir -p "$(dirname "$link")"
  ln -s ../../.. "$link"
fi

stamp=$(sha256sum <requirements/collections.txt | cut -c1-64)
if [ "$(cat .cache/collections/.stamp 2>/dev/null)" != "$stamp" ]; then
  say "fetching the Windows collections"
  rm -rf .cache/collections .cache/wheel
  mkdir -p .cache/collections .cache/wheel
  spec=$(sed 's/#.*//' requirements/collections.txt | grep .)
  # A wheel of pure data: it need not fit the Python that unpacks it.
  again 3 .venv/bin/python -m pip download -q --no-deps --only-binary=:all: --python-version 3.13 \
    --dest .cache/wheel "$spec" </dev/null >.cache/pip.log 2>&1 ||
    { tail -n 20 .cache/pip.log >&2; die "pip could not download $spec"; }
  .venv/bin/python scripts/unpack_collections.py .cache/wheel/*.whl .cache/collections \
    ansible.windows community.windows microsoft.ad
  rm -rf .cache/wheel
  printf '%s\n' "$stamp" >.cache/collections/.stamp
fi
