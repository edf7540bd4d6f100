# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._compatibility import judge as judged_by
from ansible_collections.mcp.server.plugins.module_utils._compatibility.judge import clients, judge, rows_of
from ansible_collections.mcp.server.plugins.module_utils._guide.document import GUIDE_VERSION, ROWS
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

ALL = list(protocol.REVISIONS)
PASSED, FAILED, SKIPPED, WARNING = ("passed", True), ("failed", True), ("skipped", True), ("failed", False)


def test_the_guides_two_rows():
    assert [(row["guide"], row["server"], row["kubernetes"], row["notes"]) for row in ROWS] == [
        ("1.0", "1.0.x - 1.2.x", "1.24+", "Current"),
        ("0.9", "0.8.x - 1.1.x", "1.22+", "Legacy"),
    ]
    (current,) = (row for row in ROWS if row["guide"] == GUIDE_VERSION)
    assert current["revisions"] == ALL  # what the collection speaks


def test_the_page_has_the_same_rows():
    page = (Path(__file__).parents[5] / "docs/compatibility.md").read_text()
    shown = re.findall(r"^\| (\d\.\d) \| (.*) \| (.*) \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert shown == [
        (row["guide"], row["server"], ", ".join(row["revisions"]) or "(not limited)", row["kubernetes"], row["notes"])
        for row in ROWS
    ]


OWN = [
    {"server": "0.3.x - 0.5.x", "kubernetes": "1.27+"},
    {"server": "0.6+", "kubernetes": "1.29 - 1.31", "revisions": ["2025-06-18", "2025-11-25"], "notes": "sidecars"},
]


@pytest.mark.parametrize(
    ("own", "guide", "kubernetes", "version", "revisions", "expected"),
    [
        ([], "1.0", "v1.35.4", "v1.1.5", ALL, [PASSED, PASSED, PASSED]),
        ([], "1.0", "v1.23.17", "v1.3.0", ["2031-01-01"], [FAILED, WARNING, FAILED]),
        ([], "0.9", "v1.23.17", "v1.0.0", ["2031-01-01"], [PASSED, PASSED, PASSED]),
        # A stranger's server: its versions count otherwise
        ([], "1.0", "v1.30.4-eks-a1b2c3", "0.3.1", ["2025-06-18"], [PASSED, WARNING, PASSED]),
        ([], "1.0", "v1.27.3+k3s1", "2026.8.31", ["2025-06-18"], [PASSED, WARNING, PASSED]),
        # What can't be compared
        ([], "1.0", "unknown", "sha-abc1234", None, [SKIPPED, SKIPPED, SKIPPED]),
        ([], "1.0", None, None, None, [SKIPPED, SKIPPED, SKIPPED]),
        ([], "1.0", "", "sha256:" + "a" * 64, [], [SKIPPED, SKIPPED, FAILED]),
        ([], "1.0", "v1.30.0", "latest", ALL, [PASSED, SKIPPED, PASSED]),
        # Rows of the user's
        (OWN, "1.0", "v1.27.3", "0.3.1", ["2024-11-05"], [PASSED, PASSED, PASSED]),
        (OWN, "1.0", "v1.27.3", "0.6.0", ["2024-11-05"], [FAILED, PASSED, FAILED]),
        (OWN, "1.0", "v1.30.0", "0.6.0", ["2024-11-05", "2025-06-18"], [PASSED, PASSED, PASSED]),
        (OWN, "1.0", "v1.32.0", "1.1.0", ["2025-11-25"], [FAILED, PASSED, PASSED]),
        (OWN, "1.0", "v1.30.0", "0.2.0", ["2024-11-05"], [PASSED, FAILED, PASSED]),
        (OWN, "1.0", "v1.30.0", "sha-abc1234", ["2024-11-05"], [PASSED, SKIPPED, PASSED]),
        (OWN, "0.9", "v1.22.0", "1.0.0", ["2024-11-05"], [PASSED, PASSED, PASSED]),  # the guide's, still
        ([{"guide": "2.0"}], "2.0", "v0.1.0", "9.9.9", [], [PASSED, PASSED, PASSED]),
    ],
)
def test_judge(own, guide, kubernetes, version, revisions, expected):
    found = judge(rows_of(own, guide), kubernetes, version, revisions)
    assert [one["id"] for one in found] == [judged_by.KUBERNETES, judged_by.SERVER, judged_by.REVISIONS]
    assert [(one["verdict"], one["required"]) for one in found] == expected
    for one in found:
        assert one["message"].endswith((".", ")."))


def test_sentences():
    old, other, none = judge(rows_of(OWN), "v1.20.0", "0.2.0", ["2024-11-05"])
    assert old["message"].startswith(
        "Kubernetes is v1.20.0; by your rows in mcp_compatibility it must be 1.27+ or 1.29 - 1.31: upgrade the cluster"
    )
    assert (
        "Version 0.2.0 of the server is none of those in your rows in mcp_compatibility (0.3.x - 0.5.x or 0.6+)"
        in other["message"]
    )
    assert none["verdict"] == "passed"
    (_kubernetes, warned, _revisions) = judge(rows_of([]), "v1.30.0", "0.3.1", ALL)
    assert warned["message"] == (
        "Version 0.3.1 of the server is none of those in the guide 1.0 (1.0.x - 1.2.x): "
        "add rows for your server (mcp_compatibility)."
    )


def test_text_of_others_moves_nothing():
    hostile = "\x1b[2J{{ 1 + 1 }}\r\n" + "x" * 5000
    own = [{"server": "1.x", "notes": hostile, "revisions": [hostile] * 500}]
    found = [
        *judge(rows_of(own), hostile, "v1.2.0", [hostile] * 500),
        *judge(rows_of(own), "v1.2.0", hostile, ["2025-06-18"]),
        clients([hostile] * 500, ["2025-06-18"], "blue", "green"),
    ]
    for one in found:
        assert one["message"].isprintable()
        assert len(one["message"]) < 1500


@pytest.mark.parametrize(
    ("own", "guide", "part"),
    [
        ([], "2.0", "has no row of version 2.0 of the guide, only of 0.9, 1.0: correct guide_version"),
        ([{"guide": "3"}], "2.0", "only of 0.9, 1.0, 3"),
        ([{"server": "newest"}], "1.0", '"newest" is no range of versions'),
        ([{"kubernetes": ">= 1.24"}], "1.0", "is no range"),
        ([{"guide": "other", "kubernetes": "?"}], "1.0", "is no range"),
        ([{}] * 101, "1.0", "has 101 rows"),
    ],
)
def test_rows_that_cannot_be_read(own, guide, part):
    with pytest.raises(Failure) as caught:
        rows_of(own, guide)
    assert part in caught.value.msg


@pytest.mark.parametrize(
    ("spoken", "accepted", "verdict", "part"),
    [
        (ALL, ALL, "passed", "green accepts all that blue accepts (2024-11-05, "),
        (["2025-06-18"], ALL, "passed", "(2025-06-18)."),
        ([], ALL, "passed", "()."),
        (
            ["2025-03-26", "2025-06-18"],
            ["2025-06-18", "2026-07-28"],
            "failed",
            "Clients that speak only 2025-03-26 would be refused: blue accepts it, and green accepts only 2025-06-18, "
            "2026-07-28. Keep it in the new version, or, when no client speaks it, accept that by name in the release "
            "(mcp_contract_accept: protocol_versions/2025-03-26).",
        ),
        (["2025-03-26"], [], "failed", "green accepts only none"),
    ],
)
def test_clients(spoken, accepted, verdict, part):
    found = clients(spoken, accepted, "blue", "green")
    assert (found["id"], found["verdict"]) == ("client_revisions", verdict)
    assert part in found["message"]
