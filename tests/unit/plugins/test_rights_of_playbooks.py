# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each playbook has a row in docs/rights.md that leads to its Role, and an integration test plays it with that Role."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "rights.md"
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
ROW = re.compile(r"^\| (\w+) \| (.+) \|$", re.MULTILINE)
# Where a test makes a user with exactly that Role. The sandbox's releaser has the README's (test_repository.py), and is
# who plays everything else.
TESTS = {
    "adopt": "mcp_adopt/test_adopt.py",
    "bluegreen": "releases",
    "break_glass": "mcp_break_glass/test_break_glass.py",
    "debug": "mcp_debug/test_debug.py",
    "diagnose": "mcp_diagnose_info/test_diagnose.py",
    "drill": "mcp_drill/test_drill.py",
    "install": "mcp_install/test_install.py",
    "preflight": "preflight/test_preflight.py",
    "replay": "rights/test_rights.py",
    "report": "rights/test_rights.py",
    "rollback": "rollbacks",
    "staging": "staging/test_staging.py",
    "status": "mcp_instances_info/test_instances.py",
    "validate": "mcp_validate/test_validate.py",
    "validate_guide": "mcp_guide_stamp/test_validate_guide.py",
    "watch": "rights/test_rights.py",
}
WITHOUT_CLUSTER = {"build", "ci_scaffold", "controller"}
# What reads a Role from a page.
READS_A_PAGE = ("rules_of_page(", 'r"```yaml')


def section(text: str, anchor: str) -> str:
    """Return the part of a page below the heading with this anchor."""
    for part in re.split(r"^(?=##+ )", text, flags=re.MULTILINE):
        title = part.splitlines()[0].lstrip("# ").lower()
        if re.sub(r"[^a-z0-9 -]", "", title).replace(" ", "-") == anchor:
            return part
    raise AssertionError(f"there is no heading #{anchor}")


def rules(text: str) -> list[dict]:
    """Return the rules in the YAML of a part of a page, as rules or as a Role."""
    found = []
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for document in yaml.safe_load_all(block):
            listed = document.get("rules", []) if isinstance(document, dict) else document
            found += [one for one in listed if isinstance(one, dict) and "verbs" in one]
    return found


ROLES = dict(ROW.findall(section(PAGE.read_text(), "which-playbook-needs-which-role")))
del ROLES["playbook"]


def test_each_playbook_has_a_row_and_a_test():
    assert sorted(ROLES) == PLAYBOOKS
    assert set(TESTS) | WITHOUT_CLUSTER == set(PLAYBOOKS)


@pytest.mark.parametrize("playbook", sorted(set(PLAYBOOKS) - WITHOUT_CLUSTER))
def test_its_row_leads_to_a_role(playbook):
    links = re.findall(r"\]\(([^)#]*)#([^)]+)\)", ROLES[playbook])
    assert links
    for page, anchor in links:
        file = (PAGE.parent / page).resolve() if page else PAGE
        part = section(file.read_text(), anchor)
        if rules(part):
            continue
        further = re.findall(r"\]\(([^)#]*)#(rights|the-role)\)", part)  # it is put together from those of others
        assert further, (playbook, page, anchor)
        for other, its in further:
            where = (file.parent / other).resolve() if other else file
            assert rules(section(where.read_text(), its)), (playbook, other)


@pytest.mark.parametrize("playbook", sorted(TESTS))
def test_a_test_plays_it_with_its_role(playbook):
    place = ROOT / "tests" / "integration" / "targets" / TESTS[playbook]
    assert place.exists()
    if place.is_file():
        text = "".join(one.read_text() for one in place.parent.glob("*.py"))
        assert any(words in text for words in READS_A_PAGE), place
