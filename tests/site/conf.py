# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx' settings for the site that `make docs` builds."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml
from docutils import nodes

GALAXY = yaml.safe_load((Path(__file__).parents[2] / "galaxy.yml").read_text())

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
author = ", ".join(GALAXY["authors"])
project_copyright = f"{author}. GPL-3.0-or-later"
release = str(GALAXY["version"])

extensions = ["myst_parser", "sphinx.ext.githubpages", "sphinx_antsibull_ext"]
# The menu has pages of its own for all plugins; none of them reads environment variables by itself.
exclude_patterns = ["reference/index.rst", "reference/environment_variables.rst"]
default_role = "any"
nitpicky = True
highlight_language = "none"
myst_enable_extensions = ["html_image"]
myst_heading_anchors = 6

html_theme = "furo"
html_title = f"{project} {release}"
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
antsibull_ext_color_scheme = "none"  # site.css takes the theme's colours

# Labels of Ansible's own documentation that antsibull-docs refers to, which no network is asked for.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
LABELS = {
    "action_plugins": "plugins/action.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def outside(_app: t.Any, _env: t.Any, node: t.Any, content: nodes.Node) -> nodes.Node | None:
    """Return a link for what is documented elsewhere."""
    label = node.get("reftarget", "")
    plugin = re.fullmatch(r"ansible_collections\.(\w+)\.(\w+)\.(\w+)", label)
    if plugin and not label.startswith(f"ansible_collections.{project}."):
        path: str | None = "collections/{}/{}/{}.html".format(*plugin.groups())
    else:
        path = LABELS.get(label)
    return nodes.reference("", "", content, refuri=ANSIBLE + path, internal=False) if path else None


def adapt(_app: t.Any, page: str, source: list[str]) -> None:
    """Change what antsibull-docs writes: the theme has a table of contents, and docs/*.md are pages of the site."""
    if page.startswith("reference/"):
        text = re.sub(r"^\.\. contents::\n(   .*\n)+", "", source[0], flags=re.MULTILINE)
        source[0] = re.sub(r":literal:`docs/([\w\\-]+)\.md`", link, text)


def link(match: re.Match[str]) -> str:
    name = match[1].replace("\\", "")
    return f":doc:`docs/{match[1]}.md </docs/{name}>`"


def setup(app: t.Any) -> None:
    app.connect("missing-reference", outside)
    app.connect("source-read", adapt)
