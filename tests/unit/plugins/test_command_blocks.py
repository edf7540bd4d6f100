# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each block of the pages for users: commands are run by a test, or excepted with a reason; YAML and JSON are valid."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.plugin_utils import _variables
from ansible_collections.mcp.server.tests.integration import command_pages
from ansible_collections.mcp.server.tests.integration.command_blocks import (
    COMMANDS,
    ROOT,
    Block,
    blocks,
    missing,
    substituted,
)

LANGUAGES = {*COMMANDS, "text", "yaml", "json", "go", "python", "ts"}
PAGES = sorted(
    str(file.relative_to(ROOT))
    for pattern in ("README.md", "docs/**/*.md", "roles/*/README.md")
    for file in ROOT.glob(pattern)
)
BLOCKS = [block for page in PAGES for block in blocks(page)]
MAKEFILE = (ROOT / "Makefile").read_text()
TYPED = [block for block in BLOCKS if block.commands]


def elsewhere(page: str) -> str:
    """Return the target that runs all blocks of this page; empty when there is none."""
    return next((target for name, target in command_pages.ELSEWHERE.items() if page.startswith(name)), "")


def claims(block: Block) -> list[str]:
    """Return who says that it runs the block, or that nobody can."""
    page = command_pages.RUN.get(block.page)
    return [
        *(f"step {step.words!r}" for step in (page.steps if page else ()) if block.has(step.words)),
        *(
            f"{how}, {words!r}"
            for how, table in (("alike", command_pages.ALIKE), ("not run", command_pages.NOT_RUN))
            for (where, words) in table
            if where == block.page and block.has(words)
        ),
        *([f"target {elsewhere(block.page)}"] if elsewhere(block.page) else []),
    ]


@pytest.mark.parametrize("block", TYPED, ids=str)
def test_each_block_of_commands_is_run_by_one_test_or_excepted(block: Block) -> None:
    found = claims(block)
    if elsewhere(block.page):  # which runs all but those that are excepted
        found = found[-1:]
    assert len(found) == 1, (
        f"{block} belongs to {found or 'nobody'}; tests/integration/command_pages.py says what runs it:\n{block.text}"
    )


def test_the_table_has_nothing_that_is_gone() -> None:
    for page, its in command_pages.RUN.items():
        typed = [block for block in TYPED if block.page == page]
        at = [[number for number, block in enumerate(typed) if block.has(step.words)] for step in its.steps]
        assert [len(one) for one in at] == [1] * len(at), (page, at)
        assert sorted(at) == at, f"the steps of {page} are not in the order of its blocks"
    for page, words in [*command_pages.NOT_RUN, *command_pages.ALIKE]:
        assert [block for block in TYPED if block.page == page and block.has(words)], (page, words)
    for page, target in command_pages.ELSEWHERE.items():
        if (ROOT / page).exists():
            tests = (ROOT / "tests/integration/targets" / target).glob("*.py")
            assert any("command_blocks" in file.read_text() for file in tests), (page, target)


def test_what_runs_a_block_elsewhere_has_its_command() -> None:
    for (page, _words), (place, command) in command_pages.ALIKE.items():
        files = [ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).glob("*.py"))
        assert any(command in file.read_text() for file in files), (page, place, command)


def test_exceptions_are_few_and_say_why() -> None:
    assert len(command_pages.NOT_RUN) <= len(TYPED) / 8
    assert all(len(reason.split()) >= 5 for reason in command_pages.NOT_RUN.values())


@pytest.mark.parametrize("page", PAGES)
def test_each_block_says_what_it_is(page: str) -> None:
    unknown = [f"{block} is {block.language!r}" for block in blocks(page) if block.language not in LANGUAGES]
    assert not unknown, f"say one of {sorted(LANGUAGES)}, commands are shell or console: {unknown}"
    outside = [str(block) for block in blocks(page) if block.language == "text" and "\n$ " in f"\n{block.text}"]
    assert not outside, f"a block with a prompt is a console: {outside}"


def documents(block: Block) -> list[t.Any]:
    return [one for one in yaml.load_all(block.text, yaml.SafeLoader) if one is not None]


YAML = [block for block in BLOCKS if block.language == "yaml"]


def is_template(value: t.Any) -> bool:
    return "{{" in str(value) or "lookup(" in str(value)


def mappings(value: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield each mapping in a document, but for those in values of our variables."""
    if isinstance(value, dict):
        yield value
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(one, dict | list) and not (isinstance(key, str) and key.startswith("mcp_")):
            yield from mappings(one)


def options_of(name: str) -> dict[str, t.Any]:
    """Return the spec of the option that takes this variable in a module, where that has suboptions."""
    option = _variables.TARGET.get(name, name.removeprefix("mcp_"))
    for file in sorted((ROOT / "plugins/module_utils/_modules").glob("mcp_*.py")):
        spec = spec_of(file.stem).options.get(option, {})
        if "options" in spec:
            return {option: {key: value for key, value in spec.items() if key != "required"}}
    return {}


def spec_of(module: str) -> t.Any:
    return importlib.import_module(f"ansible_collections.mcp.server.plugins.module_utils._modules.{module}").SPEC


def problems(document: t.Any) -> list[str]:
    """Return what is wrong with our variables, and with tasks of our modules, in a document."""
    found = []
    for mapping in mappings(document) if isinstance(document, dict | list) else ():
        for name, value in mapping.items():
            if name.startswith("mcp.server.mcp_") and isinstance(value, dict) and not is_template(value):
                found += errors(spec_of(name.rpartition(".")[2]).options, value)
            if not name.startswith("mcp_") or name in _variables.PUBLISHED:
                continue
            if name not in _variables.known():
                found.append(f"{name} is no variable of mcp.server")
            elif not is_template(value):
                try:
                    converted = _variables.value(name, value)
                except _variables.Invalid as invalid:
                    found.append(str(invalid))
                    continue
                spec = options_of(name)
                if spec and converted is not None:
                    found += errors(spec, {next(iter(spec)): converted})
    return found


def errors(spec: dict[str, t.Any], given: dict[str, t.Any]) -> list[str]:
    said = ArgumentSpecValidator(spec).validate(given).error_messages
    return [one for one in said if "missing required" not in one]  # the page leaves out what it is not about


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_valid_for_our_argument_specs(block: Block) -> None:
    assert not [one for document in documents(block) for one in problems(document)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mcp_namespac: a", "mcp_namespac is no variable"),
        ("mcp: {hosts: {a: {mcp_namespac: a}}}", "mcp_namespac is no variable"),
        ("mcp_warm_seconds: soon", "mcp_warm_seconds"),
        ("mcp_endpoint: {uri: https://mcp.example.com}", "uri"),
        ("- mcp.server.mcp_health: {endpoint: {uri: a}}", "uri"),
        ("mcp_gates: {mcp_errors: {limit: 1}}", ""),
        ("mcp_endpoint: {url: https://mcp.example.com}", ""),
    ],
)
def test_what_is_invalid_is_found(text: str, says: str) -> None:
    found = problems(yaml.safe_load(text))
    assert says in str(found) and bool(found) == bool(says)


def test_plays_pass_the_syntax_check(tmp_path: Path) -> None:
    """Which finds the roles and modules, too."""
    plays = [block for block in YAML if any(_has_plays(one) for one in documents(block))]
    files = [tmp_path / f"{number}.yml" for number in range(len(plays))]
    for file, block in zip(files, plays, strict=True):
        file.write_text(f"# {block}\n{block.text}")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections")}
    command = ["ansible-playbook", "--syntax-check", "-i", "localhost,", *map(str, files)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert len(plays) > 15 and done.returncode == 0, done.stderr


def _has_plays(document: t.Any) -> bool:
    return isinstance(document, list) and all(isinstance(one, dict) and "hosts" in one for one in document)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_run_exists(page: str) -> None:
    """Also in running text: playbooks, targets of make, and what ansible-doc shows."""
    text = (ROOT / page).read_text()
    books = set(re.findall(r"ansible-playbook mcp\.server\.(\w+)", text))
    assert not [name for name in books if not (ROOT / "playbooks" / f"{name}.yml").exists()]
    targets = set(re.findall(r"(?<=`)make ([a-z-]+)", text))
    assert targets <= set(" ".join(re.findall(r"^([a-z -]+):", MAKEFILE, re.MULTILINE)).split())
    for kind, name in re.findall(r"`ansible-doc (?:-t (\w+) )?mcp\.server\.(\w+)", text):
        place = {"role": f"roles/{name}", "": f"plugins/modules/{name}.py"}.get(kind, f"plugins/{kind}/{name}.py")
        assert (ROOT / place).exists(), f"ansible-doc of {name}"


def test_json_is_valid() -> None:
    for block in BLOCKS:
        if block.language == "json":
            json.loads(block.text)


def test_json_on_a_command_line_is_valid_for_our_variables() -> None:
    for block in TYPED:
        for given in re.findall(r"-e '(\{.*?\})'", block.commands):
            assert not problems(json.loads(given)), block


def test_blocks_of_a_page(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# A\n<!-- file: a.yml -->\n```yaml\na: 1\n```\n\n## B\n"
        "- one\n  ```console\n  $ ls \\\n      b\n  c\n  $ d\n  ```\n"
    )
    first, second = blocks("page.md", tmp_path)
    assert first == Block("page.md", 3, "A", "yaml", "a.yml", "a: 1\n") and first.commands == ""
    assert (second.heading, second.line, second.file) == ("B", 9, "")
    assert second.commands == "ls \\\n    b\nd\n"
    (tmp_path / "page.md").write_text("```shell\nls\n")
    with pytest.raises(ValueError, match="page.md:1: this block does not end"):
        blocks("page.md", tmp_path)


def test_what_must_differ() -> None:
    assert substituted("a b", [("a", "b"), ("b", "c")]) == "c c"


@pytest.mark.parametrize(
    ("shown", "said", "good"),
    [
        ("49.0 % of 400 answers, by header", "[x] 51.5 % of 392 answers, 1 failed, by header", True),
        ("49.0 % of 400 answers", "nothing measured", False),
        ("green 100 %: measured 100.0 % of 40 answers", "green 100 %: measured 49.0 % of 40 answers", False),
        ("API server ... answers", "The API server https://127.0.0.1:6443 answers, Kubernetes v1", True),
        ("green 10 %: measured 10.4 % of 9 answers", "green 10 %: measured 7.1 % of 8 answers", True),
        ("live since 18:54:35 UTC", "live since 09:00:00 UTC", True),
        ("green (live)  100 % ... image:1", "green (live)  100 %   2/2   image:1", True),
        ("green 50 %", "green 10 %", False),
    ],
)
def test_what_a_page_shows_is_compared(shown: str, said: str, good: bool) -> None:
    assert (not missing(shown, said)) is good
