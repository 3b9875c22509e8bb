# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM over http for many hosts in one process: one TCP port a host, HTTP/1.1 with keep-alive, basic authentication.

The server knows hosts only through `HostPort` (who may log on, what is broken) and runs commands through a callable,
on threads.
"""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import email.utils
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from windows_double import netns, wsman
from windows_double.log import EventLog

_MAX_HEADER = 64 * 1024
_MAX_SHELLS = 100
_MAX_BODY = 64 * 1024 * 1024
_HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class HostPort(Protocol):
    """What the server asks of a host."""

    name: str
    port: int
    user: str
    password: str
    tls: tuple[str, str] | None
    """Certificate chain and key of an https listener."""
    offers: tuple[str, ...]
    """Ways to log on that a 401 names."""
    clock_offset: float

    @property
    def winrm_fault(self) -> str | None:
        """None, or `refuse`, `hang`, `drop`, `html`, `http_500`, `reject`, `access_denied`, `unavailable`."""

    @property
    def rtt(self) -> float:
        """Seconds that every answer is late by."""

    @property
    def module_seconds(self) -> float:
        """Seconds that every module takes longer."""


@dataclass(frozen=True)
class Output:
    """What a finished command leaves behind."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0


#: (host, command line, stdin) -> Output. Called on a worker thread; must not raise.
Runner = Callable[[Any, str, bytes], Output]


@dataclass
class _Command:
    line: str
    stdin: list[bytes] = field(default_factory=list)
    task: asyncio.Task[Output] | None = None
    sent: int = 0


class Server:
    """Listens for all hosts; `start` returns when every port is open, `stop` when all are closed. Runs on a thread of
    its own."""

    def __init__(
        self,
        hosts: list[HostPort],
        run: Runner,
        log: EventLog,
        *,
        netns_name: str | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._hosts = hosts
        self._run = run
        self._log = log
        self._netns = netns_name
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="winrm", daemon=True)
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=64, thread_name_prefix="module")
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._connections: set[_Connection] = set()
        self._servers: dict[str, asyncio.Server] = {}
        self._shells = {host.name: _Shells(self, host) for host in hosts}

    def start(self) -> None:
        """Open the ports. A host with port 0 gets a free one, written back to it. Raises OSError when a port is
        taken."""
        self._thread.start()
        self._ready.wait()
        if self._error:
            raise self._error

    def stop(self) -> None:
        """Close every port and connection; harmless when it never started."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def set_listening(self, host: HostPort, listening: bool) -> None:
        """Open or close one host's port while the others go on."""
        asyncio.run_coroutine_threadsafe(self._set_listening(host, listening), self._loop).result(10)

    async def _set_listening(self, host: HostPort, listening: bool) -> None:
        server = self._servers.pop(host.name, None)
        if server and not listening:
            server.close()
            for connection in [c for c in self._connections if c.host is host]:
                connection.abort()
        elif server:
            self._servers[host.name] = server
        elif listening:
            await self._listen(host)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._open())
        except BaseException as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        self._loop.run_forever()
        for server in self._servers.values():
            server.close()
        for connection in list(self._connections):
            connection.abort()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _open(self) -> None:
        for host in self._hosts:
            if host.winrm_fault == "refuse":
                # The port is reserved by a bound socket that never listens: connecting is refused, nobody else gets
                # the port.
                if host.port == 0:
                    reserved = self._socket(host)
                    host.port = reserved.getsockname()[1]
                    reserved.close()
                continue
            await self._listen(host)

    def _socket(self, host: HostPort) -> socket.socket:
        with netns.entered(self._netns):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self._address, host.port))
        return sock

    async def _listen(self, host: HostPort) -> None:
        sock = self._socket(host)
        host.port = sock.getsockname()[1]
        context = None
        if host.tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*host.tls)
        self._servers[host.name] = await self._loop.create_server(
            lambda: _Connection(self, host), sock=sock, backlog=256, ssl=context
        )


class _Connection(asyncio.Protocol):
    """One client connection. Requests on it are answered one after the other, as HTTP/1.1 wants."""

    def __init__(self, server: Server, host: HostPort) -> None:
        self.host = host
        self._server = server
        self._buffer = bytearray()
        self._header: tuple[int, int, dict[str, str]] | None = None
        self._queue: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server._connections.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._connections.discard(self)
        if self._task:
            self._task.cancel()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._header is None and self._buffer[:1] == b"\x16":
            # A TLS hello on a port for http: HTTP.sys says so in http.
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self._transport.close()
            return
        while True:
            if self._header is None:
                end = self._buffer.find(b"\r\n\r\n")
                if end < 0:
                    if len(self._buffer) > _MAX_HEADER:
                        self.abort()
                    return
                self._header = self._parse_header(end)
                if self._header is None:
                    self.abort()
                    return
            start, length, headers = self._header
            if len(self._buffer) < start + length:
                return
            body = bytes(self._buffer[start : start + length])
            del self._buffer[: start + length]
            self._header = None
            self._queue.put_nowait((headers, body))

    def _parse_header(self, end: int) -> tuple[int, int, dict[str, str]] | None:
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {"": lines[0]}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY or "transfer-encoding" in headers:
            return None
        return end + 4, int(length), headers

    async def _serve(self) -> None:
        while True:
            headers, body = await self._queue.get()
            began = time.monotonic()
            if self.host.rtt:
                await asyncio.sleep(self.host.rtt)
            if self.host.winrm_fault == "hang":
                continue
            status, reply, action = await self._answer(headers, body)
            out = self._http(status, reply)
            self._server._log.add(
                "request",
                self.host.name,
                action=action,
                status=status,
                bytes_in=len(body),
                bytes_out=len(reply),
                ms=round((time.monotonic() - began) * 1000, 2),
            )
            if self.host.winrm_fault == "drop" and action == "Receive":
                self._transport.write(out[: len(out) // 2])
                self._transport.close()
                return
            self._transport.write(out)

    async def _answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
        host = self.host
        if not headers[""].startswith("POST /wsman"):
            return 404, b"", "-"
        if host.winrm_fault == "unavailable":
            # HTTP.sys answers so while no service has taken /wsman; nobody was asked who he is.
            return 503, _HTML, "-"
        if host.winrm_fault == "reject" or not _authorised(headers.get("authorization", ""), host):
            return 401, b"", "-"
        if host.winrm_fault == "html":
            return 200, _HTML, "-"
        if host.winrm_fault == "http_500":
            return 500, _HTML, "-"
        try:
            request = wsman.parse(body)
        except (wsman.WsmanError, ValueError) as error:
            self._server._log.add("error", host.name, what="wsman", message=str(error))
            return 400, b"", "-"
        if host.winrm_fault == "access_denied":
            return 500, wsman.fault(request.message_id, wsman.ACCESS_DENIED, "Erişim engellendi."), request.action
        status, reply = await self._server._shells[host.name].handle(request)
        return status, reply, request.action

    def _http(self, status: int, body: bytes) -> bytes:
        reason = {
            200: "OK",
            400: "Bad Request",
            401: "Unauthorized",
            404: "Not Found",
            500: "Internal Server Error",
            503: "Service Unavailable",
        }[status]
        kind = "text/html" if body is _HTML else "application/soap+xml;charset=UTF-8"
        offers = [f'{offer} realm="WSMAN"' if offer == "Basic" else offer for offer in self.host.offers]
        extra = "".join(f"WWW-Authenticate: {offer}\r\n" for offer in offers) if status == 401 else ""
        extra += f"Date: {email.utils.formatdate(time.time() + self.host.clock_offset, usegmt=True)}\r\n"
        head = (
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\n{extra}"
            f"Server: Microsoft-HTTPAPI/2.0\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class _Shells:
    """One host's open shells and their commands; they outlive a connection."""

    def __init__(self, server: Server, host: HostPort) -> None:
        self._server = server
        self._host = host
        self._shells: dict[str, dict[str, _Command]] = {}

    async def handle(self, request: wsman.Request) -> tuple[int, bytes]:
        if request.action == "Create":
            if len(self._shells) >= _MAX_SHELLS:
                # Left behind by clients that were killed.
                self._drop(next(iter(self._shells)))
            shell_id = str(uuid.uuid4()).upper()
            self._shells[shell_id] = {}
            return 200, wsman.created(request, shell_id)
        commands = self._shells.get(request.shell_id)
        if commands is None:
            return 500, wsman.fault(
                request.message_id, wsman.INVALID_SELECTORS, "The shell was not found on the server."
            )
        if request.action == "Delete":
            self._drop(request.shell_id)
            return 200, wsman.deleted(request)
        if request.action == "Command":
            command_id = request.command_id or str(uuid.uuid4()).upper()
            commands[command_id] = _Command(request.command)
            return 200, wsman.command_started(request, command_id)
        command = commands.get(request.command_id)
        if request.action == "Signal":
            commands.pop(request.command_id, None)
            if command and command.task:
                command.task.cancel()
            return 200, wsman.signalled(request)
        if command is None:
            return 500, wsman.fault(
                request.message_id, wsman.INVALID_SELECTORS, "The command was not found on the server."
            )
        if request.action == "Send":
            command.stdin.append(request.stdin)
            if request.end:
                self._launch(command)
            return 200, wsman.sent(request)
        if request.action == "Receive":
            return await self._receive(command, request)
        return 500, wsman.fault(
            request.message_id, 2150858819, f"The double does not know the action {request.action}."
        )

    def _drop(self, shell_id: str) -> None:
        for command in self._shells.pop(shell_id).values():
            if command.task:
                command.task.cancel()

    def _launch(self, command: _Command) -> None:
        if command.task is None:
            command.task = asyncio.get_running_loop().create_task(self._execute(command))

    async def _execute(self, command: _Command) -> Output:
        if self._host.module_seconds:
            await asyncio.sleep(self._host.module_seconds)
        stdin = b"".join(command.stdin)
        command.stdin.clear()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._server._pool, self._server._run, self._host, command.line, stdin)

    async def _receive(self, command: _Command, request: wsman.Request) -> tuple[int, bytes]:
        # A command without stdin (raw) starts when its output is asked for.
        self._launch(command)
        assert command.task
        done, _ = await asyncio.wait([command.task], timeout=request.operation_timeout)
        if not done:
            return 500, wsman.fault(
                request.message_id,
                wsman.TIMED_OUT,
                "The WS-Management service cannot complete the operation within the time of OperationTimeout.",
            )
        output = command.task.result()
        chunk = output.stdout[command.sent : command.sent + wsman.CHUNK]
        command.sent += len(chunk)
        if command.sent < len(output.stdout):
            return 200, wsman.received(request, chunk, b"", None)
        return 200, wsman.received(request, chunk, output.stderr, output.exit_code)


def _authorised(header: str, host: HostPort) -> bool:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic" or "Basic" not in host.offers:
        return False
    try:
        return base64.b64decode(encoded).decode() == f"{host.user}:{host.password}"
    except ValueError:
        return False
