# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.mcp.server.plugins.module_utils._fleet import state
from ansible_collections.mcp.server.plugins.module_utils._report.file import place
from ansible_collections.mcp.server.plugins.module_utils._report.fleet import TONES, page

AT = "2026-11-28T09:54:03.120Z"
ROWS = [
    state.Row("canary", 1, state.RELEASED, 100),
    state.Row("two", 2, state.ROLLED_BACK, 0, failed=True, text="<b>5xx</b> \u202e& more"),
    state.Row("end", 3, state.NOT_BEGUN),
]


def cells(text: str) -> list[list[str]]:
    table = text[text.index("<tbody>") : text.index("</tbody>") + len("</tbody>")]
    return [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(table)]


def test_each_server_has_a_row_and_text_of_others_is_text() -> None:
    text = page(ROWS, "It stopped, as two failed.", "v1.2.0", ["Jo <jo@x>: 1"], AT)
    assert "not released everywhere" in text and "It stopped, as two failed." in text and "Jo &lt;jo@x&gt;: 1" in text
    assert "<b>" not in text and "\u202e" not in text
    canary, two, end = cells(text)
    assert canary == ["canary", "1", "released", "100 %", ""] and end == ["end", "3", "not begun", "–", ""]
    assert two[:4] == ["two", "2", "rolled back", "0 %"] and two[4].startswith("<b>5xx</b>")


def test_a_good_fleet_calls_nobody() -> None:
    text = page(ROWS[:1], "1 released.", "v1.2.0", [], AT)
    assert "✓ released" in text and "Whom to call" not in text


@pytest.mark.parametrize(
    ("dest", "path"),
    [
        ("reports", "reports/fleet-2026-11-28T095403.120Z-v1.2.0.html"),
        ("reports/today.html", "reports/today.html"),
    ],
)
def test_where_it_goes(tmp_path: Path, dest: str, path: str) -> None:
    assert place(tmp_path / dest, f"fleet-{AT}-/v1.2.0") == tmp_path / path


def test_an_ended_server_has_a_colour() -> None:
    assert set(TONES) == set(state.STATES) - {state.WAITING, state.WORKING, state.NOT_BEGUN}
