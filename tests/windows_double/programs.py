# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System programs of a simulated host: w32tm, sc, tzutil, in Turkish, because nothing may depend on what they print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from windows_double import services, w32time, zones
from windows_double.host import Host
from windows_double.registry import Value
from windows_double.task import NotModelled

#: HRESULT_FROM_WIN32(ERROR_SERVICE_NOT_ACTIVE), as a signed exit code.
NOT_STARTED = -2147023834
_NETWORK_ON = bytes.fromhex("def2274fe2140b43a5497cd48cbc8245")
_NETWORK_OFF = bytes.fromhex("2aa64bcc2e164846847ab6bdf993e335")


@dataclass(frozen=True)
class Done:
    """Exit code and output of a program."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


def w32tm(host: Host, words: list[str]) -> Done:
    """/config /update, /resync [/nowait] [/rediscover] [/force|/soft], /unregister and /register are refused.

    Like the real one, /resync prints a refusal and ends with 0; only a stopped service gives an error code.
    """
    flags = {word.lower() for word in words}
    if flags <= {"/config", "/update"} and "/config" in flags and "/update" in flags:
        if services.state(host, "w32time") != "running":
            return Done(NOT_STARTED, "Şu hata oluştu: Hizmet başlatılmamış. (0x80070426)\r\n")
        w32time.updated(host)
        return Done(0, "Komut başarıyla tamamlandı.\r\n")
    if "/resync" in flags and flags <= {"/resync", "/nowait", "/rediscover", "/force", "/soft"}:
        outcome = w32time.resync(host)
        if outcome.what == "not_running":
            return Done(NOT_STARTED, "Şu hata oluştu: Hizmet başlatılmamış. (0x80070426)\r\n")
        head = "Yerel bilgisayara yeniden eşitleme komutu gönderiliyor\r\n"
        if outcome.what == "synced" or "/nowait" in flags:
            return Done(0, head + "Komut başarıyla tamamlandı.\r\n")
        if outcome.what == "too_big":
            return Done(0, head + "Gerekli saat değişikliği çok büyük olduğundan bilgisayar yeniden eşitlenmedi.\r\n")
        return Done(0, head + "Kullanılabilir saat verisi olmadığından bilgisayar yeniden eşitlenmedi.\r\n")
    raise NotModelled(f"w32tm {' '.join(words)}")


def sc(host: Host, words: list[str]) -> Done:
    """`sc triggerinfo NAME delete`, `sc triggerinfo NAME start/networkon [stop/networkoff]`, `sc qtriggerinfo NAME`."""
    if len(words) < 2 or words[0].lower() not in ("triggerinfo", "qtriggerinfo"):
        raise NotModelled(f"sc {' '.join(words)}")
    name = services.find(host, words[1])
    if name is None:
        return Done(1060, "[SC] OpenService BAŞARISIZ 1060:\r\n\r\nBelirtilen hizmet yüklü bir hizmet olarak yok.\r\n")
    if words[0].lower() == "qtriggerinfo":
        return Done(
            0, f"[SC] QueryServiceConfig2 BAŞARILI\r\n\r\nHİZMET_ADI: {name}\r\n{services.triggers(host, name)}\r\n"
        )
    actions = [word.lower() for word in words[2:]]
    known = {"start/networkon": (2, 1, _NETWORK_ON), "stop/networkoff": (2, 2, _NETWORK_OFF)}
    if actions != ["delete"] and not (actions and set(actions) <= set(known)):
        raise NotModelled(f"sc {' '.join(words)}")
    registry = host.writable()
    key = f"{services.ROOT}\\{name}\\TriggerInfo"
    registry.delete_key(key)
    for number, action in enumerate(a for a in actions if a != "delete"):
        kind, what, guid = known[action]
        registry.update(
            f"{key}\\{number}",
            [Value("Type", "dword", kind), Value("Action", "dword", what), Value("Guid", "binary", guid)],
        )
    return Done(0, "[SC] ChangeServiceConfig2 BAŞARILI\r\n")


def tzutil(host: Host, words: list[str]) -> Done:
    """/g, /l, /s ZONE."""
    if [word.lower() for word in words] == ["/g"]:
        return Done(0, zones.current(host.registry))
    if [word.lower() for word in words] == ["/l"]:
        return Done(0, "\r\n".join(host.registry.subkeys(zones.DATABASE)))
    if len(words) == 2 and words[0].lower() == "/s":
        if not zones.known(host.registry, words[1]):
            return Done(1, "", "Belirtilen saat dilimi geçersiz.\r\n")
        zones.put(host.writable(), words[1])
        return Done()
    raise NotModelled(f"tzutil {' '.join(words)}")


PROGRAMS: dict[str, Callable[[Host, list[str]], Done]] = {"w32tm": w32tm, "sc": sc, "tzutil": tzutil}
