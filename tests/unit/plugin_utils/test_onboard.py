# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Onboarding's pure rooms: the list of hosts, the judge of the stages, the firm's letter and inventory."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from ansible_collections.edefter.ready.plugins.plugin_utils import messages
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError, Status
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard import causes, firm, judge, letter, roster
from ansible_collections.edefter.ready.plugins.plugin_utils.onboard.stages import (
    Attempt,
    Certificate,
    Connection,
    Looked,
)
from hypothesis import given
from hypothesis import strategies as st

# ------------------------------------------------------------------ the list


def test_a_list_as_excel_saves_it_in_turkey() -> None:
    head = "Ad;Adres;Firma;Şube;Rol;Bağlantı Noktası\r\n"
    text = head + "sunucu1;192.0.2.10;Yıldız & Ortakları;İzmir;SUNUCU;5985\r\npc-1;;;;;\r\n\r\n"
    for content in (text.encode("cp1254"), text.encode("utf-8-sig"), text.encode()):
        first, second = roster.parse(roster.decoded(content), "Kaya")
        assert first == roster.Row("sunucu1", "192.0.2.10", "Yıldız & Ortakları", "İzmir", "server", 5985)
        assert second == roster.Row("pc-1", "pc-1", "Kaya", "", "workstation", None)


@pytest.mark.parametrize("head", ["name,address", "host\tip", "BİLGİSAYAR;IP ADRESİ", "AD;ADRES", "Adı;adres"])
def test_columns_by_any_name(head: str) -> None:
    mark = next(c for c in ",\t;" if c in head)
    (row,) = roster.parse(f"{head}\nx{mark}192.0.2.1\n")
    assert (row.name, row.address) == ("x", "192.0.2.1")


def test_an_address_is_name_enough() -> None:
    (row,) = roster.parse("adres\n192.0.2.7\n")
    assert (row.name, row.address) == ("192.0.2.7", "192.0.2.7")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "list"),
        ("\n\n", "list"),
        ("name\n", "list"),
        ("firma,rol\nx,y\n", "columns"),
        ("name,Parola\npc1,x\n", "column"),
        ("name,admin_password\npc1,x\n", "column"),
        ("name\npc1\nPC1\n", "line 3, name"),
        ("name\npc 1\n", "line 2, name"),
        ("name\nall:!x\n", "line 2, name"),
        ("name\n{{ lookup('pipe', 'id') }}\n", "line 2, name"),
        ("name,address\npc1,http://192.0.2.1\n", "line 2, address"),
        ("name,role\npc1,boss\n", "line 2, role"),
        ("name,port\npc1,0\n", "line 2, port"),
        ("name,port\npc1,٥٩\n", "line 2, port"),
        ("name,firm\npc1,{{ x }}\n", "line 2, firm"),
        ("name,branch\npc1,a\x07b\n", "line 2, branch"),
        ('name\n"pc1\n', "line 2"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_line(text: str, named: str) -> None:
    with pytest.raises(OptionError) as caught:
        roster.parse(text)
    assert caught.value.option == named
    assert caught.value.remedy


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        rows = roster.parse(text)
    except OptionError:
        return
    for row in rows:
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", row.name)
        assert "{" not in f"{row.firm}{row.branch}{row.address}"


# ------------------------------------------------------------------ the stages

HTTPS = Connection("winrm", "pc1.firma.local", 5986, True, "ntlm", "FIRMA\\yonetici")
HTTP = Connection("winrm", "192.0.2.10", 5985, False, "ntlm", "Administrator")
CERT = Certificate("CN=pc9", "CN=Firma CA", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", ("pc9.firma.local",))
SEEN: dict[str, Any] = {
    "addresses": ("192.0.2.10",),
    "dns": "ok",
    "ports": {5986: "ok"},
    "tls": "ok",
    "certificate": CERT,
    "http": "ok",
    "status": 401,
    "server": "Microsoft-HTTPAPI/2.0",
    "offers": ("negotiate", "kerberos"),
    "skew": 0.5,
}


def outside(connection: Connection, **changes: Any) -> dict[str, tuple[str, str]]:
    looked = Looked(**{**SEEN, **changes})
    return {f.subject: (str(f.status), f.cause) for f in judge.outside(connection, looked)}


def test_all_is_well() -> None:
    assert outside(HTTPS) == {
        "dns": ("pass", "onboard.dns_ok"),
        "port": ("pass", "onboard.port_ok"),
        "tls": ("pass", "onboard.tls_ok"),
        "http": ("pass", "onboard.http_ok"),
    }
    assert list(outside(HTTP, ports={5985: "ok"})) == ["port", "http"]
    assert not judge.ended(judge.outside(HTTPS, Looked(**SEEN)))


@pytest.mark.parametrize(
    ("changes", "stage", "cause"),
    [
        ({"dns": "nxdomain"}, "dns", "name_unknown"),
        ({"dns": "nodata"}, "dns", "name_unknown"),
        ({"dns": "try_again"}, "dns", "dns_silent"),
        ({"dns": "timeout"}, "dns", "dns_silent"),
        ({"ports": {5986: "refused", 5985: "refused"}}, "port", "port_refused"),
        ({"ports": {5986: "timeout", 5985: "timeout"}}, "port", "port_silent"),
        ({"ports": {5986: "host_unreachable", 5985: "timeout"}}, "port", "port_unreachable"),
        ({"ports": {5986: "refused", 5985: "ok"}}, "port", "other_port"),
        ({"ports": {}}, "port", "port_silent"),
        ({"tls": "expired"}, "tls", "cert_expired"),
        ({"tls": "not_yet_valid"}, "tls", "cert_not_yet_valid"),
        ({"tls": "wrong_name"}, "tls", "cert_wrong_name"),
        ({"tls": "untrusted"}, "tls", "cert_untrusted"),
        ({"tls": "untrusted", "certificate": None}, "tls", "cert_untrusted"),
        ({"tls": "not_tls", "certificate": None}, "tls", "not_tls"),
        ({"tls": "reset", "certificate": None}, "tls", "tls_failed"),
        ({"http": "timeout"}, "http", "http_silent"),
        ({"http": "not_http"}, "http", "not_winrm"),
        ({"status": 200}, "http", "not_winrm"),
        ({"status": 407}, "http", "not_winrm"),
        ({"status": 503}, "http", "unavailable"),
        ({"offers": ("basic",)}, "auth", "auth_not_offered"),
    ],
)
def test_each_stage_from_outside(changes: dict[str, Any], stage: str, cause: str) -> None:
    found = judge.outside(HTTPS, Looked(**{**SEEN, **changes}))
    assert judge.ended(found)
    last = found[-1]
    assert (last.subject, last.cause, last.status) == (stage, f"onboard.{cause}", Status.FAIL)
    assert all(finding.status is Status.PASS for finding in found[:-1])
    for part in ("title", "remedy"):
        for text in messages.render(last.cause, part, last.params).values():
            assert text
            assert not re.search(r"\?[a-z_]+\?", text)


def test_a_certificate_that_is_not_checked_is_a_warning() -> None:
    loose = Connection(**{**HTTPS.__dict__, "verify": False})
    assert outside(loose, tls="untrusted")["tls"] == ("warn", "onboard.tls_not_verified")
    assert "http" in outside(loose, tls="untrusted")
    assert outside(loose, tls="not_tls", certificate=None)["tls"] == ("fail", "onboard.not_tls")


def test_basic_in_the_clear_is_said() -> None:
    basic = Connection(**{**HTTP.__dict__, "auth": "basic"})
    seen = outside(basic, ports={5985: "ok"}, offers=("basic",))
    assert seen["tls"] == ("warn", "onboard.basic_in_clear")


def test_behind_a_proxy_nothing_is_known_from_outside() -> None:
    proxied = Connection(**{**HTTPS.__dict__, "proxied": True})
    assert list(outside(proxied, dns="nxdomain").values()) == [("warn", "onboard.through_proxy")]


def test_windows_may_find_fault_with_an_empty_request() -> None:
    assert outside(HTTPS, status=411, offers=())["http"] == ("pass", "onboard.http_ok")
    assert outside(HTTPS, status=411, offers=(), server="nginx")["http"] == ("fail", "onboard.not_winrm")
    assert outside(HTTPS, status=404, offers=())["http"] == ("fail", "onboard.not_winrm")


def test_ssh_has_a_port_only() -> None:
    ssh = Connection("ssh", "192.0.2.10", 22, False, "", "x")
    assert outside(ssh, ports={22: "ok"}) == {"port": ("pass", "onboard.port_ok")}
    assert outside(ssh, ports={22: "refused", 5985: "ok"})["port"] == ("fail", "onboard.port_refused")


FAULT = (
    "ntlm: Erişim engellendi. (extended fault data: {'transport_message': 'Bad HTTP response returned from server."
    " Code 500', 'http_status_code': 500, 'wsmanfault_code': %s})"
)
KINIT = "Kerberos auth failure for principal A@F.LOCAL: kinit: "
CLM = "Cannot run untrusted PowerShell script 'x' in ConstrainedLanguage mode with module util imports."
NO_CALL = "    + FullyQualifiedErrorId : MethodInvocationNotSupportedInConstrainedLanguage"


@pytest.mark.parametrize(
    ("auth", "user", "text", "cause"),
    [
        ("ntlm", "Administrator", "ntlm: the specified credentials were rejected by the server", "rejected_local"),
        ("ntlm", ".\\ali", "ntlm: the specified credentials were rejected by the server", "rejected_local"),
        ("ntlm", "PC1\\ali", "ntlm: the specified credentials were rejected by the server", "rejected_local"),
        ("ntlm", "FIRMA\\ali", "ntlm: the specified credentials were rejected by the server", "rejected_domain"),
        ("ntlm", "ali@firma.local", "ntlm: the specified credentials were rejected by the server", "rejected_domain"),
        ("ntlm", "", "ntlm: auth method ntlm requires a username", "no_credentials"),
        ("ntlm", "ali", FAULT % 5, "access_denied_local"),
        ("ntlm", "FIRMA\\ali", FAULT % "'5'", "access_denied_domain"),
        ("ntlm", "ali", FAULT % 2150859174, "wsman_fault"),
        ("ntlm", "ali", "ntlm: Bad HTTP response returned from server. Code 500", "server_error"),
        ("ntlm", "ali", "the connection attempt timed out", "timed_out"),
        ("ntlm", "ali", "ntlm: HTTPConnectionPool(host='x', port=1): Read timed out. (read timeout=30)", "timed_out"),
        ("basic", "ali", "basic: ", "not_wsman"),
        ("basic", "ali", "basic: not well-formed (invalid token): line 1, column 1", "not_wsman"),
        ("ntlm", "ali", "ntlm: requested auth method is ntlm, but requests_ntlm is not installed", "library_missing"),
        ("ntlm", "ali", "something new", "connection_failed"),
        ("kerberos", "A@F.LOCAL", KINIT + "Clock skew too great while getting initial credentials", "clock_skew"),
        ("kerberos", "A@F.LOCAL", KINIT + "Preauthentication failed", "rejected_domain"),
        ("kerberos", "A@F.LOCAL", "kinit: Client 'A@F.LOCAL' not found in Kerberos database", "rejected_domain"),
        ("kerberos", "A@F.LOCAL", "kinit: Cannot find KDC for realm \"F.LOCAL\"", "kerberos_kdc"),
        ("kerberos", "A@F.LOCAL", "kinit: Password has expired", "password_expired"),
        ("kerberos", "A@F.LOCAL", "kinit: Client's credentials have been revoked", "account_locked"),
        ("kerberos", "A@F.LOCAL", "kerberos: Server HTTP/pc1@F.LOCAL not found in Kerberos database", "kerberos_spn"),
        ("kerberos", "A@F.LOCAL", "Kerberos auth failure when calling kinit cmd 'kinit': [Errno 2]", "library_missing"),
        ("kerberos", "ali", "kerberos: the specified credentials were rejected by the server", "kerberos_local"),
    ],
)  # fmt: skip
def test_why_logging_on_failed(auth: str, user: str, text: str, cause: str) -> None:
    connection = Connection(**{**HTTPS.__dict__, "auth": auth, "user": user})
    attempt = Attempt("connection", ("AnsibleConnectionFailure",), text)
    (found,) = judge.inside(connection, Looked(**SEEN), attempt)
    assert (found.subject, found.cause) == ("auth", f"onboard.{cause}")
    assert found.status is Status.FAIL
    for part in ("title", "remedy"):
        for shown in messages.render(found.cause, part, found.params).values():
            assert shown
            assert not re.search(r"\?[a-z_]+\?", shown)


def test_kerberos_by_address_and_by_a_wrong_clock() -> None:
    spn = Attempt("connection", (), "kerberos: Server HTTP/192.0.2.10@F not found in Kerberos database")
    by_address = Connection(**{**HTTP.__dict__, "auth": "kerberos", "user": "A@F.LOCAL"})
    assert judge.inside(by_address, Looked(**SEEN), spn)[0].cause == "onboard.kerberos_name"
    assert judge.inside(by_address, Looked(**SEEN), Attempt("connection", (), "?"))[0].cause == "onboard.kerberos_name"
    # What was measured outweighs what was said: 401 is all that a client hears of a wrong clock.
    refused = Attempt("connection", (), "kerberos: the specified credentials were rejected by the server")
    domain = Connection(**{**HTTPS.__dict__, "auth": "kerberos", "user": "A@F.LOCAL"})
    (late,) = judge.inside(domain, Looked(**{**SEEN, "skew": -420.0}), refused)
    assert late.cause == "onboard.clock_skew"
    assert late.params["skew"] == "-420"
    assert judge.inside(domain, Looked(**{**SEEN, "skew": 100.0}), refused)[0].cause == "onboard.rejected_domain"
    ntlm = Connection(**{**domain.__dict__, "auth": "ntlm"})
    assert judge.inside(ntlm, Looked(**{**SEEN, "skew": -420.0}), refused)[0].cause == "onboard.rejected_domain"


@pytest.mark.parametrize(
    ("text", "output", "cause"),
    [
        ("Ansible requires PowerShell v5.1", "", "powershell_old"),
        ("Module result deserialization failed.", NO_CALL, "constrained"),
        (CLM, "", "constrained"),
        ("MODULE FAILURE", "FullyQualifiedErrorId : ScriptContainedMaliciousContent", "antivirus"),
        ("MODULE FAILURE", "CategoryInfo : SecurityError: (:) [], PSSecurityException", "execution_policy"),
        ("Unhandled exception", "", "module_failed"),
        ("", "", "module_failed"),
    ],
)  # fmt: skip
def test_why_powershell_failed(text: str, output: str, cause: str) -> None:
    passed, failed = judge.inside(HTTPS, Looked(**SEEN), Attempt("module", (), text, output))
    assert (passed.subject, passed.status) == ("auth", Status.PASS)
    assert (failed.subject, failed.cause) == ("shell", f"onboard.{cause}")


def test_a_success_has_no_cause() -> None:
    assert causes.of(Attempt("ok"), HTTPS, Looked()) is None
    assert [f.status for f in judge.inside(HTTPS, Looked(), Attempt("ok"))] == [Status.PASS, Status.PASS]


# ------------------------------------------------------------------ the firm


def record(name: str, state: str, **more: Any) -> dict[str, Any]:
    findings = more.pop("findings", [])
    return {
        "host": name,
        "firm": "Yıldız",
        "branch": more.pop("branch", "Ankara"),
        "role": "workstation",
        "state": state,
        "message": {"tr": f"ileti {name}", "en": f"message {name}"},
        "before": {"findings": findings, "plan": more.pop("plan", [])},
    }


def finding(check: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "check": check,
        "subject": subject,
        "status": "fail",
        "owner": "local_admin",
        "title": {"tr": "<b>neden</b>", "en": "<b>cause</b>"},
        "remedy": {"tr": "yapın", "en": "do it"},
        **more,
    }


KNOWN = {
    "address": "192.0.2.10",
    "variables": {"ansible_connection": "winrm", "ansible_port": 5986, "ansible_winrm_scheme": "https"},
}
FIRM = firm.Firm(
    "Yıldız & Ortakları",
    (
        firm.host_of(record("pc1", "ready"), KNOWN),
        firm.host_of(record("pc2", "drifted", plan=[{}, {}], branch=""), {**KNOWN, "address": "pc2"}),
        firm.host_of(record("pc3", "unreachable", findings=[finding("onboard", "tls")]), KNOWN),
        firm.host_of(record("pc4", "blocked", findings=[finding("endpoint", "firma-4443")], branch="İzmir"), None),
        firm.host_of(record("pc5", "pending"), {**KNOWN, "variables": {**KNOWN["variables"], "ansible_port": 5985}}),
    ),
)


def test_go_and_where_the_others_got_stuck() -> None:
    assert {host.name: host.stage for host in FIRM.hosts} == {
        "pc1": "", "pc2": "", "pc3": "tls", "pc4": "check", "pc5": "none",
    }  # fmt: skip
    assert not FIRM.go
    assert firm.Firm("x", FIRM.hosts[:2]).go
    assert not firm.Firm("x", ()).go


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_letter(language: str) -> None:
    page = letter.render(FIRM, language, "25.11.2026", "<Danışman>")
    assert page.count("<tr>") == 4
    for bad in ("<b>", "<Danışman>", "& Ort", "http", "?"):
        assert bad not in page.replace("<!DOCTYPE", "")
    assert ("Henüz başlanamaz." if language == "tr" else "No-go for now.") in page
    for cause in ("onboard.stage_tls", "onboard.stage_check", "onboard.stage_none"):
        assert messages.render(cause, "title", {})[language] in page
    good = letter.render(firm.Firm("x", FIRM.hosts[:2]), language)
    assert ("Başlanabilir." if language == "tr" else "Go.") in good
    assert "<table>" not in good


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


def test_the_inventory() -> None:
    read = yaml.load(firm.inventory(FIRM), Loader=_Loader)
    groups = read["all"]["children"]
    own = groups["edefter_hosts"]["children"]["yildiz_ortaklari"]
    assert own["vars"]["edefter_firm"] == "Yıldız & Ortakları"
    assert own["vars"]["ansible_password"] == "{{ vault_ansible_password }}"
    assert own["hosts"] == {"pc2": {"edefter_role": "workstation", **KNOWN["variables"]}} | {"pc2": own["hosts"]["pc2"]}
    assert "ansible_host" not in own["hosts"]["pc2"]
    ankara = own["children"]["yildiz_ortaklari_ankara"]
    assert ankara["vars"] == {"edefter_branch": "Ankara"}
    assert ankara["hosts"]["pc1"]["ansible_host"] == "192.0.2.10"
    waiting = groups["yildiz_ortaklari_waiting"]["hosts"]
    assert set(waiting) == {"pc3", "pc4", "pc5"}
    assert waiting["pc5"]["ansible_port"] == 5985
    assert waiting["pc3"]["edefter_waiting_for"] == "tls"


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_the_inventory_holds_any_text(name: str, branch: str) -> None:
    one = firm.host_of({**record("pc1", "ready"), "branch": branch}, KNOWN)
    read = yaml.load(firm.inventory(firm.Firm(name, (one,))), Loader=_Loader)
    own = read["all"]["children"]["edefter_hosts"]["children"][firm.slug(name)]
    plain = "".join(c if c.isprintable() else "\ufffd" for c in name)
    assert own["vars"]["edefter_firm"] == (("unsafe", plain) if "{" in name else plain)


def test_slugs_differ() -> None:
    made = firm.slugs(["Yıldız", "yildiz", "Şahin & Öz", "", "123"])
    assert list(made.values()) == ["yildiz", "yildiz_2", "sahin_oz", "firma", "firma_123"]
    assert json.dumps(made)
