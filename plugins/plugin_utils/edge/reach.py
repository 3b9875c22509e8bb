# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host's WinRM from the control node without logging on: name, port, certificate, what it offers.

Edge: sockets. No credential is sent; an invalid certificate is read, never trusted.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import email.utils
import http.client
import os
import socket
import ssl
import time
import typing as t

from ansible_collections.edefter.ready.plugins.module_utils import certs
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import (
    PLAIN,
    SECURE,
    WINRM,
    Certificate,
    Connection,
    Looked,
)

MAX_BODY = 64 * 1024
# OpenSSL's X509_V_ERR_… (include/openssl/x509_vfy.h).
_VERIFY = {9: "not_yet_valid", 10: "expired", 62: "wrong_name", 64: "wrong_name"}
_ERRORS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
    (TimeoutError, "timeout"),
    (PermissionError, "access_denied"),
)
_NUMBERS = {101: "network_unreachable", 100: "network_down", 113: "host_unreachable", 112: "host_unreachable"}


def look(connection: Connection, ca_file: str | None = None, timeout: float = 5.0) -> Looked:
    """Everything up to logging on; at most about six times `timeout` seconds. Raises nothing."""
    if connection.proxied:
        return Looked()
    addresses, dns = resolve(connection.address, timeout * 2)
    if dns != "ok":
        return Looked(dns=dns)
    seen: dict[str, t.Any] = {"addresses": addresses, "dns": dns}
    seen["ports"] = _ports(addresses, connection, timeout)
    if seen["ports"][connection.port] == "ok" and connection.kind in WINRM:
        if connection.tls:
            seen["tls"], seen["certificate"] = _certificate(connection, ca_file, timeout)
        # The header says what is offered; it may be read over a channel that would not be trusted with a password.
        if not connection.tls or seen["tls"] == "ok" or (not connection.verify and seen["certificate"] is not None):
            seen.update(_ask(connection, timeout))
    return Looked(**seen)


def resolve(name: str, timeout: float) -> tuple[tuple[str, ...], str]:
    """Addresses in the system's order, and `ok` or why there are none."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        found = pool.submit(socket.getaddrinfo, name, None, type=socket.SOCK_STREAM).result(timeout)
    except concurrent.futures.TimeoutError:
        return (), "timeout"
    except socket.gaierror as error:
        codes = {socket.EAI_NONAME: "nxdomain", getattr(socket, "EAI_NODATA", -5): "nodata"}
        return (), codes.get(error.errno, "try_again" if error.errno == socket.EAI_AGAIN else "error")
    except (OSError, UnicodeError):
        return (), "error"
    finally:
        # (A look-up cannot be called off; its thread ends by itself.)
        pool.shutdown(wait=False)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found)), "ok"


def code_of(error: BaseException) -> str:
    """Our code for an error of a socket (docs/contracts.md, ERR)."""
    for kind, code in _ERRORS:
        if isinstance(error, kind):
            return code
    return _NUMBERS.get(getattr(error, "errno", None) or 0, "error")


def _ports(addresses: tuple[str, ...], connection: Connection, timeout: float) -> dict[int, str]:
    """The port of the inventory; when it does not answer, WinRM's other one too."""
    found = {connection.port: _connects(addresses, connection.port, timeout)}
    if found[connection.port] != "ok" and connection.kind in WINRM:
        for port in (PLAIN, SECURE):
            if port != connection.port:
                found[port] = _connects(addresses, port, timeout)
    return found


def _connects(addresses: tuple[str, ...], port: int, timeout: float) -> str:
    code = "error"
    for address in addresses[:4]:
        try:
            with socket.create_connection((address, port), timeout):
                return "ok"
        except OSError as error:
            code = code_of(error)
    return code


def _authorities(ca_file: str | None) -> str | None:
    """The bundle that pywinrm's `requests` would use, so that both come to the same verdict."""
    for path in (ca_file, os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("CURL_CA_BUNDLE")):
        if path:
            return path
    try:
        from requests.utils import DEFAULT_CA_BUNDLE_PATH
    except ImportError:
        return None
    return str(DEFAULT_CA_BUNDLE_PATH)


def _context(ca_file: str | None) -> ssl.SSLContext:
    bundle = _authorities(ca_file)
    if bundle is None:
        return ssl.create_default_context()
    folder = os.path.isdir(bundle)
    return ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)


def _blind() -> ssl.SSLContext:
    """Reads a certificate whatever it is. Nothing secret goes over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def _channel(connection: Connection, context: ssl.SSLContext, timeout: float) -> t.Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((connection.address, connection.port), timeout) as plain,
        context.wrap_socket(plain, server_hostname=connection.address) as secure,
    ):
        yield secure


def _certificate(connection: Connection, ca_file: str | None, timeout: float) -> tuple[str, Certificate | None]:
    try:
        context = _context(ca_file)
    except (OSError, ssl.SSLError):
        # The inventory's own mistake: every host would fail alike, pywinrm says the same.
        return "ca_file", None
    code = "ok"
    try:
        with _channel(connection, context, timeout) as secure:
            return code, _read(secure)
    except ssl.SSLCertVerificationError as error:
        code = _VERIFY.get(error.verify_code, "untrusted")
    except ssl.SSLError as error:
        return ("not_tls" if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE") else
                "handshake"), None  # fmt: skip
    except OSError as error:
        return code_of(error), None
    try:
        with _channel(connection, _blind(), timeout) as secure:
            return code, _read(secure)
    except (OSError, ssl.SSLError):
        return code, None


def _read(secure: ssl.SSLSocket) -> Certificate | None:
    der = secure.getpeercert(binary_form=True)
    if der is None:
        return None
    try:
        data = certs.read_certificate(der)
    except ValueError:
        return None
    names = tuple(str(name).partition(":")[2][:255] for name in (data.get("san") or ())[:16])
    return Certificate(
        str(data["subject"])[:300],
        str(data["issuer"])[:300],
        str(data["not_before"]),
        str(data["not_after"]),
        names,
    )


def _ask(connection: Connection, timeout: float) -> dict[str, t.Any]:
    """An empty request without credentials: WinRM refuses it and says how it wants to be asked."""
    line = http.client.HTTPConnection(connection.address, connection.port, timeout=timeout)
    # One end for the whole answer: a server that drips bytes would reset a socket's timeout with each.
    ends = time.monotonic() + timeout
    try:
        line.connect()
        if connection.tls:
            plain = t.cast("socket.socket", line.sock)
            line.sock = _blind().wrap_socket(plain, server_hostname=connection.address)
        headers = {"Content-Type": "application/soap+xml;charset=UTF-8", "Content-Length": "0"}
        line.request("POST", "/wsman", body=b"", headers=headers)
        reply = line.getresponse()
        received = time.time()
        if time.monotonic() > ends + timeout:
            return {"http": "timeout"}
        offers = reply.headers.get_all("WWW-Authenticate") or []
        return {
            "http": "ok",
            "status": reply.status,
            "server": _plain(reply.headers.get("Server")),
            "offers": tuple(dict.fromkeys(word for offer in offers[:16] for word in _schemes(offer))),
            "skew": _skew(reply.headers.get("Date"), received),
        }
    except http.client.HTTPException:
        return {"http": "not_http"}
    except OSError as error:
        return {"http": code_of(error)}
    finally:
        line.close()


def _schemes(offer: str) -> list[str]:
    """`Negotiate`, `Basic realm="WSMAN"`, `Kerberos, CredSSP` → lower-case words."""
    words = [part.strip().partition(" ")[0].lower() for part in offer[:300].split(",")]
    return [word for word in words if word.isascii() and word.isalpha() and len(word) <= 20]


def _plain(value: str | None) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in (value or "")[:120])


def _skew(date: str | None, received: float) -> float | None:
    try:
        return round(email.utils.parsedate_to_datetime(date).timestamp() - received, 1) if date else None
    except (ValueError, TypeError, OverflowError):
        return None
