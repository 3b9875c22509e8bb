# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials of the clock measurement against a known truth: lab servers and lines, hosts with a faked clock, both twins.

`conditions` says what is wrong with the sources, `workers` keeps hosts with a known offset, `trials` runs and scores,
`peers` lets check_ntp_time, chronyd -Q and ntplib answer the same question.
"""
