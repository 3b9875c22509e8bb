# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m windows_double serve --hosts … --port-base …`: the doubles for a demo or a benchmark, until SIGINT or
SIGTERM."""

from __future__ import annotations

import argparse
import json
import pathlib
import signal
import sys
import threading

from windows_double import Double


def main() -> int:
    """Entry of the command line."""
    parser = argparse.ArgumentParser(prog="windows_double", description="WinRM host doubles")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve hosts until interrupted")
    serve.add_argument("--hosts", required=True, help="YAML file, or the name of one in windows_double/hosts")
    serve.add_argument("--port-base", type=int, default=0, help="first port; 0: free ports")
    serve.add_argument("--address", default="127.0.0.1")
    serve.add_argument("--netns", help="network namespace in which the ports are opened")
    serve.add_argument("--lab", help="name of a lab that is up; hosts with a place of their name there live in it")
    serve.add_argument("--folder", type=pathlib.Path, help="registries and log; default: temporary")
    serve.add_argument("--inventory", type=pathlib.Path, help="write an Ansible inventory here")
    serve.add_argument("--no-request-log", action="store_true", help="log modules only")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    net = None
    if options.lab:
        import lab

        net = lab.Lab.attach(options.lab)
    double = Double(
        options.hosts,
        folder=options.folder,
        lab=net,
        log_requests=not options.no_request_log,
        netns=options.netns,
        address=options.address,
        port_base=options.port_base,
    )
    with double:
        if options.inventory:
            double.inventory(options.inventory)
        ready = {"hosts": len(double.hosts), "folder": str(double.folder), "inventory": str(options.inventory or "")}
        print(json.dumps(ready), flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
