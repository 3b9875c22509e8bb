# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both clock observers against servers on 127.0.0.1: the same shape, the same conduct, no stray datagram believed."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.edefter.ready.plugins.module_utils import clock as clock_twin
from ansible_collections.edefter.ready.plugins.module_utils.core import observe
from ansible_collections.edefter.ready.plugins.plugin_utils.clock.verdict import ClockVerdict, assess
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.clock import parse_clock
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.envelope import parse_observation
from clock_trials import loopback, workers
from clock_trials.loopback import DateServer, NtpServer, head, packet
from windows_double import csharp, labs

pytestmark = pytest.mark.skipif(shutil.which("mono") is None, reason="no mono")
TWINS = ("csharp", "python")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> loopback.Authority:
    return loopback.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def hosts(
    authority: loopback.Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], workers.Host]]:
    """Warm hosts by (twin, clock), made when first asked for."""
    home = labs.trust_home(authority.ca, tmp_path_factory.mktemp("home"))
    made: dict[tuple[str, str], workers.Host] = {}

    class Made(dict[tuple[str, str], workers.Host]):
        def __missing__(self, key: tuple[str, str]) -> workers.Host:
            twin, faked = key
            made[key] = (
                workers.CSharpHost(None, faked, home)
                if twin == "csharp"
                else workers.PythonHost(None, faked, authority.ca)
            )
            self[key] = made[key]
            return made[key]

    yield Made()
    for host in made.values():
        host.close()


def ntp_source(server: NtpServer | int, name: str = "a", **more: Any) -> dict[str, Any]:
    port = server if isinstance(server, int) else server.port
    return {"id": name, "host": "127.0.0.1", "port": port, "kind": "ntp", "operator": name, **more}


def date_source(server: DateServer, name: str = "date", host: str = "localhost") -> dict[str, Any]:
    return {"id": name, "host": host, "port": server.port, "kind": "https", "operator": name, "path": "/"}


def run(host: workers.Host, *sources: dict[str, Any], **options: Any) -> dict[str, Any]:
    return host.measure(
        {"time_sources": list(sources), "timeout": 2.0, "deadline": 10.0, "sample_interval": 0.05, **options}
    )


def section(observation: dict[str, Any]) -> dict[str, Any]:
    found = observation["sections"]["clock"]
    assert found["status"] == "ok", found["error"]
    return found["data"]  # type: ignore[no-any-return]


def judged(observation: dict[str, Any]) -> ClockVerdict:
    return assess(parse_clock(parse_observation(observation).sections["clock"].data))


def shape(value: Any) -> Any:
    """Keys and types, without values; a list is the shape of its first element."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, float) and value.is_integer():
        return "int"
    return type(value).__name__


def test_twins_report_the_same_shape(hosts: Any, authority: loopback.Authority) -> None:
    shapes = []
    for twin in TWINS:
        with NtpServer() as server, DateServer(authority.pair()) as web:
            data = section(run(hosts[twin, "+0"], ntp_source(server), ntp_source(1, "closed"), date_source(web)))
        assert {s["id"] for s in data["sources"]} == {"a", "closed", "date"}
        # Only the POSIX kernel tells what it knows of its clock.
        data.pop("kernel")
        found = shape({s["id"]: s for s in data.pop("sources")})
        found["closed"]["error"].pop("message")
        shapes.append((shape(data), found))
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("faked", ["+0", "-24y", "+40y"])
def test_honest_sources(hosts: Any, authority: loopback.Authority, twin: str, faked: str) -> None:
    with NtpServer() as a, NtpServer() as b, DateServer(authority.pair()) as web:
        found = judged(run(hosts[twin, faked], ntp_source(a), ntp_source(b, "b"), date_source(web)))
    truth = {"+0": 0.0, "-24y": 24 * 365 * 86400.0, "+40y": -40 * 365 * 86400.0}[faked]
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo <= truth <= found.hi
    assert found.hi - found.lo < 0.05
    assert [row.verdict for row in found.sources] == ["agrees"] * 3
    assert found.outside_certificate == (faked != "+0")
    assert found.stepped is None


@pytest.mark.parametrize("twin", TWINS)
def test_a_request_tells_nothing_and_never_repeats(hosts: Any, twin: str) -> None:
    with NtpServer() as server:
        run(hosts[twin, "+0"], ntp_source(server))
        requests = list(server.requests)
    assert len(requests) >= 2
    assert all(len(r) == 48 and r[:40] == b"\x23" + bytes(39) for r in requests)
    cookies = {r[40:] for r in requests}
    assert len(cookies) == len(requests)
    assert bytes(8) not in cookies


def forged(request: bytes, _count: int) -> list[bytes]:
    """A guess that arrives before the true answer."""
    lie = bytearray(packet(request, offset=1000.0))
    lie[24:32] = os.urandom(8)
    return [bytes(lie), packet(request)]


def soup(request: bytes, count: int) -> list[bytes]:
    sizes = (0, 1, 12, 47, 48, 48, 68, 400, 1000)
    return [
        *(os.urandom(size) for size in sizes),
        packet(request, mode=3),
        packet(request, mode=6)[:47],
        packet(request),
    ]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("reply", [forged, soup])
def test_only_the_answer_to_the_request_counts(hosts: Any, twin: str, reply: loopback.Reply) -> None:
    with NtpServer(reply) as server:
        observation = run(hosts[twin, "+0"], ntp_source(server))
    (source,) = section(observation)["sources"]
    assert source["samples"]
    assert source["stray"] >= len(source["samples"])
    found = judged(observation)
    assert found.offset is not None
    assert abs(found.offset) < 0.05


@pytest.mark.parametrize("twin", TWINS)
def test_a_flood_of_strays_is_given_up(hosts: Any, twin: str) -> None:
    with NtpServer(lambda _request, _count: [os.urandom(48)] * 200) as server:
        started = time.monotonic()
        observation = run(hosts[twin, "+0"], ntp_source(server))
        assert time.monotonic() - started < 4
    (source,) = section(observation)["sources"]
    assert source["samples"] == []
    assert source["error"]["code"] in ("stray_answers", "timeout")


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("code", ["RATE", "DENY", "RSTR"])
def test_kiss_of_death_ends_it(hosts: Any, twin: str, code: str) -> None:
    with NtpServer(lambda request, _count: [packet(request, leap=3, stratum=0, refid=code.encode())]) as server:
        observation = run(hosts[twin, "+0"], ntp_source(server))
        assert len(server.requests) == 1
    (source,) = section(observation)["sources"]
    assert source["kiss"] == code
    assert judged(observation).sources[0].reason == f"kiss_{code.lower()}"


@pytest.mark.parametrize("twin", TWINS)
def test_a_forged_kiss_is_not_believed(hosts: Any, twin: str) -> None:
    def reply(request: bytes, _count: int) -> list[bytes]:
        kiss = bytearray(packet(request, leap=3, stratum=0, refid=b"DENY"))
        kiss[24:32] = bytes(8)
        return [bytes(kiss), packet(request)]

    with NtpServer(reply) as server:
        (source,) = section(run(hosts[twin, "+0"], ntp_source(server)))["sources"]
    assert source["kiss"] is None
    assert source["samples"]


@pytest.mark.parametrize("twin", TWINS)
def test_silence_is_asked_twice(hosts: Any, twin: str) -> None:
    with NtpServer(lambda _request, _count: []) as server:
        observation = run(hosts[twin, "+0"], ntp_source(server))
        assert len(server.requests) == 2
    (source,) = section(observation)["sources"]
    assert (source["sent"], source["error"]["code"]) == (2, "timeout")
    assert observation["elapsed_ms"] < 3000


@pytest.mark.parametrize("twin", TWINS)
def test_errors_keep_to_their_source(hosts: Any, twin: str) -> None:
    with NtpServer() as server:
        data = section(
            run(
                hosts[twin, "+0"],
                ntp_source(server),
                ntp_source(1, "closed"),
                {"id": "nowhere", "host": "nowhere.invalid", "kind": "ntp"},
                {"id": "bad", "host": "bad host\r\nX: y", "kind": "https"},
            )
        )
    by_id = {s["id"]: s for s in data["sources"]}
    assert by_id["a"]["error"] is None
    assert by_id["closed"]["error"]["code"] in ("refused", "reset")
    assert by_id["nowhere"]["error"]["phase"] == "dns"
    assert by_id["bad"]["error"] is not None
    assert (by_id["nowhere"]["port"], by_id["bad"]["port"]) == (123, 443)


@pytest.mark.parametrize("twin", TWINS)
def test_the_deadline_ends_it(hosts: Any, twin: str) -> None:
    with NtpServer(lambda _request, _count: []) as server:
        started = time.monotonic()
        observation = run(hosts[twin, "+0"], ntp_source(server), deadline=0.4)
        assert time.monotonic() - started < 3
    assert observation["complete"] is False


@pytest.mark.parametrize("twin", TWINS)
def test_an_idle_path_is_sampled_twice_a_busy_one_more(hosts: Any, twin: str) -> None:
    def busy(request: bytes, count: int) -> list[bytes]:
        time.sleep((0.3, 0.2, 0.1, 0.0)[count])
        # Stamped late: it is the way here that took so long.
        return [packet(request)]

    with NtpServer(busy) as server:
        (source,) = section(run(hosts[twin, "+0"], ntp_source(server)))["sources"]
        assert source["sent"] == len(server.requests) == 4
    with NtpServer(delay=0.02) as server:
        (source,) = section(run(hosts[twin, "+0"], ntp_source(server)))["sources"]
        assert source["sent"] in (2, 3)


@pytest.mark.parametrize("place", [0, 9, 49])
def test_twins_take_the_same_share(hosts: Any, place: int) -> None:
    sent = []
    for twin in TWINS:
        servers = [NtpServer() for _ in range(6)]
        sources = [ntp_source(server, f"s{number}") for number, server in enumerate(servers)]
        data = section(run(hosts[twin, "+0"], *sources, neighbours=20, place=place))
        sent.append([s["sent"] for s in data["sources"]])
        for source in data["sources"]:
            assert (source["skipped"] == "neighbours") == (source["sent"] == 0)
        for server in servers:
            server.close()
    assert sent[0] == sent[1] == [clock_twin.share(number, 4, 20, place) for number in range(6)]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("jump", [30.0, -3600.0])
def test_a_clock_that_is_set_meanwhile(twin: str, jump: float, tmp_path: pathlib.Path) -> None:
    """Half a second in, the wall clock jumps."""
    file = tmp_path / "offset"
    host: workers.Host
    if twin == "csharp":
        host = workers.CSharpHost(None, "+0", None, file)
    else:
        file.write_text("+0.0s\n")
        host = workers.PythonHost(
            None,
            "+0",
            None,
            {
                "LD_PRELOAD": csharp.faketime_library(),
                "FAKETIME_TIMESTAMP_FILE": str(file),
                "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1",
            },
        )

    def set_clock() -> None:
        ready = file.with_name("ready")
        ready.write_text(f"{jump}" if twin == "csharp" else f"{jump:+}s\n")
        ready.rename(file)

    delays = iter((0.3, 0.25, 0.2, 0.15, 0.1, 0.05))

    def slow(request: bytes, _count: int) -> list[bytes]:
        time.sleep(next(delays, 0.0))
        return [packet(request)]

    try:
        with NtpServer(slow) as server, NtpServer() as other:
            timer = threading.Timer(0.5, set_clock)
            timer.start()
            observation = run(host, ntp_source(server), ntp_source(other, "b"), sample_interval=0.2)
            timer.join()
    finally:
        host.close()
    section(observation)
    found = judged(observation)
    assert found.stepped is not None
    assert found.stepped.size == pytest.approx(jump, abs=0.05)
    # What was measured before the jump counts no more.
    if found.offset is not None:
        assert found.offset == pytest.approx(-jump, abs=0.3)


# ---- Date -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("twin", TWINS)
def test_date_on_one_connection(hosts: Any, authority: loopback.Authority, twin: str) -> None:
    with DateServer(authority.pair()) as web:
        observation = run(hosts[twin, "+0"], date_source(web))
        (source,) = section(observation)["sources"]
        assert web.connections == 1
        assert 2 <= len(web.requests) <= 7
        assert all(r.startswith(b"HEAD / HTTP/1.1\r\n") for r in web.requests)
        assert f"Host: localhost:{web.port}".encode() in web.requests[0]
    assert [a["first"] for a in source["requests"]] == [True] + [False] * (len(source["requests"]) - 1)
    assert source["certificate"]["problems"] == []
    found = judged(observation)
    assert found.method == "date"
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo <= 0.0 <= found.hi
    assert found.half_width is not None
    assert found.half_width < 0.12
    assert observation["elapsed_ms"] < 3000


@pytest.mark.parametrize("twin", TWINS)
def test_date_from_a_server_that_closes(hosts: Any, authority: loopback.Authority, twin: str) -> None:
    with DateServer(authority.pair(), lambda _count: head("Connection: close"), close=True) as web:
        observation = run(hosts[twin, "+0"], date_source(web))
        # One connection may have been made for a request that would have come too late.
        assert 2 < len(web.requests) <= web.connections <= len(web.requests) + 1
    found = judged(observation)
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo <= 0.0 <= found.hi


ODD_ANSWERS: dict[str, tuple[loopback.Answer, str]] = {
    "garbage": (lambda _count: os.urandom(100) + b"\r\n\r\n", "no_date"),
    "endless head": (lambda _count: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000, ""),
    "no date": (lambda _count: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "no_date"),
    "stored": (lambda _count: head("Age: 30", date=time.time() - 30), "stored"),
    "silence": (lambda _count: None, ""),
}


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_odd_answers(hosts: Any, authority: loopback.Authority, twin: str, kind: str) -> None:
    answer, reason = ODD_ANSWERS[kind]
    with DateServer(authority.pair(), answer) as web:
        observation = run(hosts[twin, "+0"], date_source(web), timeout=0.5)
    found = judged(observation)
    assert found.lo is None
    (row,) = found.sources
    assert row.verdict in ("rejected", "silent")
    if reason:
        assert row.reason == reason
    assert observation["elapsed_ms"] < 3000


@pytest.mark.parametrize("twin", TWINS)
def test_only_dates_are_forgiven_in_a_certificate(hosts: Any, authority: loopback.Authority, twin: str) -> None:
    with (
        DateServer(authority.pair(trusted=False)) as stranger,
        DateServer(authority.pair(name="other.example")) as misnamed,
    ):
        data = section(run(hosts[twin, "-24y"], date_source(stranger, "stranger"), date_source(misnamed, "misnamed")))
        assert stranger.requests == []
        assert misnamed.requests == []
    for source in data["sources"]:
        assert source["requests"] == []
        assert (source["error"]["phase"], source["error"]["code"]) == ("tls", "untrusted")


@pytest.mark.parametrize("twin", TWINS)
def test_an_expired_certificate_is_no_witness(hosts: Any, authority: loopback.Authority, twin: str) -> None:
    with DateServer(authority.pair(expired=True)) as web:
        found = judged(run(hosts[twin, "+0"], date_source(web)))
    assert found.lo is None
    assert found.sources[0].reason == "certificate_dates"
    assert not found.outside_certificate


# ---- a branch behind one address ------------------------------------------------------------------------------------

RATE_LIMIT = "ratelimit interval 3 burst 8 leak 2"
with_chronyd = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("chronyd") is None, reason="chronyd starts only for root"
)


def branch(servers: list[loopback.Chronyd], neighbours: int) -> list[dict[str, Any]]:
    """Fifty machines of a branch, ten at a time, as a play with ten forks."""
    sources = [ntp_source(server.port, f"s{number}") for number, server in enumerate(servers)]

    def one(place: int) -> dict[str, Any]:
        options = {"time_sources": sources, "neighbours": neighbours, "place": place, "timeout": 0.3}
        return section(observe("clock_info", {"clock": clock_twin.collect}, options))

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        return list(pool.map(one, range(50)))


@with_chronyd
def test_fifty_machines_stay_below_chronys_default_rate_limit() -> None:
    with loopback.chronyds(4, RATE_LIMIT) as servers:
        answers = branch(servers, neighbours=50)
        stats = [server.stats() for server in servers]
    assert all(dropped == 0 for _received, dropped in stats), stats
    measured = [data for data in answers if any(s["samples"] for s in data["sources"])]
    # Every granted answer goes to another machine; the rest have the Date and the control node.
    assert len(measured) == 28
    assert sum(received for received, _dropped in stats) == 28


@with_chronyd
def test_without_shares_they_would_not() -> None:
    with loopback.chronyds(1, RATE_LIMIT) as servers:
        branch(servers, neighbours=1)
        received, dropped = servers[0].stats()
    assert dropped > received / 4
