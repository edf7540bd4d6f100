# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the site, as Sphinx gets them."""

from __future__ import annotations

import documentation
import pytest

KNOWN = ("README.md", "SECURITY.md", "docs/routes.md", "docs/examples/README.md")
TREE = "https://e.example/tree/main"


@pytest.mark.parametrize(
    ("page", "text", "wanted", "files"),
    [
        ("docs/a.md", "[x](routes.md#rights)", "[x](routes.md#rights)", set()),
        ("docs/a.md", "[x](../README.md#the-role)", "[x](../index.md#the-role)", set()),
        ("docs/examples/a.md", "[x](../../README.md)", "[x](../../index.md)", set()),
        ("README.md", "[x](docs/examples/README.md) [y](#y)", "[x](docs/examples/README.md) [y](#y)", set()),
        # Another file of the repository goes along
        ("docs/a.md", "[x](../galaxy.yml)", "[x](../galaxy.yml)", {"galaxy.yml"}),
        ("README.md", '<img alt="" src="docs/b.svg">', '<img alt="" src="docs/b.svg">', {"docs/b.svg"}),
        # A folder has no page
        ("docs/a.md", "[x](../playbooks)", f"[x]({TREE}/playbooks)", set()),
        # Elsewhere, and code
        ("docs/a.md", "[x](https://e.example/README.md)", "[x](https://e.example/README.md)", set()),
        ("docs/a.md", "`[x](../README.md)`", "`[x](../README.md)`", set()),
        ("docs/a.md", "```\n[x](../README.md)\n```\n", "```\n[x](../README.md)\n```\n", set()),
        ("docs/a.md", "- a\n\n  ```\n  [x](../no)\n  ```\n", "- a\n\n  ```\n  [x](../no)\n  ```\n", set()),
    ],
)
def test_links_lead_to_pages_of_the_site(page, text, wanted, files):
    assert documentation.relinked(page, text, KNOWN, TREE) == (wanted, files)


def test_the_menu_has_every_page_of_docs_once():
    known = documentation.pages()
    parts = documentation.menu(known, (documentation.ROOT / "README.md").read_text())
    named = [f"docs/{name}.md" for names in parts.values() for name in names]
    assert sorted(named) == [page for page in known if page.startswith("docs/")]


def test_a_page_that_no_part_names_is_in_the_last_one():
    parts = documentation.menu(
        ("README.md", "docs/b.md", "docs/a.md", "docs/gates.md"), "[x](docs/b.md) [y](docs/a.md)"
    )
    assert parts == {"Release": ["gates"], "More": ["b", "a"]}


def test_the_start_page_has_the_readmes_names():
    readme = "# X\n\n## Documentation\n\n| judge | [gates](docs/gates.md) |\n\n## More\n\n[other](docs/routes.md)\n"
    page = documentation.start_page(readme, ("README.md", "docs/gates.md", "docs/routes.md"))
    assert page.startswith(readme)
    assert ":caption: Release\n\nGates <docs/gates>\ndocs/routes\n```" in page


def test_what_is_the_same_is_not_written_again(tmp_path):
    """Sphinx goes by the time of the last change."""
    file = tmp_path / "a" / "b.md"
    documentation.write(file, b"one")
    before = file.stat()
    documentation.write(file, b"one")
    assert file.stat() == before
    documentation.write(file, b"two")
    assert file.read_bytes() == b"two"


def test_what_the_reference_is_for_comes_from_its_titles(tmp_path):
    (tmp_path / "mcp_x_module.rst").write_text("\n.. Title\n\nmcp.server.mcp_x module -- Does x\n++++\n")
    (tmp_path / "x_role.rst").write_text("mcp.server.x role -- Is a role\n++++\n")
    assert documentation.documented(tmp_path, "module") == {"mcp_x": "Does x"}
    assert "[mcp_x](reference/mcp_x_module.rst) | Does x |" in documentation.reference_page(
        "module", {"mcp_x": "Does x"}
    )
