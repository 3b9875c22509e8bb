# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A router in user space: takes a gateway's packets from a TUN device, delays, loses or inspects them, puts them back.

Why not netem or NFQUEUE: not every kernel has them. This needs TUN and policy routing, which every distribution has.

Control request: a list of rules, all in force at once, replacing the former ones:

    {"hosts": [addresses] | null,   whose traffic (their own addresses, before translation); null: everybody's
     "remotes": [addresses] | null, towards which servers
     "ports": [ports] | null,       which server ports
     "up_ms": f, "down_ms": f, "jitter_ms": f, "loss": fraction, "seed": int,
     "version": 4 | 6 | null, "protocol": IP protocol | null, "except": [networks never hit],
     "names": [dns names], "action": null | "reset" | "eof" | "stall" | "dns_inject" | "reject",
     "answers": [addresses], "gateway": who says reject (IPv6), "code": its ICMPv6 code}
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import heapq
import ipaddress
import os
import random
import select
import struct
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from . import _control
from .dnswire import answer, question

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_FIN, _RST, _ACK = 0x01, 0x04, 0x10
_MAX_FLOWS = 4096


@dataclass(frozen=True)
class Packet:
    """What the router looks at: addresses as text, transport protocol, ports, and where things start."""

    raw: bytes
    version: int
    source: bytes
    target: bytes
    protocol: int
    sport: int
    dport: int
    at: int  # offset of the transport header


@dataclass
class Rule:
    hosts: frozenset[bytes] | None
    remotes: frozenset[bytes] | None
    ports: frozenset[int] | None
    up: float
    down: float
    jitter: float
    loss: float
    names: frozenset[str]
    action: str | None
    answers: tuple[str, ...]
    version: int | None = None
    protocol: int | None = None
    spared: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    gateway: bytes = b""
    code: int = 1
    seed: int = 1
    dice: dict[tuple[bytes, int, int, bool], random.Random] = field(default_factory=dict)

    def roll(self, remote: bytes, port: int, protocol: int, up: bool) -> float:
        """A number in [0, 1): a sequence of its own for each service and direction, so that a seed means the same loss
        whatever else the host is talking to."""
        key = (remote, port, protocol, up)
        if key not in self.dice:
            if len(self.dice) > _MAX_FLOWS:
                self.dice.clear()
            self.dice[key] = random.Random(f"{self.seed} {remote.hex()} {port} {protocol} {up}")
        return self.dice[key].random()

    @classmethod
    def load(cls, spec: dict[str, Any]) -> Rule:
        def packed(key: str) -> frozenset[bytes] | None:
            value = spec.get(key)
            return None if value is None else frozenset(ipaddress.ip_address(item).packed for item in value)

        ports = spec.get("ports")
        return cls(
            hosts=packed("hosts"),
            remotes=packed("remotes"),
            ports=None if ports is None else frozenset(ports),
            up=spec.get("up_ms", 0) / 1000,
            down=spec.get("down_ms", 0) / 1000,
            jitter=spec.get("jitter_ms", 0) / 1000,
            loss=spec.get("loss", 0.0),
            names=frozenset(spec.get("names") or ()),
            action=spec.get("action"),
            answers=tuple(spec.get("answers") or ()),
            version=spec.get("version"),
            protocol=spec.get("protocol"),
            spared=tuple(ipaddress.ip_network(net) for net in spec.get("except") or ()),
            gateway=ipaddress.ip_address(spec["gateway"]).packed if spec.get("gateway") else b"",
            code=int(spec.get("code", 1)),
            seed=int(spec.get("seed", 1)),
        )


def parse(raw: bytes) -> Packet | None:
    """The packet's outline, or None for what is not to be routed (multicast, soup)."""
    version = raw[0] >> 4
    if version == 4 and len(raw) >= 20:
        at, protocol, source, target = (raw[0] & 15) * 4, raw[9], raw[12:16], raw[16:20]
        if target[0] >= 224:
            return None
    elif version == 6 and len(raw) >= 40:
        at, protocol, source, target = 40, raw[6], raw[8:24], raw[24:40]
        if target[0] == 0xFF:
            return None
    else:
        return None
    sport = dport = 0
    if protocol in (6, 17) and len(raw) >= at + 8:
        sport, dport = struct.unpack_from("!HH", raw, at)
    return Packet(raw, version, source, target, protocol, sport, dport, at)


class Router:
    """The packet loop. ``lan`` are the networks of the hosts' side: they tell up from down."""

    def __init__(self, tun: int, lan: list[str]) -> None:
        self.tun = tun
        self.nets = [ipaddress.ip_network(net) for net in lan]
        self._inner: dict[bytes, bool] = {}
        self.rules: tuple[Rule, ...] = ()
        self.queue: list[tuple[float, int, bytes]] = []
        self.count = 0
        self.last = {True: 0.0, False: 0.0}
        self.stalled: OrderedDict[tuple[bytes, int, bytes, int], None] = OrderedDict()
        self.hellos: OrderedDict[tuple[bytes, int, bytes, int], bytes] = OrderedDict()

    def control(self, request: list[dict[str, Any]]) -> int:
        self.rules = tuple(Rule.load(spec) for spec in request)
        return len(self.rules)

    def inner(self, address: bytes) -> bool:
        known = self._inner.get(address)
        if known is None:
            shown = ipaddress.ip_address(address)
            known = any(shown.version == net.version and shown in net for net in self.nets)
            self._inner[address] = known
        return known

    def run(self) -> None:
        while True:
            now = time.monotonic()
            while self.queue and self.queue[0][0] <= now:
                self.write(heapq.heappop(self.queue)[2])
            wait = self.queue[0][0] - now if self.queue else None
            ready, _, _ = select.select([self.tun], [], [], wait)
            if not ready:
                continue
            for _ in range(64):
                try:
                    raw = os.read(self.tun, 65535)
                except BlockingIOError:
                    break
                self.take(raw)

    def write(self, raw: bytes) -> None:
        # The device may be down for a moment, or its queue full: a router drops then.
        with contextlib.suppress(OSError):
            os.write(self.tun, raw)

    def take(self, raw: bytes) -> None:
        packet = parse(raw)
        if packet is None:
            return
        up = self.inner(packet.source)
        host, remote = (packet.source, packet.target) if up else (packet.target, packet.source)
        port = packet.dport if up else packet.sport
        delay = 0.0
        for rule in self.rules:
            if rule.hosts is not None and host not in rule.hosts:
                continue
            if rule.remotes is not None and remote not in rule.remotes:
                continue
            if rule.ports is not None and port not in rule.ports:
                continue
            if rule.version not in (None, packet.version) or rule.protocol not in (None, packet.protocol):
                continue
            if rule.spared and any(ipaddress.ip_address(remote) in net for net in rule.spared):
                continue
            if rule.loss and rule.roll(remote, port, packet.protocol, up) < rule.loss:
                return
            if rule.action and self.inspect(rule, packet, up):
                return
            delay += rule.up if up else rule.down
            if rule.jitter:
                delay += rule.roll(remote, port, packet.protocol, up) * rule.jitter
        if delay <= 0:
            self.write(raw)
            return
        # In order within a direction, as a line is: jitter must not reorder.
        due = max(time.monotonic() + delay, self.last[up])
        self.last[up] = due
        self.count += 1
        heapq.heappush(self.queue, (due, self.count, raw))

    # ---- inspection ------------------------------------------------------------------------------------------------

    def inspect(self, rule: Rule, packet: Packet, up: bool) -> bool:
        """True when the packet is swallowed."""
        if rule.action == "dns_inject":
            if up and packet.protocol == 17 and packet.dport == 53:
                self.inject(rule, packet)
            return False
        if rule.action == "reject":
            if up:
                self.write(unreachable(packet, rule.gateway, rule.code))
            return up
        if packet.protocol != 6 or len(packet.raw) < packet.at + 20:
            return False
        near, far = (packet.source, packet.sport), (packet.target, packet.dport)
        flow = (*near, *far) if up else (*far, *near)
        if flow in self.stalled:
            return True
        if not up:
            return False
        payload = packet.raw[packet.at + (packet.raw[packet.at + 12] >> 4) * 4 :]
        if not payload:
            return False
        so_far = self.hellos.pop(flow, b"") + payload
        if so_far[:1] != b"\x16" or len(so_far) > 16384:
            return False
        name = server_name(so_far)
        if name is None:
            if len(so_far) < 5 or len(so_far) < 5 + struct.unpack_from("!H", so_far, 3)[0]:
                self.hellos[flow] = so_far
                while len(self.hellos) > _MAX_FLOWS:
                    self.hellos.popitem(last=False)
            return False
        if rule.names and name.lower() not in rule.names:
            return False
        if rule.action in ("stall", "eof"):
            self.stalled[flow] = None
            while len(self.stalled) > _MAX_FLOWS:
                self.stalled.popitem(last=False)
        if rule.action in ("reset", "eof"):
            seq, ack = struct.unpack_from("!II", packet.raw, packet.at + 4)
            self.write(tcp(packet, True, ack, seq + len(payload), (_RST if rule.action == "reset" else _FIN) | _ACK))
            self.write(tcp(packet, False, seq, ack, _RST | _ACK))
        return True

    def inject(self, rule: Rule, packet: Packet) -> None:
        asked = question(packet.raw[packet.at + 8 :])
        if asked is None or (rule.names and asked.name not in rule.names):
            return
        body = answer(asked, 0, rule.answers)
        self.write(udp(packet, body))


def server_name(data: bytes) -> str | None:
    """The SNI of a (possibly cut) ClientHello; None when it is not there (yet)."""
    try:
        if data[5] != 1:
            return None
        at = 5 + 4 + 2 + 32
        at += 1 + data[at]
        at += 2 + struct.unpack_from("!H", data, at)[0]
        at += 1 + data[at]
        end = at + 2 + struct.unpack_from("!H", data, at)[0]
        at += 2
        while at + 4 <= end:
            kind, size = struct.unpack_from("!HH", data, at)
            if kind == 0:
                length = struct.unpack_from("!H", data, at + 7)[0]
                name = data[at + 9 : at + 9 + length]
                return name.decode("ascii", "replace") if len(name) == length else None
            at += 4 + size
    except (IndexError, struct.error):
        return None
    return None


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ip(version: int, source: bytes, target: bytes, protocol: int, body: bytearray, checksum_at: int) -> bytes:
    pseudo = source + target + struct.pack("!II" if version == 6 else "!HH", *(
        (len(body), protocol) if version == 6 else (protocol, len(body))
    ))  # fmt: skip
    struct.pack_into("!H", body, checksum_at, _checksum(pseudo + bytes(body)) or 0xFFFF)
    if version == 6:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source + target + bytes(body)
    head = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + source + target)
    struct.pack_into("!H", head, 10, _checksum(bytes(head)))
    return bytes(head) + bytes(body)


def tcp(packet: Packet, back: bool, seq: int, ack: int, flags: int) -> bytes:
    """A forged bare segment of the packet's flow: ``back`` towards its sender, else onwards."""
    source, target, sport, dport = packet.source, packet.target, packet.sport, packet.dport
    if back:
        source, target, sport, dport = target, source, dport, sport
    body = bytearray(struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 0, 0, 0))
    return _ip(packet.version, source, target, 6, body, 16)


def udp(packet: Packet, payload: bytes) -> bytes:
    """A forged datagram back to the packet's sender."""
    body = bytearray(struct.pack("!HHHH", packet.dport, packet.sport, 8 + len(payload), 0) + payload)
    return _ip(packet.version, packet.target, packet.source, 17, body, 6)


def unreachable(packet: Packet, gateway: bytes, code: int) -> bytes:
    """ICMPv6 "destination unreachable" from the gateway to the packet's sender."""
    body = bytearray(struct.pack("!BBHI", 1, code, 0, 0) + packet.raw[:1200])
    return _ip(6, gateway, packet.source, 58, body, 2)


def main() -> None:
    """Arguments: control socket, device name, LAN networks. The lab configures the device once the socket appears."""
    control, device, lan = sys.argv[1], sys.argv[2], sys.argv[3:]
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _IFF_TUN | _IFF_NO_PI))
    # Delays must not depend on what else this machine does.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    gc.disable()
    router = Router(tun, lan)
    _control.serve(control, router.control)
    router.run()
