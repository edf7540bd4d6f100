# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs of real servers: two published versions of one package, judged by hand from the plain difference of their lists
before compare() did. tests/tools/contract_pairs.py collects them.

A judgement names each change by its severity and path, in which C(*) stands for any part, with the number of paths that
it stands for. C(back) is the verdict on the way from the new version to the old one, as a rollback takes it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._contract.compare import SEVERITIES, compare, verdict
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import LISTS, normalise

PAIRS = {file.stem: json.loads(file.read_text()) for file in sorted((Path(__file__).parent / "pairs").glob("*.json"))}


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


def contracts(pair):
    return normalise(pair["old"]), normalise(pair["new"])


def by_pattern(paths, patterns):
    """Count the paths by the longest pattern that fits each, or as themselves."""
    found = {}
    for path in paths:
        fitting = [one for one in patterns if re.fullmatch(re.escape(one).replace(r"\*", "[^/]*"), path)]
        name = max(fitting, key=lambda one: len(one.replace("*", "")), default=path)
        found[name] = found.get(name, 0) + 1
    return found


def test_each_pair_is_judged_as_by_hand(pair):
    judgement, changes = pair["judgement"], compare(*contracts(pair))
    judged = {
        severity: by_pattern(
            [change.path for change in changes if change.severity == severity], judgement["changes"].get(severity, {})
        )
        for severity in SEVERITIES
    }
    assert {severity: paths for severity, paths in judged.items() if paths} == judgement["changes"]
    assert verdict(changes) == judgement["verdict"]


def test_the_way_back_is_judged_as_by_hand(pair):
    before, after = contracts(pair)
    assert verdict(compare(after, before)) == pair["judgement"]["back"]


def test_the_pairs_are_enough_and_of_several_registries():
    assert len(PAIRS) >= 20
    assert len({pair["package"] for pair in PAIRS.values()}) >= 14
    assert len({pair["registry"] for pair in PAIRS.values()}) >= 3
    assert {pair["judgement"]["verdict"] for pair in PAIRS.values()} == {*SEVERITIES, "identical"}


def test_a_pair_keeps_no_text(pair):
    """Properties may have the names of these keywords, and then have schemas."""

    def texts(part, name=""):
        if isinstance(part, list):
            return [text for child in part for text in texts(child)]
        if not isinstance(part, dict):
            return []
        own = [] if name in ("properties", "$defs") else [part.get(key) for key in ("description", "examples")]
        return [text for text in own if text] + [text for key, child in part.items() for text in texts(child, key)]

    for side in (pair["old"], pair["new"]):
        assert not texts({name: side[name] for name in LISTS})
