# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of `make docs`, as a browser shows it: some pages in `make test`, all in `make soak`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from links import broken
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import title_contains
from selenium.webdriver.support.ui import WebDriverWait

LOOK = (Path(__file__).parent / "look.js").read_text()
# One of each kind, and the widest.
SOME = (
    "index",
    "CONTRIBUTING",
    "docs/examples/README",
    "docs/gates",
    "docs/glossary",
    "docs/variables",
    "modules",
    "reference/bluegreen_role",
    "reference/mcp_traffic_shift_module",
    "reference/statuses_filter",
    "reference/variable_lookup",
)
WIDTHS = (1300, 360)


def pages(site: Path) -> list[str]:
    if os.environ.get("MCP_TEST_KIND") == "soak":
        names = {str(file.relative_to(site)).removesuffix(".html") for file in site.rglob("*.html")}
        return sorted(names - {"search"})  # it has no heading before a search
    return list(SOME)


def set_width(browser, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def problems(browser, url: str) -> list[str]:
    """Return what is wrong with a page, on a wide screen and on a telephone's."""
    browser.get(url)
    found = []
    for width in WIDTHS:
        set_width(browser, width)
        found += [f"at {width} px: {one}" for one in browser.execute_script(LOOK)]
    return found + [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    assert len(list(site.rglob("*.html"))) > 100
    assert broken(site) == []


def test_the_pages_look_well(browser, address, site):
    wrong = {page: found for page in pages(site) if (found := problems(browser, f"{address}/{page}.html"))}
    assert wrong == {}


@pytest.mark.parametrize("where", ["served", "as files"])
def test_a_search_finds_a_module(browser, address, site, where):
    start = address if where == "served" else site.as_uri()
    set_width(browser, WIDTHS[0])
    browser.get(f"{start}/index.html")
    field = browser.find_element(By.CSS_SELECTOR, "input[name=q]")
    field.send_keys("mcp_traffic_shift")
    field.submit()
    results = "#search-results li a[href*='reference/mcp_traffic_shift_module.html']"
    found = WebDriverWait(browser, 60).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, results))
    browser.get(found[0].get_attribute("href"))
    WebDriverWait(browser, 60).until(title_contains("mcp_traffic_shift module"))


def test_the_menu_opens_on_a_narrow_screen(browser, address):
    set_width(browser, WIDTHS[1])
    browser.get(f"{address}/index.html")
    entry = browser.find_element(By.CSS_SELECTOR, ".sidebar-tree a[href$='quickstart.html']")
    assert entry.rect["x"] < 0
    browser.find_element(By.CSS_SELECTOR, ".mobile-header label[for=__navigation]").click()
    WebDriverWait(browser, 30).until(lambda _driver: entry.rect["x"] >= 0)
    entry.click()
    WebDriverWait(browser, 60).until(title_contains("Quickstart"))


BAD = """<!doctype html><title>x</title><link rel="icon" href="data:,"><h1>One</h1><h1>Two</h1><img src="no.png">
<article><p style="color: #aaa">Pale.</p><p style="width: 2000px">Wide.</p></article>
<script>console.error("bad")</script>"""


def test_what_a_bad_page_is(browser, tmp_path):
    """What the tests above look for is found when it is there."""
    (tmp_path / "bad.html").write_text(BAD)
    found = "\n".join(problems(browser, (tmp_path / "bad.html").as_uri()))
    for pattern in (
        "not one h1",
        "no image .*no.png",
        "at 360 px: it scrolls",
        'wider than 360 px: p "Wide',
        "light: contrast 2.3",
        "bad",
    ):
        assert re.search(pattern, found), (pattern, found)


def test_what_a_broken_link_is(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.html").write_text('<h1 id="here">H</h1>')
    good = '<a href="a/b.html#here">x</a><a href="#top">x</a><p id="top">x</p><a href="https://e.example/x">x</a>'
    (tmp_path / "index.html").write_text(good)
    assert broken(tmp_path) == []
    bad = '<a href="a/b.html#no"></a><a href="c.html"></a><a href="../x"></a><script src="https://e.example/x.js"></script>'
    (tmp_path / "index.html").write_text(bad)
    found = [one.removeprefix("index.html: ") for one in broken(tmp_path)]
    assert found == ["../x", "a/b.html#no", "c.html", "https://e.example/x.js"]
