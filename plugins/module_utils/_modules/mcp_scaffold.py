# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_scaffold: writes a file into a repository, and keeps what was changed there by hand."""

from __future__ import annotations

import difflib
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _files, _scaffold
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        "folder": {"type": "path", "required": True},
        "path": {"type": "str", "required": True},
        "content": {"type": "str", "required": True},
        "once": {"type": "bool", "default": False},
        "mention": {"type": "str"},
        "overwrite": {"type": "bool", "default": False},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    file = _place(Path(params["folder"]), params["path"])
    if not params["once"] and _scaffold.PLACE not in "".join(params["content"].splitlines()[: _scaffold.LINES]):
        raise Failure(f"The content for {params['path']} has no {_scaffold.PLACE} in its first lines, by which a later "
                      "run could tell what was changed by hand: add it, or set once.")  # fmt: skip
    try:
        # A link leads to a file that others may use, too.
        before = None if file.is_symlink() else _files.write(file, "", dry_run=True)
        decision = _scaffold.decide(before, params["content"], once=params["once"], overwrite=params["overwrite"])
        changed = decision.state in (_scaffold.CREATED, _scaffold.UPDATED)
        if changed:
            _files.write(file, decision.text, dry_run=task.check_mode, make_folder=True)
    except OSError as error:
        raise Failure(f"Cannot write {file}: {error.strerror}. Make it a file that this user may write.") from None

    note = ""
    if decision.state == _scaffold.KEPT:
        note = (
            f"{params['path']} was changed by hand, or is not of this collection, so it is kept. With --diff, "
            f"the play shows what would be there now. To give the changes up: -e mcp_ci_overwrite={params['path']}"
        )
    elif params["once"] and before and params["mention"] and params["mention"] not in before:
        note = f"{params['path']} was there and is kept. It needs a line with {params['mention']}: add it."
    if note:
        task.warn(note)
    lines = difflib.unified_diff((before or "").splitlines(), decision.text.splitlines(), "kept", "new", lineterm="")
    return {
        "changed": changed,
        "state": decision.state,
        "path": params["path"],
        "note": note,
        # Ansible shows no diff of what has not changed.
        "difference": list(lines) if decision.state == _scaffold.KEPT else [],
        "diff": {
            "before_header": params["path"],
            "after_header": params["path"],
            "before": before or "",
            "after": decision.text if changed else before or "",
        },
    }


def _place(folder: Path, path: str) -> Path:
    """Return where the file is. Raise Failure when that is not in a clone."""
    folder = folder.expanduser()
    if not (folder / ".git").exists():
        raise Failure(
            f"folder (mcp_source) is {folder}, which is no clone of a Git repository: clone the server's repository "
            "there."
        )
    file = folder / path
    inside = file.parent.resolve().is_relative_to(folder.resolve())
    if Path(path).is_absolute() or ".." in Path(path).parts or not Path(path).name or not inside:
        raise Failure(f"{path} is not in {folder}: name a file in the clone, without links that lead out of it.")
    return file
