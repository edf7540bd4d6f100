# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages in docs/guide against the guide's headings, the data that they are written from, and what there is.

Their links are tested with all pages of the artifact (test_artifact.py), their commands by the target `guide`.
"""

from __future__ import annotations

import re
from pathlib import Path

import guide
import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._guide import document
from ansible_collections.mcp.server.plugins.module_utils._guide.headings import HEADINGS, ITEMS, Heading
from ansible_collections.mcp.server.plugins.plugin_utils import _variables

ROOT = Path(__file__).parents[3]
PLAYBOOKS = {file.stem for file in (ROOT / "playbooks").glob("*.yml")}
MODULES = {file.stem for file in (ROOT / "plugins" / "modules").glob("mcp_*.py")}
VARIABLES = {*_variables.known(), *_variables.TARGET}
# The reader's own files.
FILES = {"prod", "stage", "monthly"}


def page(name: str) -> str:
    return (ROOT / "docs" / "guide" / f"{name}.md").read_text()


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def sections(name: str) -> dict[str, str]:
    """Return the text below each heading of a page, down to the next heading."""
    parts = re.split(r"^(#+ .+)\n", page(name), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def heading_lines(name: str) -> list[str]:
    """Return the headings that the page must have, as Markdown: the first is its title."""
    ours = [heading for heading in HEADINGS if heading.page == name]
    return [f"{'#' * (1 + heading.level - ours[0].level)} {heading.title}" for heading in ours]


@pytest.mark.parametrize("file", guide.FILES, ids=lambda file: file.stem)
def test_the_parts_from_data_are_current(file: Path) -> None:
    """Otherwise run tests/tools/guide.py."""
    assert guide.written(file.read_text()) == file.read_text()


def test_every_part_stands_on_a_page() -> None:
    text = "".join(file.read_text() for file in guide.FILES)
    assert {name for name in guide.PARTS if f"<!-- {name} -->" not in text} == set()
    assert all("<!-- head -->" in page(name) for name in guide.PAGES)
    assert set(guide.PAGES) == {file.stem for file in (ROOT / "docs" / "guide").glob("*.md")}


def test_a_changed_part_is_noticed() -> None:
    text = page("matrix")
    assert guide.written(text.replace("1.24+", "1.25+")) == text
    assert guide.written(text.replace("<!-- head -->\n", "<!-- head -->\nof last year\n")) == text


@pytest.mark.parametrize("name", guide.PAGES)
def test_a_page_has_the_headings_of_the_guide_in_its_order(name: str) -> None:
    found = re.findall(r"^#+ .+$", without_code(page(name)), re.MULTILINE)
    wanted = heading_lines(name)
    # Only the first page has more.
    assert [one for one in found if one in wanted or name != "README"] == wanted


def named(text: str) -> tuple[set[str], set[str], set[str]]:
    """Return the playbooks, modules and variables that a text names, but for what it shows of an output."""
    text = re.sub(r"^```text\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    books = {*re.findall(r"\bmcp\.server\.([a-z_]+)", text), *re.findall(r"(?<![\w/.-])([a-z_]+)\.yml\b", text)} - FILES
    words = set(re.findall(r"\bmcp_[a-z_]+\b", text))
    return books, words & MODULES, words - MODULES


@pytest.mark.parametrize("heading", HEADINGS, ids=lambda heading: heading.title)
def test_a_heading_names_what_does_it(heading: Heading) -> None:
    """All its playbooks, none that does not exist, and no variable that nobody reads."""
    lines = dict(zip([one for one in HEADINGS if one.page == heading.page], heading_lines(heading.page), strict=True))
    books, _modules, variables = named(sections(heading.page)[lines[heading]])
    assert books <= PLAYBOOKS and variables <= VARIABLES
    assert {item.playbook for item in ITEMS if item.heading == heading.title} <= books


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_an_item_belongs_to_a_heading(item) -> None:
    assert item.heading in {heading.title for heading in HEADINGS}


def test_no_heading_without_an_item() -> None:
    """But for those that have headings below them."""
    above = {
        one.title
        for one, below in zip(HEADINGS, HEADINGS[1:], strict=False)
        if below.level > one.level and below.page == one.page
    }
    assert {heading.title for heading in HEADINGS} - {item.heading for item in ITEMS} == above


def test_the_inventory_names_whom_the_guide_names() -> None:
    inventory = page("README").partition("<!-- file: prod.yml -->\n```yaml\n")[2].partition("```")[0]
    tree = yaml.safe_load(inventory)["mcp"]["hosts"]["mcp-server"]["mcp_escalation"]
    assert {one["kind"]: one["name"] for one in tree} == document.ESCALATION
    assert set(document.ESCALATION) == set(escalation.KINDS)


def test_names_that_do_not_exist_are_found() -> None:
    books, modules, variables = named("`mcp.server.nothing` and nowhere.yml, -i prod.yml, `mcp_health`, `mcp_nothing`")
    assert (books, modules, variables) == ({"nothing", "nowhere"}, {"mcp_health"}, {"mcp_nothing"})
