# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of the guide against what there is: playbooks, parts of validate_guide.yml, integration targets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._guide import headings, review
from ansible_collections.mcp.server.plugins.module_utils._guide.headings import ITEMS, PARTS
from ansible_collections.mcp.server.plugins.module_utils._preflight.checks import CHECKS
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import DEPENDENCIES
from ansible_collections.mcp.server.plugins.module_utils._validation import rows

ROOT = Path(__file__).parents[5]
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
TARGETS = {path.name for path in (ROOT / "tests" / "integration" / "targets").iterdir()}
# What the role preflight adds to the checks of mcp_preflight, and ids that are made of a name.
BESIDE = {"client_revisions", "endpoint", "git", "secret_scan", "dependencies", "rights"}
MADE_OF_NAMES = ("dependency_", "vault", "compatibility")


def test_ids_are_names_and_each_is_once():
    ids = [item.id for item in ITEMS]
    assert len(set(ids)) == len(ids) and all(one.replace("_", "").isalpha() and one.islower() for one in ids)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_an_item_names_what_there_is(item):
    assert item.playbook in PLAYBOOKS
    assert set(item.tests) <= TARGETS
    assert item.due in (review.MONTH, review.QUARTER)
    assert bool(item.checks) != bool(item.because), "either it is checked here, or there is a reason"
    assert all(name.partition(".")[0] in PARTS for name in item.checks)


# Of the other parts, what the ids of results are or begin with.
OTHERS = {
    "validate": (*rows.CHECKS, "pod_", "dependency_", "flow_", "load_", "alert_", "version_", "compatibility_"),
    "staging": ("registry", "apply", "rollout", "internal", "external", "flow_", "load_"),
}


@pytest.mark.parametrize("item", [item for item in ITEMS if item.checks], ids=lambda item: item.id)
def test_validation_and_staging_have_the_checks(item):
    for name in item.checks:
        part, _dot, check_id = name.partition(".")
        if part in OTHERS and check_id:
            assert any(check_id == one or one.startswith(check_id.rstrip("*")) for one in OTHERS[part]), name


@pytest.mark.parametrize("item", [item for item in ITEMS if item.checks], ids=lambda item: item.id)
def test_preflight_has_the_checks(item):
    known = {check_id for check_id, _name, _check in CHECKS} | {one.id for one in DEPENDENCIES} | BESIDE
    for name in item.checks:
        part, _dot, check_id = name.partition(".")
        if part == "preflight" and check_id and not check_id.startswith(MADE_OF_NAMES):
            assert any(one == check_id or (check_id[-1] == "*" and one.startswith(check_id[:-1])) for one in known), (
                name
            )


def test_every_part_is_run_and_has_a_playbook():
    role = ROOT / "roles" / "validate_guide"
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    run = {part["name"] for part in defaults["validate_guide_parts"]} | set(defaults["validate_guide_rehearsed"])
    assert run | {"contacts", "review"} == set(PARTS)
    assert {part.playbook for part in PARTS.values()} <= PLAYBOOKS
    assert {name.partition(".")[0] for item in ITEMS for name in item.checks} == set(PARTS)


def test_the_playbooks_without_a_heading():
    """What the guide has no command for."""
    assert PLAYBOOKS - {item.playbook for item in ITEMS} - {part.playbook for part in PARTS.values()} == {
        "adopt",
        "controller",
        "replay",
        "report",
    }


@pytest.mark.parametrize(
    ("name", "part", "check_id", "is_meant"),
    [
        ("status", "status", "anything", True),
        ("preflight.nodes", "preflight", "nodes", True),
        ("preflight.nodes", "preflight", "nodes_too", False),
        ("preflight.nodes", "validate", "nodes", False),
        ("preflight.dep*", "preflight", "dependency_database", True),
        ("preflight.dep*", "preflight", "nodes", False),
        ("status", "status_too", "a", False),
    ],
)
def test_which_result_is_meant(name, part, check_id, is_meant):
    assert headings.meant(ITEMS[0]._replace(checks=(name,)), part, check_id) is is_meant
