# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab up|down|status|fault|exec --name NAME``: a lab from the shell, left running until ``down``."""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys

from . import Lab, LabError
from .faults import FAULTS
from .runtime import alive


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description="The network lab of edefter.ready.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="bring a lab up and leave it running")
    up.add_argument("--site", action="append", default=[], metavar="NAME[:HOST,HOST…]", help="a branch and its hosts")
    up.add_argument("--no-ipv6", action="store_true", help="sites have no IPv6")
    up.add_argument("--portal-redirect", action="store_true", help="portal.emikro.com.tr redirects http to https")
    verbs.add_parser("down", help="remove it without a trace")
    verbs.add_parser("status", help="namespaces, addresses, processes, faults as JSON")
    fault = verbs.add_parser("fault", help="switch a fault on or off")
    fault.add_argument("fault", nargs="?", help="a fault's name")
    fault.add_argument("--list", action="store_true", help="list the faults there are")
    fault.add_argument("--clear", metavar="NUMBER|all", help="switch one off, or all")
    fault.add_argument("--host")
    fault.add_argument("--site")
    fault.add_argument("--endpoint", action="append")
    fault.add_argument("--port", type=int)
    fault.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the fault")
    run = verbs.add_parser("exec", help="run a command in a namespace")
    run.add_argument("where", help="a host, ctl, inet or gw-SITE")
    run.add_argument("command", nargs=argparse.REMAINDER)
    for verb in verbs.choices.values():
        verb.add_argument("--name", default="demo", help="the lab's name (demo)")
    arguments = parser.parse_args(argv)
    try:
        return _VERBS[arguments.verb](arguments)
    except (LabError, ValueError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _up(arguments: argparse.Namespace) -> int:
    net = Lab(arguments.name, ipv6=not arguments.no_ipv6, portal_redirect=arguments.portal_redirect).up()
    try:
        for text in arguments.site:
            site, _, hosts = text.partition(":")
            net.add_site(site)
            for host in filter(None, hosts.split(",")):
                net.add_host(host, site=site)
    except BaseException:
        net.down()
        raise
    for host in net.hosts.values():
        print(f"{host.name:16} {host.netns:24} {host.address:14} {host.address6 or '-'}")
    print(f"lab {net.name} is up; end it with: python -m lab down --name {net.name}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    Lab(arguments.name).down()
    return 0


def _status(arguments: argparse.Namespace) -> int:
    net = Lab.attach(arguments.name)
    data = net.runtime.read()
    shown = {
        "name": net.name,
        "control": net.control,
        "ca_file": str(net.ca_file),
        "corporate_ca_file": str(net.corporate_ca_file),
        "sites": data["sites"],
        "hosts": data["hosts"],
        "processes": {p["label"]: {"pid": p["pid"], "alive": alive(p)} for p in data["processes"]},
        "faults": data["faults"],
    }
    print(json.dumps(shown, indent=2))
    return 0 if all(p["alive"] for p in shown["processes"].values()) else 1


def _fault(arguments: argparse.Namespace) -> int:
    if arguments.list:
        for name, text in FAULTS.items():
            print(f"{name:24} {text}")
        return 0
    net = Lab.attach(arguments.name)
    if arguments.clear == "all":
        net.clear_faults()
        return 0
    if arguments.clear is not None:
        active = net.active_faults
        if not arguments.clear.isdigit() or int(arguments.clear) not in active:
            raise ValueError(f"no fault {arguments.clear} is on; there are: {sorted(active)}")
        active[int(arguments.clear)].clear()
        return 0
    if not arguments.fault:
        raise ValueError("say which fault (--list shows them), or --clear")
    params = {}
    for text in arguments.set:
        key, _, value = text.partition("=")
        try:
            params[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            params[key] = value
    made = net.fault(
        arguments.fault,
        host=arguments.host,
        site=arguments.site,
        endpoint=arguments.endpoint,
        port=arguments.port,
        **params,
    )
    print(made.number)
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    net = Lab.attach(arguments.name)
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise ValueError("say what to run")
    argv = net.command(arguments.where, command)
    os.execvp(argv[0], argv)


_VERBS = {"up": _up, "down": _down, "status": _status, "fault": _fault, "exec": _exec}

if __name__ == "__main__":
    sys.exit(main())
