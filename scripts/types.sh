#!/usr/bin/env bash
# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# mypy --strict on the pure core, seen under the name that the imports use.
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "$0")/env.sh"
exec .venv/bin/mypy --strict --cache-dir .build/mypy -p ansible_collections.edefter.ready.plugins.plugin_utils
