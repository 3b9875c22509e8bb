#!/usr/bin/env bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh [--root] COMMAND…: COMMAND with this repository's environment (see env.sh); with --root through sudo when we are not root.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
export PATH="$ROOT/.venv/bin:$ROOT/.cache/bin:$PATH"
root=
if [ "${1:-}" = --root ]; then root=1; shift; fi
[ $# -gt 0 ] || die "usage: run.sh [--root] COMMAND…"
if [ -n "$root" ]; then as_root "$@"; else exec "$@"; fi
