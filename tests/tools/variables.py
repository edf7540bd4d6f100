# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/variables.md out of the argument specs of the roles and the options of server and cluster; a unit test
compares them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "playbooks" / "collections"))

from ansible_collections.mcp.server.plugins.doc_fragments import cluster, server  # noqa: E402
from ansible_collections.mcp.server.plugins.plugin_utils import _variables  # noqa: E402

PAGE = ROOT / "docs" / "variables.md"
FLEET = ROOT / "playbooks" / "fleet"  # what bluegreen.yml imports
HEAD = """# Variables

All variables of the playbooks begin with `mcp_`, except `version`, which only releases and their pre-flight checks
read. Set them in the inventory, with `-e`, or in a survey of AWX. `tests/tools/variables.py` writes this page.

Text is converted to the type: `"false"`, `"3"`, and lists and dictionaries as JSON or YAML (a list of words also with
commas or line breaks between them). An empty text means no value. A value that cannot be converted fails its server
before anything is changed there, with a sentence that names the variable; other servers of the play go on. A rollback
warns and goes on with the default, unless the variable says which server, cluster, user, version or pool is meant:
with another value it would act on another one.

A variable that begins with `mcp_` and that no playbook reads gives a warning with the name that was probably meant.
List your own variables, or patterns of their names, in `mcp_own_variables`. Do not set `mcp_release`: releases,
rollbacks, watches and reports publish it for the jobs that follow (`set_stats`). Names without `mcp_`, such as `reason`
or `release`, are ignored: AWX and others set them for their own purposes.

Dictionaries such as `mcp_endpoint` have the suboptions of the module named in the text
(`ansible-doc mcp.server.mcp_health`). When you use a role by itself and give a value as text, set
`rolespec_validate: false` in `import_role`: Ansible's own check of a role's arguments does not read lists as JSON.

| variable | type | default | playbooks | meaning |
| --- | --- | --- | --- | --- |
"""


def plain(text: str | list[str]) -> str:
    """Return documentation as one line of Markdown."""
    words = " ".join(text if isinstance(text, list) else [text])
    words = re.sub(r"\b[A-Z]\((?:mcp\.server\.)?([^)]*)\)", r"`\1`", words)
    return " ".join(words.split()).replace("|", "\\|")


def roles_of(playbook: Path) -> set[str]:
    """Return the roles that a playbook runs, with those that they include."""
    books = [playbook, *(FLEET.glob("*.yml") if playbook.stem == "bluegreen" else ())]
    found, new = set(), set(re.findall(r"name: mcp\.server\.(\w+)", "".join(book.read_text() for book in books)))
    while new:
        found |= new
        tasks = [file.read_text() for role in new for file in (ROOT / "roles" / role / "tasks").glob("*.yml")]
        new = {role for text in tasks for role in re.findall(r"name: mcp\.server\.(\w+)", text)} - found
    return found


def target() -> dict[str, _variables.Spec]:
    """Return the variables of server and cluster with the words of the documentation fragments."""
    options = {}
    for fragment in (server, cluster):
        options.update(yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"])
    names = {option: name for name, option in _variables.TARGET.items()}
    found = {}
    for name, option in _variables.TARGET.items():
        words = options[option]["description"]
        words = words if isinstance(words, str) else " ".join(words)
        found[name] = {
            **options[option],
            "description": re.sub(r"O\((\w+)", lambda other: f"O({names.get(other[1], other[1])}", words),
        }
    found["mcp_server"]["default"] = "the host's name"
    found["mcp_route"]["default"] = "the server's name"
    found["mcp_container"]["default"] = "the server's name"
    return found


def row(name: str, spec: _variables.Spec, playbooks: str) -> str:
    kind = spec.get("type", "str") + (f" of {spec['elements']}" if "elements" in spec else "")
    default = (
        ""
        if "default" not in spec
        else json.dumps(spec["default"]).replace('"', "")
        if spec["default"] not in ([], {})
        else json.dumps(spec["default"])
    )
    choices = f" One of {', '.join(f'`{one}`' for one in spec['choices'])}." if "choices" in spec else ""
    return f"| `{name}` | {kind} | {default} | {playbooks} | {plain(spec['description'])}{choices} |\n"


def page() -> str:
    playbooks = {file.stem: roles_of(file) for file in sorted((ROOT / "playbooks").glob("*.yml"))}
    specs = {**_variables.known(), **target()}
    for role in ("bluegreen", "rollback"):  # of a variable that several have, the words of the first
        specs.update(
            {
                name: spec
                for name, spec in _variables.of_role(role).items()
                if role == "bluegreen" or name not in _variables.of_role("bluegreen")
            }
        )
    everywhere = {*_variables.TARGET, *_variables.PLAYBOOKS}
    rows = []
    for name in sorted(specs, key=lambda name: (name != "version", name)):
        readers = [book for book, roles in playbooks.items() if any(name in _variables.of_role(role) for role in roles)]
        rows.append(row(name, specs[name], "all" if name in everywhere else ", ".join(readers)))
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page())
