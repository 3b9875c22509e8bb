# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time servers on 127.0.0.1 that behave as told, and a real chronyd. They need neither root nor namespaces."""

from __future__ import annotations

import contextlib
import email.utils
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

from windows_double import csharp

EPOCH = 2_208_988_800
# (request, how many came before) -> datagrams to answer with, in order.
Reply = Callable[[bytes, int], list[bytes]]


def stamp(seconds: float) -> bytes:
    """Seconds since 1970 as an NTP timestamp."""
    return struct.pack("!Q", round((seconds + EPOCH) * 2**32) % 2**64)


def packet(
    request: bytes, offset: float = 0.0, leap: int = 0, stratum: int = 2, refid: bytes = b"LOCL", mode: int = 4
) -> bytes:
    """A server's answer to a request; offset: seconds that the server is ahead."""
    now = time.time() + offset
    head = struct.pack("!BBbbII", leap << 6 | 4 << 3 | mode, stratum, 6, -20, 0x20, 0x20) + refid
    return head + stamp(now - 8) + request[40:48] + stamp(now) + stamp(time.time() + offset)


class NtpServer:
    """A UDP server on a free port of 127.0.0.1. requests: all that came, in order."""

    def __init__(self, reply: Reply | None = None, delay: float = 0.0) -> None:
        self._reply = reply or (lambda request, _count: [packet(request)])
        self._delay = delay
        self.requests: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                request, peer = self._socket.recvfrom(1024)
            except OSError:
                return
            if peer is None:
                return
            count = len(self.requests)
            self.requests.append(request)
            if self._delay:
                time.sleep(self._delay)
            for answer in self._reply(request, count):
                with contextlib.suppress(OSError):
                    self._socket.sendto(answer, peer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # Wakes the thread that is blocked in recvfrom.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> NtpServer:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


class Authority:
    """A certificate authority in a folder, with certificates for `localhost`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
            "-subj", "/CN=Loopback CA", "-keyout", "ca.key", "-out", "ca.pem", days_ago=365,
        )  # fmt: skip

    def _openssl(self, *args: str, days_ago: int = 0) -> None:
        variables = dict(os.environ)
        if days_ago:
            # `openssl x509` of Debian 12 knows no dates, only days from now; so it gets another now.
            variables.update(LD_PRELOAD=csharp.faketime_library(), FAKETIME=f"-{days_ago}d")
        subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True, env=variables)

    def pair(self, name: str = "localhost", trusted: bool = True, expired: bool = False) -> pathlib.Path:
        """PEM file with key and certificate, valid for 90 days. trusted False: signs itself."""
        stem = f"{name}-{trusted}-{expired}"
        (self.folder / "ext").write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={name}", "-keyout", f"{stem}.key", "-out", f"{stem}.csr")  # fmt: skip
        signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"] if trusted else ["-signkey", f"{stem}.key"]
        self._openssl("x509", "-req", "-in", f"{stem}.csr", *signer, "-extfile", "ext", "-days", "90",
                      "-out", f"{stem}.crt", days_ago=200 if expired else 1)  # fmt: skip
        both = self.folder / f"{stem}.pem"
        both.write_text((self.folder / f"{stem}.key").read_text() + (self.folder / f"{stem}.crt").read_text())
        return both


# (how many requests came before on all connections) -> whole answer, or None: say nothing.
Answer = Callable[[int], bytes | None]


def head(*fields: str, date: float | None = None, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """An answer's head. date None: now."""
    moment = email.utils.formatdate(time.time() if date is None else date, usegmt=True)
    lines = [f"{version} {status}", f"Date: {moment}", "Server: nginx", "Content-Length: 0", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class DateServer:
    """A TLS server on a free port of 127.0.0.1. close: ends the connection after each answer."""

    def __init__(self, pair: pathlib.Path, answer: Answer | None = None, close: bool = False) -> None:
        self._answer = answer or (lambda _count: head())
        self._close = close
        self.requests: list[bytes] = []
        self.connections = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _peer = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(raw,), daemon=True).start()

    def _talk(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), raw, self._context.wrap_socket(raw, server_side=True) as line:
            data = b""
            while True:
                part = line.recv(4096)
                if not part:
                    return
                data += part
                while b"\r\n\r\n" in data:
                    request, _blank, data = data.partition(b"\r\n\r\n")
                    count = len(self.requests)
                    self.requests.append(request)
                    answer = self._answer(count)
                    if answer is None:
                        time.sleep(30)
                        return
                    line.sendall(answer)
                    if self._close:
                        return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> DateServer:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


class Chronyd:
    """A real chronyd on 127.0.0.1 that never touches this machine's clock."""

    def __init__(self, folder: pathlib.Path, *lines: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._command = folder / "chronyd.sock"
        configuration = [
            f"port {self.port}", "cmdport 0", f"bindcmdaddress {self._command}", "bindaddress 127.0.0.1", "allow all",
            "local stratum 2", f"pidfile {folder}/pid", "user root", *lines,
        ]  # fmt: skip
        (folder / "conf").write_text("\n".join(configuration) + "\n")
        self._process = subprocess.Popen(
            ["chronyd", "-x", "-d", "-f", str(folder / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 10
        while not self._command.exists():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError("chronyd did not start")
            time.sleep(0.05)

    def stats(self) -> tuple[int, int]:
        """NTP packets (received, dropped)."""
        done = subprocess.run(
            ["chronyc", "-c", "-h", str(self._command), "serverstats"], capture_output=True, text=True, check=True
        )
        fields = done.stdout.strip().split(",")
        return int(fields[0]), int(fields[1])

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextlib.contextmanager
def chronyds(count: int, *lines: str) -> Iterator[list[Chronyd]]:
    """Some of them with the same configuration. chronyd insists on root's socket folder."""
    with contextlib.ExitStack() as stack:
        servers = []
        for _number in range(count):
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edr-chrony-")))
            os.chmod(folder, 0o700)
            server = Chronyd(folder, *lines)
            stack.callback(server.close)
            servers.append(server)
        yield servers
