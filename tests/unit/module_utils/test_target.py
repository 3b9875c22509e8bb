# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets on loopback: what ends a phase ends it, what nobody foresaw stays where it broke, secrets stay at home."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import (
    endpoints,
    http_probe,
    probe_context,
    resolving,
    tcp,
    tls,
)
from ansible_collections.edefter.ready.plugins.module_utils.core import Deadline


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """No resolver of this machine is asked, and none of its proxies used."""
    conf = tmp_path / "resolv.conf"
    conf.write_text("")
    monkeypatch.setattr(resolving, "RESOLV_CONF", str(conf))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def server(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that sends one answer to everybody and keeps what it got."""
    listening = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []
    over = threading.Event()

    def serve() -> None:
        listening.settimeout(0.05)
        while not over.is_set():
            with contextlib.suppress(OSError):
                client = listening.accept()[0]
                with client:
                    client.settimeout(1)
                    got.append(client.recv(4096))
                    client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], got
    finally:
        over.set()
        thread.join()
        listening.close()


def observe(port: int, **options: t.Any) -> dict[str, t.Any]:
    spec = {"id": "x", "host": "127.0.0.1", "port": port, "scheme": "http", "path": "/p?q=1", **options.pop("spec", {})}
    data = endpoints.collect({"endpoints": [spec], "timeout": 0.5, **options}, Deadline(5))
    (target,) = data["targets"]
    return t.cast("dict[str, t.Any]", target)


PAGE = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nSet-Cookie: s=1\r\nContent-Length: 2\r\n\r\nok"


def test_one_request_and_no_redirect() -> None:
    with server(PAGE) as (port, got):
        target = observe(port)
    (attempt,) = target["attempts"]
    assert (attempt["source"], attempt["http"]["status"], target["winner"]) == ("literal", 302, "127.0.0.1")
    assert "set-cookie" not in attempt["http"]["headers"]
    (request,) = got
    assert request.startswith(b"GET /p?q=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization" not in request
    assert b"Cookie" not in request


def test_a_name_without_resolvers() -> None:
    with server(PAGE) as (port, _got):
        target = observe(port, spec={"host": "localhost"})
    assert target["dns"]["queries"] == []
    assert "127.0.0.1" in target["dns"]["system"]["addresses"]
    assert "127.0.0.1" in target["dns"]["hosts_file"]
    assert 302 in {a["http"]["status"] for a in target["attempts"] if a["http"]}


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = observe(port)
    (attempt,) = target["attempts"]
    assert (attempt["tcp"]["error"]["code"], attempt["tls"], attempt["http"]) == ("refused", None, None)
    assert target["winner"] is None


def broken(*_args: object, **_kw: object) -> None:
    raise RuntimeError("nobody foresaw this")


@pytest.mark.parametrize(
    ("module", "name", "phase"), [(tcp, "connect", "tcp"), (http_probe, "exchange", "http"), (tls, "probe", "tls")]
)
def test_a_bug_of_ours_is_not_the_networks(
    monkeypatch: pytest.MonkeyPatch, module: t.Any, name: str, phase: str
) -> None:
    monkeypatch.setattr(module, name, broken)
    with server(PAGE) as (port, _got):
        target = observe(port, spec={"scheme": "https" if phase == "tls" else "http"})
    (attempt,) = target["attempts"]
    assert attempt[phase]["error"]["code"] == "error"
    assert target["complete"] is True


def test_a_bug_in_the_look_up_is_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "system_lookup", broken)
    target = observe(1, spec={"host": "localhost"})
    assert target["dns"]["system"]["error"]["code"] == "error"
    assert target["complete"] is True


@pytest.mark.parametrize(
    ("place", "module", "name", "phase"),
    [("127.0.0.1:9", tcp, "connect", "tcp"), ("proxy.invalid:9", resolving, "system_lookup", "dns")],
)
def test_a_bug_on_the_way_to_a_proxy_is_not_the_proxys(
    monkeypatch: pytest.MonkeyPatch, place: str, module: t.Any, name: str, phase: str
) -> None:
    monkeypatch.setattr(module, name, broken)
    monkeypatch.setenv("http_proxy", f"http://{place}")
    monkeypatch.setenv("no_proxy", "")
    target = observe(1, spec={"host": "192.0.2.1"})
    (attempt,) = target["proxy_attempts"]
    assert (attempt["tcp"]["error"]["phase"], attempt["tcp"]["error"]["code"]) == (phase, "error")
    assert target["complete"] is True


def test_a_bug_on_a_thread_of_the_windows_twin_ends_no_process(windows_part) -> None:
    """What leaves a thread uncaught would end the PowerShell that runs the module."""
    assert windows_part("worker") == "error"
    assert windows_part("worker") == "error"


def test_a_stalled_server_is_asked_for_another_name_meanwhile() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        target = observe(silent.getsockname()[1], spec={"scheme": "https"}, timeout=0.6)
        took = time.monotonic() - began
    (attempt,) = target["attempts"]
    assert (attempt["tls"]["error"]["code"], attempt["tls"]["bytes_received"]) == ("timeout", 0)
    assert attempt["neutral_sni"]["sni"] == "www.example.com"
    assert attempt["neutral_sni"]["error"]["code"] == "timeout"
    assert took < 2 * 0.6, "the two run side by side"


def test_too_many_endpoints_are_refused() -> None:
    specs = [{"id": str(n), "host": "127.0.0.1", "port": 1} for n in range(endpoints.MAX_TARGETS + 1)]
    with pytest.raises(ValueError, match="more than"):
        endpoints.collect({"endpoints": specs}, Deadline(5))


def test_a_seed_repeats_the_random_name() -> None:
    def name(seed: int | None) -> str:
        context = probe_context.Context({"seed": seed}, Deadline(3))
        target = endpoints._canary_target(context, {"id": "r", "kind": "random_name", "host": "edefter.gov.tr."})
        assert target is not None
        return target.host

    assert name(7) == name(7)
    assert name(None) != name(None)
    assert name(7).endswith(".edefter.gov.tr")
