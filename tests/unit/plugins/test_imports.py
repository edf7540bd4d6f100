# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports between the packages of module_utils go one way (CONTRIBUTING.md has the map). Imports inside functions count
too.
"""

from __future__ import annotations

import ast
import graphlib
import re
import typing as t
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[3] / "plugins" / "module_utils"
PREFIX = "ansible_collections.mcp.server.plugins.module_utils"

Graph = dict[str, set[str]]


def imports(sources: t.Mapping[str, str]) -> Graph:
    """Return which modules each module imports. sources: the text of each, by its name below module_utils, such as
    _mcp.http_sse.
    """
    found: Graph = {}
    for name, text in sources.items():
        froms = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
        ours = [node for node in froms if node.module and (node.module + ".").startswith(f"{PREFIX}.")]
        named = {f"{node.module}.{alias.name}".removeprefix(f"{PREFIX}.") for node in ours for alias in node.names}
        found[name] = {one if one in sources else one.rpartition(".")[0] for one in named} - {name}
    return found


def package(module: str) -> str:
    """Return the package of a module; a file right below module_utils stands for itself."""
    return module.partition(".")[0]


def between_packages(modules: Graph) -> Graph:
    found: Graph = {}
    for module, wanted in modules.items():
        found.setdefault(package(module), set()).update(
            package(one) for one in wanted if package(one) != package(module)
        )
    return found


def circle(graph: Graph) -> list[str]:
    """Return the nodes of a circle, if there is one."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


@pytest.fixture(scope="module")
def modules() -> Graph:
    files = [path for path in UTILS.rglob("*.py") if path.name != "__init__.py"]
    return imports(
        {".".join(path.relative_to(UTILS).with_suffix("").parts): path.read_text(encoding="utf-8") for path in files}
    )


def test_the_packages_form_no_circle(modules: Graph) -> None:
    assert circle(between_packages(modules)) == []


def test_the_modules_form_no_circle(modules: Graph) -> None:
    assert circle(modules) == []


def not_downwards(order: list[str], graph: Graph) -> set[tuple[str, str]]:
    """Return what imports something that is not below it in this order."""
    at = {name: number for number, name in enumerate(order)}
    return {(name, wanted) for name, all_wanted in graph.items() for wanted in all_wanted if at[wanted] < at[name]}


def test_the_map_has_every_package_with_imports_downwards(modules: Graph) -> None:
    page = (UTILS.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition("\n## Map\n")[2].partition("\n## ")[0]
    order = re.findall(r"^\| `(_\w+)(?:\.py)?` \|", section, re.MULTILINE)
    graph = between_packages(modules)
    assert sorted(order) == sorted(graph)
    assert not_downwards(order, graph) == set()


def test_an_import_upwards_is_found() -> None:
    assert not_downwards(["_a", "_b"], {"_a": {"_b"}, "_b": set()}) == set()
    assert not_downwards(["_b", "_a"], {"_a": {"_b"}, "_b": set()}) == {("_a", "_b")}


def test_nothing_imports_the_code_of_a_module(modules: Graph) -> None:
    """What else needs it is handed it, or has it from a package of its own."""
    assert {
        name
        for name, wanted in modules.items()
        if package(name) != "_modules" and any(package(one) == "_modules" for one in wanted)
    } == set()


def test_the_protocol_knows_nothing_of_traffic(modules: Graph) -> None:
    graph = between_packages(modules)
    reached, new = {"_mcp"}, {"_mcp"}
    while new:
        new = {wanted for name in new for wanted in graph.get(name, ())} - reached
        reached |= new
    assert "_traffic" not in reached and "_modules" not in reached


def test_every_module_of_the_collection_has_its_code_where_one_looks_for_it() -> None:
    names = {path.stem for path in (UTILS.parent / "modules").glob("mcp_*.py")}
    assert names == {path.stem for path in (UTILS / "_modules").glob("mcp_*.py")}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"_a.one": "_b.two", "_b.two": "_task", "_task": ""}, []),
        ({"_a.one": "_b.two", "_b.three": "_a.four", "_a.four": "", "_b.two": ""}, ["_a", "_b"]),
    ],
)
def test_a_circle_is_found(texts: dict[str, str], found: list[str]) -> None:
    """Also where no module imports itself by way of others."""

    def source(wanted: str) -> str:
        inner, _dot, leaf = wanted.rpartition(".")
        return f"def later():\n    from {PREFIX}{'.' if inner else ''}{inner} import {leaf}\n" if wanted else ""

    graph = imports({name: source(wanted) for name, wanted in texts.items()})
    assert circle(graph) == []
    assert sorted(set(circle(between_packages(graph)))) == found
