# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the heads and tables of docs/guide, and the matrix of docs/compatibility.md, out of the data of the guide; a
unit test compares them.

Such a part stands between <!-- NAME --> and <!-- end -->. The rest of these pages is written by hand.
"""

from __future__ import annotations

import re
import sys
import typing as t
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "playbooks" / "collections"))

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation as tree  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._guide import document, headings  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._guide.review import review_warning  # noqa: E402

PAGES = tuple(dict.fromkeys(heading.page for heading in headings.HEADINGS))
FILES = (*(ROOT / "docs" / "guide" / f"{page}.md" for page in PAGES), ROOT / "docs" / "compatibility.md")


def table(head: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def anchor(title: str) -> str:
    """Return what GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def head() -> str:
    return (
        f"Guide {document.GUIDE_VERSION}, reviewed on {document.REVIEWED}, kept by {document.OWNER}. "
        "[All pages](README.md).\n"
    )


def contacts() -> str:
    return table(("when", "call"), document.CONTACTS)


def escalation() -> str:
    rows = ((tree.TITLES[kind], f"`{kind}`", who) for kind, who in document.ESCALATION.items())
    return table(("for", "`kind` in `mcp_escalation`", "call"), rows)


def matrix() -> str:
    rows = (
        (row["guide"], row["server"], ", ".join(row["revisions"]) or "(not limited)", row["kubernetes"], row["notes"])
        for row in document.ROWS
    )
    return table(("guide", "server", "revisions of MCP", "Kubernetes", "notes"), rows)


def all_headings() -> str:
    """Return a row for each heading of the guide that has something to do."""
    rows = []
    for heading in headings.HEADINGS:
        items = [item for item in headings.ITEMS if item.heading == heading.title]
        if not items:
            continue
        link = f"[{heading.title}]({heading.page}.md#{anchor(heading.title)})"
        playbooks = dict.fromkeys(f"`mcp.server.{item.playbook}`" for item in items)
        tried = dict.fromkeys(name.partition(".")[0] for item in items for name in item.checks)
        by = ", ".join(headings.PARTS[part].name for part in tried)
        tests = ", ".join(dict.fromkeys(f"`{name}`" for item in items for name in item.tests))
        never = f"no; by integration tests: {tests}" if tests else f"no: {items[0].because}"
        rows.append((link, ", ".join(item.title for item in items), ", ".join(playbooks), by or never))
    return table(("heading of the guide", "about", "done by", "tried each month on staging by"), rows)


PARTS: dict[str, t.Callable[[], str]] = {
    "head": head,
    "contacts": contacts,
    "escalation": escalation,
    "matrix": matrix,
    "headings": all_headings,
}


def written(page: str) -> str:
    """Return a page with its parts as the data has them now."""

    def part(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{PARTS[found[1]]()}<!-- end -->"

    return re.sub(rf"<!-- ({'|'.join(PARTS)}) -->\n.*?<!-- end -->", part, page, flags=re.DOTALL)


def main() -> None:
    for file in FILES:
        file.write_text(written(file.read_text()))
    if warning := review_warning(document.REVIEWED, date.today()):
        print(f"WARNING: {warning}")


if __name__ == "__main__":
    main()
