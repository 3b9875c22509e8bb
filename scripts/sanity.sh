#!/usr/bin/env bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sanity.sh [ansible-test options]: `ansible-test sanity` for what ships. It wants a real path
# …/ansible_collections/edefter/ready under version control, so it gets a copy of the tracked files; without tests/ and
# scripts/, which never reach a user and follow pyproject.toml's rules (its pylint forbids `_, x = pair`, for one).
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"

base=.cache/at # short: the paths of interpreters in #! lines have a limit
copy=$base/ansible_collections/edefter/ready
rm -rf "$base/ansible_collections"
mkdir -p "$copy"
if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  git -c safe.directory='*' ls-files -z
else
  find . -name '.?*' -prune -o -type f -printf '%P\0'
fi | while IFS= read -r -d '' file; do
  case $file in
    tests/sanity/*) ;;
    tests/* | scripts/* | extensions/*) continue ;;
  esac
  # A file that is tracked but gone is somebody's work in progress.
  [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - | tar -x -C "$copy"
for collection in .cache/collections/ansible_collections/*/*/; do
  target=$base/ansible_collections/$(basename "$(dirname "$collection")")
  mkdir -p "$target"
  cp -r "$collection" "$target/"
done

# ansible-test forgets the environment, so what pip is told there (certificates, mirrors) goes into a file; its HOME is ours, so
# that nothing of it lands in the user's.
home=$ROOT/$base/home
mkdir -p "$home/.config/pip" "$home/.ansible/test/cache"
.venv/bin/python scripts/pip_settings.py >"$home/.config/pip/pip.conf"
chmod 600 "$home/.config/pip/pip.conf"

# Its private environments want a pip that it would download by a file of this name; Python brings one along.
python=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pip=$(.venv/bin/python -c '
import sys, types
from ansible_test._internal.python_requirements import get_venv_packages
print(get_venv_packages(types.SimpleNamespace(version=sys.argv[1]))["pip"])' "$python")
printf 'import ensurepip\nensurepip.bootstrap(upgrade=True)\n' >"$home/.ansible/test/cache/get_pip_${pip//./_}.py"

# validate-modules asks PowerShell for the spec of a Windows module. Where there is none, our own reader answers: so the
# specs are held against the documentation all the same. (pslint needs a real one.)
# Texts for people are typeset: Turkish and English quotation marks are meant (no-smart-quotes).
skip=(--skip-test no-smart-quotes)
mkdir -p "$base/bin"
rm -f "$base/bin/pwsh"
if ! command -v pwsh >/dev/null 2>&1; then
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$ROOT/.venv/bin/python" "$ROOT/scripts/pwsh_argspec.py" >"$base/bin/pwsh"
  chmod 755 "$base/bin/pwsh"
  skip+=(--skip-test pslint)
fi

ansible_test=$ROOT/.venv/bin/ansible-test
export HOME=$home PATH="$ROOT/.venv/bin:$ROOT/$base/bin:$PATH"
unset ANSIBLE_CONFIG
cd "$copy"
git init -q .
git add -A
exec "$ansible_test" sanity --local --requirements --python "$python" --color no "${skip[@]}" "$@"
