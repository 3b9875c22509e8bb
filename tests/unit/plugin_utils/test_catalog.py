# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.edefter.ready.plugins.plugin_utils import catalog
from ansible_collections.edefter.ready.plugins.plugin_utils.model import OptionError


def test_the_packaged_endpoints_are_what_the_vendor_names():
    got = {(e.host, e.port, e.scheme, e.allow) for e in catalog.endpoints() if e.required}
    assert got == {
        ("uyg.edefter.gov.tr", 443, "https", "*.edefter.gov.tr"),
        ("firma.myedefter.com.tr", 443, "https", "*.myedefter.com.tr"),
        ("firma.myedefter.com.tr", 4443, "https", "*.myedefter.com.tr"),
        ("portal.emikro.com.tr", 80, "http", "portal.emikro.com.tr"),
    }


def test_optional_entries_are_off_until_asked_for():
    assert "partner" not in {e.id for e in catalog.endpoints()}
    assert "partner" in {e.id for e in catalog.endpoints([{"id": "partner", "enabled": True}])}


def test_override_switch_off_and_add():
    got = catalog.endpoints(
        [
            {"id": "uyg", "host": "test.edefter.gov.tr"},
            {"id": "portal", "enabled": False},
            {"id": "own", "host": "own.example", "port": 8443, "purpose": "ours"},
        ]
    )
    by_id = {e.id: e for e in got}
    assert by_id["uyg"].host == "test.edefter.gov.tr"
    assert by_id["uyg"].port == 443
    assert "portal" not in by_id
    assert by_id["own"].purpose_tr == by_id["own"].purpose_en == "ours"
    assert by_id["own"].allow == "own.example"
    assert by_id["own"].probe() == {"id": "own", "host": "own.example", "port": 8443, "scheme": "https", "path": "/"}


def test_time_sources_have_several_operators_and_only_ntp_peers():
    got = catalog.time_sources()
    assert len({s.operator for s in got if s.kind == "ntp"}) >= 4
    assert any(s.kind == "https" and s.operator == "gib" for s in got)
    assert [s.id for s in got if s.peer]
    assert catalog.time_sources([{"id": "lan", "host": "10.0.0.1"}])[-1].probe()["port"] == 123


def test_canaries_have_one_switch():
    assert catalog.canaries(enabled=False) == ()
    assert {c.kind for c in catalog.canaries()} == {"random_name", "test_net", "https", "http_text"}
    assert catalog.canaries([{"id": "ncsi", "enabled": False}])[0].probe()["kind"] == "random_name"


@pytest.mark.parametrize(
    ("reader", "overrides", "option"),
    [
        (catalog.endpoints, "uyg", "endpoints"),
        (catalog.endpoints, ["uyg"], "endpoints"),
        (catalog.endpoints, [{"host": "x.example"}], "endpoints"),
        (catalog.endpoints, [{"id": "Bad Id", "host": "x.example"}], "endpoints.id"),
        (catalog.endpoints, [{"id": "uyg", "enabled": "no"}], "endpoints.enabled"),
        (catalog.endpoints, [{"id": "uyg", "prot": 443}], "endpoints.prot"),
        (catalog.endpoints, [{"id": "uyg", "port": "443"}], "endpoints.port"),
        (catalog.endpoints, [{"id": "uyg", "port": 0}], "endpoints.port"),
        (catalog.endpoints, [{"id": "uyg", "port": True}], "endpoints.port"),
        (catalog.endpoints, [{"id": "uyg", "host": "https://uyg"}], "endpoints.host"),
        (catalog.endpoints, [{"id": "uyg", "host": "a|b"}], "endpoints.host"),
        (catalog.endpoints, [{"id": "new"}], "endpoints.host"),
        (catalog.endpoints, [{"id": "uyg", "scheme": "ftp"}], "endpoints.scheme"),
        (catalog.endpoints, [{"id": "uyg", "path": "x y"}], "endpoints.path"),
        (catalog.endpoints, [{"id": "uyg", "allow": "*.*"}], "endpoints.allow"),
        (catalog.endpoints, [{"id": "uyg", "purpose": "a\x1b[31m"}], "endpoints.purpose"),
        (catalog.time_sources, [{"id": "x", "host": "x.example", "kind": "https", "peer": True}], "time_sources.peer"),
        (catalog.time_sources, [{"id": "ume", "stratum": 1}], "time_sources.stratum"),
        (catalog.canaries, [{"id": "x", "host": "x.example", "kind": "dns"}], "canaries.kind"),
    ],
)
def test_bad_input_names_option_value_and_remedy(reader, overrides, option):
    with pytest.raises(OptionError) as caught:
        reader(overrides)
    assert caught.value.option == option
    assert caught.value.remedy
    assert option in str(caught.value)


def test_an_ipv6_address_is_a_host():
    assert catalog.time_sources([{"id": "six", "host": "2001:db8::1"}])[-1].host == "2001:db8::1"
