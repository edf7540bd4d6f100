# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._preflight import RELEASE, rights

ROOT = Path(__file__).parents[3]
ROLE = (ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text()
README = (ROOT / "README.md").read_text()
SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("mcp_*.py"))


def test_the_role_grants_what_preflight_asks_for_and_no_more():
    rules = yaml.safe_load(ROLE)["rules"]
    granted = {(group, kind, verb) for rule in rules for group in rule["apiGroups"] for kind in rule["resources"] for verb in rule["verbs"]}
    known = {(right.group, right.resource, verb): right.needed for right in rights(SERVER) for verb in right.verbs}
    assert {right for right, needed in known.items() if needed == RELEASE} <= granted <= known.keys()


def test_the_readme_shows_the_role():
    _comment, manifest = ROLE.split("\n", 1)
    assert f"```yaml\n{manifest}```" in README


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_complete(module):
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["mcp"]
    assert (ROOT / "plugins/action" / f"{module}.py").is_file()
    assert (ROOT / "tests/integration/targets" / module).is_dir()
    assert f"\n| {module} | " in README
    # One that acts on no server would refuse the group's defaults
    spec = importlib.import_module(f"ansible_collections.mcp.server.plugins.modules.{module}").SPEC
    assert (module in group) is ("namespace" in spec.options)


@pytest.mark.parametrize("file", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda file: file.stem)
def test_nothing_is_imported_inside_match(file):
    """ansible-core 2.21 does not look there for what it has to pack with a module that runs in a process of its own."""
    matches = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Match)]
    assert not [node for one in matches for node in ast.walk(one) if isinstance(node, (ast.Import, ast.ImportFrom))]


def documented(module: str, part: str) -> t.Any:
    return yaml.safe_load(getattr(importlib.import_module(f"ansible_collections.mcp.server.plugins.modules.{module}"), part))


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_are_tasks_that_it_takes(module):
    """What they do on a cluster, the integration target of the same name does too, with the sandbox's names."""
    spec = importlib.import_module(f"ansible_collections.mcp.server.plugins.modules.{module}").SPEC
    tasks = documented(module, "EXAMPLES")
    assert tasks
    for task in tasks:
        arguments = task[f"mcp.server.{module}"]
        templated = {name for name, value in arguments.items() if "{{" in str(value)}
        validation = ArgumentSpecValidator(spec.options, **spec.rules()).validate({**arguments})
        assert not [message for message in validation.error_messages if not any(name in message for name in templated)], task["name"]
