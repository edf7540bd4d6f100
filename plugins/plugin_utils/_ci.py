# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files the role ci_scaffold writes, and why it cannot. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SCRIPT = "ci/mcp-release.sh"
GITLAB = ".gitlab/mcp-release.yml"
INFO = "serverInfo.json"
# What reads the version in a server of each language, and where its sources mostly are.
READERS = {"python": ("src", "server_info.py"), "typescript": ("src", "serverInfo.ts"), "go": (".", "serverinfo.go")}

_PATH = re.compile(r"(?!/)(?!-)[\w./-]+", re.ASCII)
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
_BRANCH = re.compile(r"\w[\w./-]*", re.ASCII)
_PACKAGE = re.compile(r"[a-z_][a-z0-9_]*")


def plan(given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the files, see RETURN of the filter ci_scaffold_plan. given: the role's variables, without mcp_ci_."""
    if problem := _problem(given):
        return {"problem": problem, "files": [], "registry": "", "info": ""}
    folder, reader = READERS[given["language"]]
    folder = (given["source_folder"] or folder).rstrip("/")
    info = _join(folder, INFO)
    files = [
        _file(SCRIPT, "release.sh.j2"),
        _file("ci/requirements.txt", "requirements.txt.j2"),
        _file(info, "serverInfo.json.j2", once=True),
        _file(_join(folder, reader), f"{reader}.j2"),
    ]
    if "github" in given["forges"]:
        files.append(_file(".github/workflows/mcp-release.yml", "github.yml.j2"))
    if "gitlab" in given["forges"]:
        files += [
            _file(GITLAB, "gitlab.yml.j2"),
            _file(".gitlab-ci.yml", "gitlab-ci.yml.j2", once=True, mention=GITLAB),
        ]
    paths = [file["path"] for file in files]
    if unknown := [path for path in given["overwrite"] if path not in paths]:
        return {
            "problem": f"mcp_ci_overwrite has {ascii(unknown[0])}, which is none of the files: {', '.join(paths)}.",
            "files": [],
            "registry": "",
            "info": "",
        }
    return {
        "problem": "",
        "files": [{**file, "overwrite": file["path"] in given["overwrite"]} for file in files],
        "registry": Image.parse(f"{given['image']}:v1").host,
        "info": info,
    }


def _file(path: str, template: str, *, once: bool = False, mention: str | None = None) -> dict[str, t.Any]:
    return {"path": path, "template": template, "once": once, "mention": mention}


def _join(folder: str, name: str) -> str:
    return name if folder in ("", ".") else f"{folder}/{name}"


def _problem(given: t.Mapping[str, t.Any]) -> str:
    """Return why nothing can be written, a sentence; empty when it can."""
    try:
        Image.parse(f"{given['image']}:v1")
    except Failure as failure:
        return f"mcp_image must be an image without a tag: {failure.msg}"
    for name in ("inventory", "build_context", "source_folder"):
        path = given[name]
        if path and (not _PATH.fullmatch(path) or ".." in path.split("/")):
            return f"mcp_ci_{name} is {ascii(path)}: it must be a path in the repository, of letters, digits, . / _ -."
    environments = (given["staging"], given["production"])
    for name, value in zip(("staging", "production"), environments, strict=True):
        if not _NAME.fullmatch(value):
            return (
                f"mcp_ci_{name} is {ascii(value)}: it must be the name of an environment and of a group in the "
                "inventory, of letters, digits, . _ -."
            )
    if environments[0] == environments[1]:
        return f"mcp_ci_staging and mcp_ci_production are both {environments[0]}: name two environments."
    if bad := [one for one in given["branches"] if not _BRANCH.fullmatch(one)]:
        return f"mcp_ci_branches has {ascii(bad[0])}, which is no name of a branch."
    if not _PACKAGE.fullmatch(given["go_package"]):
        return f"mcp_ci_go_package is {ascii(given['go_package'])}, which is no name of a Go package."
    if not given["forges"]:
        return "mcp_ci_forges is empty: name github, gitlab or both."
    if given["minutes"] < 1:
        return f"mcp_ci_minutes is {given['minutes']}: it must be 1 or more."
    return _text_problem(given)


def _text_problem(given: t.Mapping[str, t.Any]) -> str:
    """Return which text a forge would read as more than text; empty when none is."""
    for name in ("audience", "runner", "gitlab_tags", "gitlab_image"):
        for value in given[name] if isinstance(given[name], list) else [given[name]]:
            if not value.isprintable() or "$" in value:
                return (
                    f"mcp_ci_{name} has {ascii(value)}: a forge would put something in place of '$', and control "
                    "characters are none of a name. Write it without them, or change the file by hand."
                )
    for name in ("audience", "runner"):
        if not given[name]:
            return f"mcp_ci_{name} is empty."
    return ""
