# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import importlib
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._guard.job import SERVICE_ACCOUNT
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import questions, rights
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.plugin_utils import _variables

ROOT = Path(__file__).parents[3]
ROLE = (ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text()
README = (ROOT / "README.md").read_text()
GUARD = (ROOT / "sandbox/manifests/mcp-server/guard.yaml").read_text()
SESSIONS = (ROOT / "sandbox/manifests/mcp-server/marked/role.yaml").read_text()
SERVER = Server("mcp-sandbox", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("mcp_*.py"))


def granted(manifest: str, name: str) -> set[tuple[str, str, str, str]]:
    """Group, resource, verb and object of all that a Role grants; no object where the rule has no names."""
    rules = next(
        one for one in yaml.safe_load_all(manifest) if one["kind"] == "Role" and one["metadata"]["name"] == name
    )["rules"]
    return {
        (group, kind, verb, its)
        for rule in rules
        for group in rule["apiGroups"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
        for its in rule.get("resourceNames", [""])
    }


def test_the_role_grants_what_preflight_asks_for_and_no_more():
    """By the names of the objects."""
    asked = questions(rights(SERVER))
    known = {(one.right.group, one.right.resource, one.verb, one.name) for one in asked}
    assert granted(ROLE, "mcp-releaser") == known


def test_the_readme_shows_the_role():
    _comment, manifest = ROLE.split("\n", 1)
    assert f"```yaml\n{manifest}```" in README


def test_the_guards_role_is_a_part_of_the_releasers():
    guards, releasers = granted(GUARD, "mcp-guard"), granted(ROLE, "mcp-releaser")
    assert guards < releasers
    assert not {kind for _group, kind, _verb, _name in guards} & {"pods/portforward", "jobs", "secrets"}
    # To see a note of break-glass there, it may read the Services of the pools, and nothing more.
    assert {(verb, name) for _group, kind, verb, name in guards if kind == "services"} == {
        ("get", f"mcp-server-{pool}") for pool in ("blue", "green")
    }


def test_the_documentation_shows_the_guards_role():
    _comment, manifest = GUARD.split("\n", 1)
    assert f"```yaml\n{manifest}```" in (ROOT / "docs/guard.md").read_text()
    assert {one["metadata"]["name"] for one in yaml.safe_load_all(GUARD)} == {SERVICE_ACCOUNT}


def test_the_second_server_of_the_sandbox_has_the_same_rules():
    """Its releaser has the others already, which have no names."""
    named = {
        (*rest, its)
        for *rest, its in granted(ROLE, "mcp-releaser")
        if its.startswith("mcp-server") and its != "mcp-server-guard"
    }
    assert granted(SESSIONS, "mcp-releaser-sessions") == {
        (*rest, its.replace("mcp-server", "mcp-sessions")) for *rest, its in named
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_complete(module):
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["mcp"]
    assert (ROOT / "plugins/action" / f"{module}.py").is_file()
    assert (ROOT / "tests/integration/targets" / module).is_dir()
    assert f"\n| {module} | " in README
    # One that acts on no server would refuse the group's defaults
    spec = importlib.import_module(f"ansible_collections.mcp.server.plugins.modules.{module}").SPEC
    assert (module in group) is ("namespace" in spec.options)
    # A release sets both for all of its tasks, also for those of the user.
    assert ("run_id" in spec.options) is ("namespace" in spec.options)


def rows(heading: str) -> list[str]:
    """Return the first column of the table below a heading of the README."""
    (section,) = re.findall(rf"^## {heading}$(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    return [row for row in re.findall(r"^\| ([\w.]+) \|", section, re.MULTILINE) if "." in row]


def test_the_readme_has_every_playbook_and_role():
    playbooks, roles = ((ROOT / "playbooks").glob("*.yml"), (ROOT / "roles").iterdir())
    assert sorted(rows("Playbooks")) == sorted(f"mcp.server.{file.stem}" for file in playbooks)
    assert sorted(rows("Roles")) == sorted(f"mcp.server.{folder.name}" for folder in roles)


def test_the_readme_begins_with_the_example_and_what_it_needs():
    inventory = (ROOT / "docs/examples/inventory.yml").read_text().removeprefix("---\n")
    needed = [
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith(("#", "ansible"))
    ]
    assert f"```yaml\n{inventory}```" in README
    quoted = " ".join(f"'{one}'" for one in needed)
    assert f"pip install {quoted}\n" in README


def test_the_readme_leads_to_every_page():
    pages = {f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")}
    assert {page for page in pages if f"]({page}" not in README} == set()


# Names in pages that are no variables: of metrics, gates, labels, groups of an inventory, options.
NO_VARIABLES = re.compile(r"mcp_(server_\w+|errors|test|test_id|path|servers|drills|staging)")


def test_the_pages_name_only_variables_that_there_are():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").glob("*/README.md")]
    known = {*_variables.known(), *_variables.PUBLISHED, *MODULES}
    assert not {
        (page.relative_to(ROOT).as_posix(), name)
        for page in pages
        for name in re.findall(r"\bmcp_[a-z_]*[a-z]\b", page.read_text())
        if name not in known and not NO_VARIABLES.fullmatch(name)
    }


@pytest.mark.parametrize("file", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda file: file.stem)
def test_nothing_is_imported_inside_match(file):
    """ansible-core 2.21 does not look there for what it has to pack with a module that runs in a process of its own."""
    matches = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Match)]
    assert not [node for one in matches for node in ast.walk(one) if isinstance(node, (ast.Import, ast.ImportFrom))]


def documented(module: str, part: str) -> t.Any:
    return yaml.safe_load(
        getattr(importlib.import_module(f"ansible_collections.mcp.server.plugins.modules.{module}"), part)
    )


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
        assert not [
            message for message in validation.error_messages if not any(name in message for name in templated)
        ], task["name"]


def missing(page: str) -> set[str]:
    """Return the files that a page of the repository names and that are not there; KIND and X stand for names of one's
    own.
    """
    named = {
        one
        for one in re.findall(r"`([\w./-]+)`", page)
        if not re.search(r"\b(mcp_)?(test_)?(KIND|X)\b|\.\.\.|^\.|mcp\.server", one)
    }
    paths = {one for one in named if "/" in one}
    tests = {*re.findall(r"\btest_\w+\.py", page)} - {"test_KIND.py", "test_mcp_X.py"}
    places = (ROOT, ROOT / "plugins", ROOT / "plugins" / "module_utils", ROOT / "roles" / "status")
    return {path for path in paths if not any((place / path).exists() for place in places)} | {
        name for name in tests if not [*(ROOT / "tests").rglob(name)]
    }


def test_contributing_names_files_that_there_are():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert missing(page) == set()
    assert missing("`_traffic/routes/nowhere.py` `plugins/action/mcp_X.py` test_nowhere.py") == {
        "_traffic/routes/nowhere.py",
        "test_nowhere.py",
    }
