# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_git_push: tells a Git repository of the version that was released."""

from __future__ import annotations

import os
import random
import re
import tempfile
import time
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._git.edit import Change, edit, write
from ansible_collections.mcp.server.plugins.module_utils._git.git import Git, Overtaken, Remote
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        "repository": {"type": "str", "required": True},
        "branch": {"type": "str", "default": "main"},
        "changes": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "file": {"type": "str", "required": True},
                "regexp": {"type": "str", "required": True},
                "replace": {"type": "str", "required": True},
            },
        },
        "commit_message": {"type": "str", "required": True},
        "author": {"type": "str", "default": "mcp.server"},
        "email": {"type": "str", "default": "mcp.server@localhost"},
        "token_env": {"type": "str", "no_log": False},
        "username": {"type": "str", "default": "git"},
        "timeout": {"type": "float", "default": 120.0},
        "attempts": {"type": "int", "default": 10},
    }
)

BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,200}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")
USERNAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PAUSE = 1.0  # seconds on average before the second attempt; twice as much before the third, and so on


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    wrong = problem(params, os.environ)
    if wrong:
        raise Failure(f"Nothing was pushed: {wrong}.")
    token = os.environ[params["token_env"]].strip() if params["token_env"] else ""
    remote = Remote(params["repository"], params["branch"], params["username"], token, params["timeout"])
    try:
        return _run(task, remote)
    except Failure as failure:
        raise Failure(
            f"Branch {remote.branch} of the Git repository {remote.shown} does not have it ({params['commit_message']}), and a GitOps tool that reads it "
            f"may put back what it says: {failure.msg} Correct that and run the same again; what is in the cluster stays as it is."
        ) from None


def problem(params: dict[str, t.Any], environment: t.Mapping[str, str]) -> str:
    """Return what is wrong with the options, or an empty text. Pure."""
    try:
        parts = urlsplit(params["repository"])
        scheme, host, password = parts.scheme, parts.hostname, parts.password
    except ValueError:
        return "repository is no URL"
    if password is not None:
        return "repository has a password in it, which would be seen; use token_env, a credential helper of Git or an SSH key"
    if not params["repository"] or params["repository"].startswith("-") or not params["repository"].isprintable():
        return "repository is no URL and no path"
    if not BRANCH.fullmatch(params["branch"]) or ".." in params["branch"]:
        return "branch is not the name of a branch"
    if not params["changes"] or not params["commit_message"].strip():
        return "changes and commit_message must not be empty"
    if params["timeout"] <= 0 or params["attempts"] < 1:
        return "timeout and attempts must be more than 0"
    variable = params["token_env"]
    if not variable:
        return ""
    if not VARIABLE.fullmatch(variable) or not environment.get(variable, "").strip():
        return "token_env must name an environment variable that has a token"
    if not USERNAME.fullmatch(params["username"]) or not environment[variable].strip().isprintable():
        return "username and the token must be one line each"
    if scheme != "https" and not (scheme == "http" and host in LOOPBACK):
        return "a token is sent over https only, and repository is no such URL"
    return ""


def _run(task: Task, remote: Remote) -> dict[str, t.Any]:
    params = task.params
    attempt = 1
    while True:
        try:
            # From the newest state each time, so that what others pushed is kept
            return _attempt(task, remote)
        except Overtaken as overtaken:
            if attempt == params["attempts"]:
                raise Failure(f"others pushed in between, {attempt} times: {overtaken.msg}") from None
            task.progress(
                f"others pushed to {remote.shown} in between; trying again, {attempt} of {params['attempts']}"
            )
            time.sleep(random.uniform(0.5, 1.5) * PAUSE * attempt)
            attempt += 1


def _attempt(task: Task, remote: Remote) -> dict[str, t.Any]:
    params = task.params
    with tempfile.TemporaryDirectory(prefix="mcp-git-") as folder:
        checkout = Path(folder) / "checkout"
        git = Git(remote, checkout, params["author"], params["email"])
        git.clone()
        files = edit(checkout, [Change(**change) for change in params["changes"]])
        result = {
            "changed": bool(files),
            "files": [one.file for one in files],
            "diff": [one.diff() for one in files],
            "commit": None,
        }
        if files:
            write(checkout, files)
            commit = git.commit(params["commit_message"])
            result["commit"] = None if task.check_mode else commit
        # Also of nothing: whether we may push is worth knowing before a release
        if files or task.check_mode:
            git.push(dry_run=task.check_mode)
        return result
