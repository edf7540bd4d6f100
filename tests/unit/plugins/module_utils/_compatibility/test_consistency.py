# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._compatibility import consistency
from ansible_collections.mcp.server.plugins.module_utils._compatibility.consistency import Identity, Source, judge
from ansible_collections.mcp.server.plugins.module_utils._compatibility.libraries import recognised

PAIRS = Path(__file__).parents[1] / "_contract/pairs"
SHA, CHILD, OTHER = ("sha256:" + letter * 64 for letter in "abc")
COMMIT = "abc1234" + "0" * 33
TAG, GIT, LABEL, HEALTH, INFO = "tag", "git", "label", "health", "server_info"


def verdicts(found):
    return {one["id"].removeprefix("version_"): one["verdict"] for one in found}


@pytest.mark.parametrize(
    ("versions", "commit", "expected"),
    [
        ({TAG: "v1.2.0", GIT: "v1.2.0", LABEL: "1.2.0", HEALTH: "1.2.0", INFO: "1.2.0"}, "", {}),
        ({TAG: "v1.2.0", GIT: "v1.2.0-3-gabc1234", HEALTH: "1.2.0"}, COMMIT, {GIT: "failed"}),
        ({TAG: "v1.2.0", HEALTH: "1.1.5", INFO: "1.1.5"}, "", {HEALTH: "failed", INFO: "failed"}),
        ({TAG: "1.10", HEALTH: "1.10.4", INFO: "1.1.0"}, "", {INFO: "failed"}),
        ({TAG: "v1.2.0_build.7", HEALTH: "1.2.0+build.7"}, "", {}),
        # A tag that is a commit, and one that is no number: the first that is one takes its place
        ({TAG: "sha-abc1234", GIT: "v1.2.0-3-gabc1234", HEALTH: "1.2.0-3-gabc1234"}, COMMIT, {}),
        ({TAG: "sha-0000000", GIT: "v1.2.0", HEALTH: "1.2.0"}, COMMIT, {TAG: "skipped"}),
        ({TAG: "abc1234", GIT: "abc12340"}, COMMIT, {}),
        ({TAG: "main", HEALTH: "1.2.0", INFO: "1.3.0"}, "", {TAG: "skipped", INFO: "failed"}),
        ({TAG: "", HEALTH: "1.2.0", INFO: "1.2.0"}, "", {TAG: "skipped"}),
        ({TAG: "main", LABEL: "main"}, "", {}),
        ({TAG: "2026-11", HEALTH: "1.4.2"}, "", {TAG: "skipped"}),
        ({TAG: "v1.2.0", INFO: "unknown"}, "", {INFO: "skipped"}),
        ({TAG: "", GIT: ""}, "", {TAG: "skipped", GIT: "skipped", "agrees": "skipped"}),
    ],
)
def test_versions(versions, commit, expected):
    found = judge([Source(name, version) for name, version in versions.items()], [], commit)
    assert verdicts(found) == {"agrees": "passed", **expected}
    for one in found:
        assert one["message"].endswith((".", ")."))


def test_one_line_names_all_that_agree_and_each_other_has_its_cure():
    found = judge(
        [Source(TAG, "v1.2.0"), Source(GIT, "v1.1.9"), Source(HEALTH, "1.2.0"), Source(INFO, "9.9.9", required=False)],
        [
            consistency.digest("ghcr.io/org/x:v1.2.0", [CHILD], [SHA, CHILD]),
            consistency.of_record([], has_record=True),
            consistency.contract("f" * 64, ["e" * 64]),
        ],
    )
    assert found[0]["message"] == (
        "v1.2.0: the image's tag, the health document, the digest of the pods' image (sha256:bbbbbbbbb...), "
        "the release record."
    )
    assert found[1]["message"] == (
        "git describe of mcp_source says v1.1.9, and the image's tag is v1.2.0: check out the tag of this version "
        "there, or release what was built from that commit."
    )
    assert [(one["verdict"], one["required"]) for one in found[1:]] == [
        ("failed", True),
        ("failed", False),
        ("failed", True),
    ]


@pytest.mark.parametrize(
    ("identity", "verdict", "part"),
    [
        (consistency.digest("x:v1", [SHA], [SHA]), None, ""),
        (consistency.digest("x:v1", [OTHER], [SHA, CHILD]), "failed", "the tag was moved, or a node has an old copy"),
        (consistency.digest("x:v1", [SHA, OTHER], [SHA]), "failed", f"Pods run {OTHER}"),
        (consistency.digest("x:v1", [SHA], []), "failed", "The registry has no x:v1"),
        (consistency.digest("x:v1", [], [SHA]), "skipped", "No ready pod"),
        (consistency.of_record(["Pool green has another."], has_record=True), "failed", "Pool green has another. Rel"),
        (consistency.of_record([], has_record=False), "skipped", "no release record"),
        (consistency.contract("", ["e" * 64]), "skipped", "has no contract"),
        (consistency.contract("e" * 64, ["f" * 64, "e" * 64]), None, ""),
        (consistency.contract("e" * 64, ["f" * 64]), "failed", "(ffffffff"),
        (consistency.revision("", ""), "skipped", "no mcp_source"),
        (consistency.revision("", COMMIT), "skipped", "no label org.opencontainers.image.revision"),
        (consistency.revision(COMMIT, COMMIT), None, ""),
        (consistency.revision("abc1234", COMMIT), None, ""),
        (consistency.revision("0" * 40, COMMIT), "failed", "has abc1234"),
        (consistency.revision("\x1b[2J main", COMMIT), "failed", "is [2J main"),
        (Identity("digest", missing="The registry refused.", broken=True), "cannot_measure", "The registry refused."),
    ],
)
def test_digests_and_hashes(identity, verdict, part):
    found = judge([Source(TAG, "v1.2.0")], [identity])
    assert [one["verdict"] for one in found[1:]] == ([verdict] if verdict else [])
    assert part in found[-1]["message"]
    assert found[-1]["message"].isprintable()


def test_hostile_versions():
    hostile = "\x1b[2J{{ 7 * 7 }}\n" + "9" * 9000
    found = judge([Source(TAG, hostile), Source(GIT, hostile + "1"), Source(INFO, "1.2.0", name=hostile)], [])
    for one in found:
        assert one["message"].isprintable()
        assert len(one["message"]) < 1000


@pytest.mark.parametrize(
    ("name", "version", "is_modern", "part"),
    [
        ("calculator", "1.30.0", False, "a release of the Python SDK (mcp)"),
        ("calculator", "1.30.0", True, ""),  # that SDK has no modern era
        ("calculator", "1.30.7", False, ""),
        ("Wikipedia", "4.2.3", True, "a release of FastMCP (fastmcp) (pass version to FastMCP(...))"),
        ("everything", "", False, "empty, as the SDKs send it"),
        ("mcp-servers/everything", "2.0.0", False, "server-everything, which reports 2.0.0 whatever"),
        ("mcphub_weather_group", "0.12.17", False, "MCPHub, which reports its own version"),
        ("mcphubs", "0.12.17", False, ""),
        ("weather", "0.3.1", False, ""),
        ("weather", "1.2.0", False, ""),  # the Python SDK had no Streamable HTTP then
        (None, None, False, ""),
        (["x"], 1.3, False, ""),
    ],
)
def test_libraries(name, version, is_modern, part):
    found = recognised(name, version, is_modern=is_modern)
    assert (part in found) if part else (found == "")


@pytest.mark.parametrize(
    ("pair", "known"),
    [
        ("pypi-calculator", True),
        ("pypi-duckduckgo-0.3", True),
        ("pypi-wikipedia", True),
        ("npm-everything-2026", True),
        ("npm-memory", True),
        ("npm-filesystem-2026", True),
        ("go-mcp-go", True),
        # Their own
        ("npm-chrome-devtools", False),
        ("npm-context7-2", False),
        ("npm-exa", False),
        ("npm-playwright-0.0.68", False),
        ("npm-tavily", False),
    ],
)
def test_what_published_servers_report(pair, known):
    info = json.loads((PAIRS / f"{pair}.json").read_text())["new"]["server_info"]
    assert bool(recognised(info["name"], info["version"], is_modern=False)) == known


def test_a_library_is_told_and_does_not_count():
    tag, info = Source(TAG, "v0.3.1"), Source(INFO, "1.30.0", required=False, name="calculator")
    found = judge([tag, info], [])
    assert verdicts(found) == {"agrees": "passed", INFO: "skipped"}
    assert "serverInfo says 1.30.0, which is a release of the Python SDK (mcp)" in found[1]["message"]
    # Unless it is asked for, or another source has it, too
    (_agrees, wanted) = judge([tag, Source(INFO, "1.30.0")], [])
    assert wanted["verdict"] == "failed"
    assert "it is a release of the Python SDK (mcp)" in wanted["message"]
    found = judge([tag, Source(HEALTH, "1.30.0", required=False), info], [])
    assert verdicts(found) == {"agrees": "passed", HEALTH: "failed", INFO: "failed"}
