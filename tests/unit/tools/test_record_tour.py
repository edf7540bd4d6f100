# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from record_tour import (
    CAST,
    COLUMNS,
    LINE,
    PAGE,
    PICTURE,
    READ,
    SCENES,
    SECONDS,
    Line,
    cast,
    colour,
    idle_limit,
    page,
    picture,
    played,
    read_cast,
    scenes,
    timed,
)

LINES = [
    Line(0.0, "# Release it."),
    Line(0.0, "$ ansible-playbook mcp.server.bluegreen"),
    Line(9.0, "[mcp-server] v1.2.0 <&> is live on green"),
    Line(300.0, ""),
]


def test_each_shown_line_has_the_time_of_its_own() -> None:
    raw = [Line(1, "ok: [a]"), Line(2, "changed: [a]"), Line(3, "ok: [a]"), Line(4, "a long line that is wrapped here")]
    shown = ["ok: [a]", "", "ok: [a]", "a long line that", "        is wrapped here"]
    assert [line.at for line in timed(raw, shown)] == [1, 1, 3, 4, 4]


@pytest.mark.parametrize(
    ("times", "limit"), [([0.0, 1.0, 2.0], 10.0), ([float(at) for at in range(0, 500, 5)], 1.1), ([0.0] * 300, 10.0)]
)
def test_no_tour_is_longer_than_two_minutes(times: list[float], limit: float) -> None:
    assert idle_limit(times) == limit and played(times, limit)[-1] + READ <= SECONDS


def test_a_recording_is_read_as_it_was_written() -> None:
    header, lines = read_cast(cast(LINES, 1_800_000_000))
    assert lines == LINES and header["version"] == 2 and header["timestamp"] == 1_800_000_000
    assert [(told, [line.text for line in its][:1]) for told, its in scenes(lines)] == [
        ("Release it.", ["$ ansible-playbook mcp.server.bluegreen"])
    ]


def test_what_the_page_and_the_picture_show() -> None:
    text = cast(LINES, 1_800_000_000)
    assert "## Release it.\n\n```console\n$ ansible-playbook" in page(text) and "It took 300 s." in page(text)
    svg = picture(text)
    assert 'class="good">[mcp-server] v1.2.0 &lt;&amp;&gt; is live on green' in svg
    steps = [float(found) for found in re.findall(r"([\d.]+)%\{transform", svg)]
    assert steps == sorted(steps) and (steps[0], steps[-1]) == (0.0, 100.0)
    assert colour("fatal: [a]: FAILED!") == "bad" and colour("ok: [a]") == ""


def test_the_tour_in_the_tree_is_drawn_from_its_recording() -> None:
    text = CAST.read_text()
    assert PAGE.read_text() == page(text) and PICTURE.read_text() == picture(text)
    _header, lines = read_cast(text)
    assert [told for told, _its in scenes(lines)] == [scene.told for scene in SCENES]
    assert max(len(line.text) for line in lines) <= COLUMNS, "a line would be cut"
    rows = [float(row.attrib["y"]) for row in ElementTree.fromstring(PICTURE.read_text()).iter() if "y" in row.attrib]
    assert max(rows) <= len(lines) * LINE
