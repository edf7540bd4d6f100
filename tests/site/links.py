# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links of a static site: which of them lead nowhere, and what is loaded from other hosts."""

from __future__ import annotations

import os
import typing as t
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """anchors: where links may lead to. links: where they lead. loaded: what a browser loads with the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        if "src" in given:
            self.loaded.add(given["src"])
        if tag == "link" and given.get("rel") not in ("canonical", "search", "index", "next", "prev"):
            self.loaded.add(given["href"])


def broken(site: Path) -> list[str]:
    """Return what leads nowhere: the page, and the link."""
    pages = {file: Page(file.read_text()) for file in sorted(site.rglob("*.html"))}
    return [
        f"{file.relative_to(site)}: {link}"
        for file, page in pages.items()
        for link in sorted(page.links | page.loaded)
        if leads_nowhere(site, file, link, pages) or link in page.loaded and urlsplit(link).netloc
    ]


def leads_nowhere(site: Path, file: Path, link: str, pages: t.Mapping[Path, Page]) -> bool:
    """Tell whether a link of a page leads to no file of the site, or to no anchor of it. Other hosts are not asked."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = Path(os.path.normpath(file.parent / unquote(parts.path))) if parts.path else file
    if not target.is_file() or not target.is_relative_to(site):
        return True
    anchor = unquote(parts.fragment)
    return bool(anchor) and target in pages and anchor not in pages[target].anchors
