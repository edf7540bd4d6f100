# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users get who install the collection from Galaxy: the artifact, as it is built."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"(?<!`)\[[^][]*\]\(([^()\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory) -> dict[str, str]:
    """Build it; return the text of each file by its path."""
    folder = tmp_path_factory.mktemp("artifact")
    command = [Path(sys.executable).parent / "ansible-galaxy", "collection", "build", "--output-path", folder]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")} | {
        "ANSIBLE_HOME": str(folder)
    }
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    (file,) = folder.glob("*.tar.gz")
    with tarfile.open(file) as packed:
        return {
            one.name: packed.extractfile(one).read().decode(errors="replace")
            for one in packed.getmembers()
            if one.isfile()
        }  # type: ignore[union-attr]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Return where a page leads to, but for code and other hosts."""
    found = [first or second for first, second in LINK.findall(CODE.sub("", text))]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def broken(files: dict[str, str], page: str) -> list[str]:
    """Return the links of a page that lead to no file or folder of the artifact, or to no heading of it."""
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    wrong = []
    for link in links(files[page]):
        path, _hash, anchor = link.partition("#")
        target = os.path.normpath(PurePosixPath(page).parent / path) if path else page
        if target not in files and target not in folders or anchor and anchor not in anchors(files.get(target, "")):
            wrong.append(link)
    return wrong


def test_links_lead_somewhere_inside(artifact):
    pages = [name for name in artifact if name.endswith(".md")]
    assert {"README.md", "docs/glossary.md", "docs/examples/README.md"} <= set(pages)
    assert {page: wrong for page in pages if (wrong := broken(artifact, page))} == {}


def test_what_a_broken_link_is():
    files = {
        "README.md": "# A b: c\n[x](#a-b-c) [x](docs/a.md) [x](docs) [x](https://e.x/y) "
        "`[x](no.md)`\n```\n[x](no)\n```\n",
        "docs/a.md": "# H",
    }
    assert broken(files, "README.md") == []
    files["docs/a.md"] = '[up](../README.md) [a](../no.md) [b](b.md#x) [c](../README.md#no) <img alt="" src="no.svg">'
    assert broken(files, "docs/a.md") == ["../no.md", "b.md#x", "../README.md#no", "no.svg"]


def test_the_examples_are_inside_and_the_workshop_is_not(artifact):
    assert {f"docs/examples/{name}" for name in ("README.md", "inventory.yml", "server.yaml", "release.yml")} <= set(
        artifact
    )
    assert {f"playbooks/{file.name}" for file in (ROOT / "playbooks").glob("*.yml")} <= set(artifact)
    assert {"CHANGELOG.rst", "LICENSE", "SECURITY.md", "CODE_OF_CONDUCT.md", "docs/images/how-it-works.svg"} <= set(
        artifact
    )
    assert not [
        name
        for name in artifact
        if name.startswith(("tests/", "sandbox/", "inventory/", "playbooks/collections/", ".ci/", "."))
    ]
