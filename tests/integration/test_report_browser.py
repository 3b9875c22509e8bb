# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html in headless Chromium: a small run with everything in it, and a fleet of 3,000 hosts.

EDEFTER_SCREENSHOTS names a folder for pictures and the A4 print, for a person to look at.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import report_fleet as fleet
from ansible_collections.edefter.ready.plugins.plugin_utils.edge import reports

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright (requirements/test.txt) is not installed")
axe_module = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium (a Debian package of packages.txt) is not installed")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A run with a host in every state and a hostile one, after another run."""
    folder = tmp_path_factory.mktemp("small")
    before = [fleet.host("pc-blocked", "ready", "Yıldız Muhasebe", "Şube 2")]
    reports.write_all(fleet.store(folder, before, "20261124T071500Z-0001", "2026-11-24T07:15:00Z"), "tr")
    written = reports.write_all(fleet.store(folder, [*fleet.every_kind(), fleet.hostile()]), "tr")
    return pathlib.Path(written.files["html"])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    store = fleet.store(tmp_path_factory.mktemp("large"), fleet.fleet(3000))
    return pathlib.Path(reports.write_all(store, "tr", ["html"]).files["html"])


class Tab:
    """A page, with everything that it complained about or asked the network for."""

    def __init__(self, browser: Any, path: pathlib.Path, viewport: dict[str, int], scheme: str = "light") -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme)
        self.context.set_default_timeout(5000)
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            assert self.troubles == []
            assert [url[:5] for url in self.asked] == ["file:"]
        self.context.close()

    def open(self, name: str) -> Any:
        """Opens a host by the keyboard; its details."""
        button = self.page.locator("tr.host button", has_text=name)
        button.focus()
        self.page.keyboard.press("Enter")
        cell = button.locator("xpath=ancestor::tr/following-sibling::tr[1]/td")
        cell.locator("div").first.wait_for()
        return cell

    def picture(self, name: str) -> None:
        folder = os.environ.get("EDEFTER_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=pathlib.Path(folder) / f"{name}.png", full_page=True)

    def axe(self) -> list[str]:
        """Serious violations of accessibility rules: rule and place."""
        found = axe_module.Axe().run(self.page).response["violations"]
        return [
            f"{violation['id']} {node['target']}: {node['failureSummary']}"
            for violation in found
            if violation["impact"] in SERIOUS
            for node in violation["nodes"][:3]
        ]


@pytest.mark.parametrize(
    ("name", "viewport", "scheme", "language"),
    [("desk", DESK, "light", "tr"), ("dark", DESK, "dark", "en"), ("phone", PHONE, "light", "tr")],
)
def test_every_view_is_clean_and_accessible(
    browser: Any, small: pathlib.Path, name: str, viewport: dict[str, int], scheme: str, language: str
) -> None:
    with Tab(browser, small, viewport, scheme) as tab:
        tab.page.locator(f"[data-to={language}]").click()
        assert tab.page.evaluate("document.documentElement.lang") == language
        tab.picture(f"{name}-closed")
        for host in ("pc-blocked", "pc-fixed", "pc-unreachable", "k1"):
            tab.open(host)
        tab.picture(name)
        assert tab.axe() == []
        # Nothing sticks out to the right of the screen.
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_details_tell_evidence_remedy_phases_clock_and_changes(browser: Any, small: pathlib.Path) -> None:
    with Tab(browser, small, DESK) as tab:
        cell = tab.open("pc-blocked")
        shown = cell.inner_text()
        for words in (
            "tcp timeout",
            "Beklenen",
            "Kanıt",
            "Çözüm",
            "güvenlik duvarı yöneticisi",
            "Bağlantıların evreleri",
        ):
            assert words in shown
        assert cell.locator("tr", has_text=":4443").locator("rect.failed").count() == 1
        assert cell.locator("rect.interval.own").count() == 1
        assert cell.locator("svg[role=img]").get_attribute("aria-label")
        cell = tab.open("pc-fixed")
        assert "yeniden ölçüldü, yerinde" in cell.inner_text()
        assert "connection refused" in tab.open("pc-unreachable").inner_text()
        assert "Artık hazır değil" in tab.page.locator("main").inner_text()
        button = tab.page.locator("tr.host button", has_text="pc-unreachable")
        assert button.get_attribute("aria-expanded") == "true"
        button.press("Space")
        assert button.get_attribute("aria-expanded") == "false"
        assert tab.page.locator("tr.detail:visible").count() == 2


def test_everything_works_by_the_keyboard(browser: Any, small: pathlib.Path) -> None:
    with Tab(browser, small, DESK) as tab:
        page = tab.page
        visible = page.locator("tr.host:visible")
        everyone = visible.count()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.documentElement.lang") == "en"
        assert "Who has to do what" in page.locator("main").inner_text()
        assert "Kim ne yapmalı" not in page.locator("main").inner_text()
        assert page.locator("#search").get_attribute("placeholder").startswith("Search")
        # Search: Turkish letters by their plain ones, several words, and Escape.
        page.keyboard.press("/")
        page.keyboard.type("YILDIZ sube blocked")
        page.locator("#shown", has_text="1 of").wait_for()
        assert visible.count() == 1
        page.keyboard.press("Escape")
        assert visible.count() == everyone
        # Filter: the chips come after the search field.
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
        assert {row.get_attribute("data-s") for row in visible.all()} == {"blocked"}
        page.keyboard.press("Space")
        assert visible.count() == everyone
        page.locator("#search").fill("nobody is called that")
        page.locator("#nothing").wait_for()
        assert visible.count() == 0


def test_hostile_texts_stay_text(browser: Any, small: pathlib.Path) -> None:
    with Tab(browser, small, DESK) as tab:
        cell = tab.open("onerror")
        cell.locator("summary").first.click()
        tab.page.wait_for_timeout(200)
        assert fleet.HOSTILE[:20] in cell.inner_text()
        # What would turn the words after it around, or hide, is shown as a sign of its own.
        assert not re.search("[\u202e\u2028]", tab.page.locator("body").inner_text())
        assert tab.page.locator("img").count() == 0
        assert cell.locator("script").count() == 0
        assert tab.page.locator("script:not([type])").count() == 1


def test_prints_on_a4(browser: Any, small: pathlib.Path) -> None:
    with Tab(browser, small, DESK) as tab:
        tab.open("pc-blocked")
        pdf = tab.page.pdf(prefer_css_page_size=True)
        folder = os.environ.get("EDEFTER_SCREENSHOTS")
        if folder:
            (pathlib.Path(folder) / "print.pdf").write_bytes(pdf)
        # 210 × 297 mm in points, rounded as Chromium does.
        assert (
            b"/MediaBox [0 0 594.95996 841.91998]" in pdf
            or b"/MediaBox [0 0 595.91998 842.88]" in pdf
            or b"/MediaBox [0 0 594 841]" in pdf
        ), pdf[pdf.find(b"/MediaBox") :][:60]
        tab.page.emulate_media(media="print")
        assert not tab.page.locator(".tools").is_visible()
        assert tab.page.locator("tr.detail").is_visible()


def test_three_thousand_hosts_open_in_two_seconds_and_stay_usable(browser: Any, large: pathlib.Path) -> None:
    assert large.stat().st_size < 12_000_000
    with Tab(browser, large, DESK) as tab:
        page = tab.page
        took = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
        assert took < 2000, f"{took} ms"
        assert page.locator("tr.host").count() == 3000
        # Searching, and opening a host among all of them.
        took = page.evaluate(
            """() => new Promise(done => {
                const field = document.getElementById("search"), told = document.getElementById("shown");
                const start = performance.now();
                new MutationObserver(() => requestAnimationFrame(() => done(performance.now() - start)))
                    .observe(told, {childList: true});
                field.value = "f249-sunucu"; field.dispatchEvent(new Event("input"));
            })"""
        )
        assert took < 1000, f"{took} ms"
        assert page.locator("tr.host:visible").count() == 1
        assert "Bulgular" in tab.open("f249-sunucu").inner_text()
        page.locator(".chip.clear").click()
        page.locator("[data-to=en]").click()
        assert page.evaluate("document.documentElement.lang") == "en"
