# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change text files by regular expressions."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

MAX_BYTES = 4 * 1024 * 1024  # of a file


class Change(t.NamedTuple):
    """Replace what a regular expression matches in a file."""

    file: str  # relative to the repository
    regexp: str
    replace: str  # as in re.sub


class Edited(t.NamedTuple):
    """A file with its text before and after."""

    file: str
    before: str
    after: str

    def diff(self) -> dict[str, str]:
        """Return the change in Ansible's form for --diff."""
        return {"before": self.before, "after": self.after, "before_header": self.file, "after_header": self.file}


def edited(text: str, change: Change) -> str:
    """Return the changed text. Raise Failure when nothing matches: otherwise nobody would notice."""
    try:
        after, times = re.subn(change.regexp, change.replace, text, flags=re.MULTILINE)
    except (re.error, IndexError, RecursionError, OverflowError) as error:
        raise Failure(f"regexp {change.regexp!r} with replace {change.replace!r} is not valid: {error}.") from None
    if not times:
        raise Failure(f"regexp {change.regexp!r} matches nothing in {change.file}.")
    return after


def edit(folder: Path, changes: t.Sequence[Change]) -> list[Edited]:
    """Return the files of this checkout that the changes, applied in order, make different. Write nothing."""
    before = {change.file: _read(folder, change.file) for change in changes}
    after = dict(before)
    for change in changes:
        after[change.file] = edited(after[change.file], change)
    return [Edited(file, before[file], text) for file, text in after.items() if text != before[file]]


def write(folder: Path, files: t.Sequence[Edited]) -> None:
    """Write the changed texts into this checkout."""
    for one in files:
        _path(folder, one.file).write_bytes(one.after.encode())


def _read(folder: Path, file: str) -> str:
    path = _path(folder, file)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Failure(f"{file} has more than {MAX_BYTES} bytes.")
        return content.decode()
    except UnicodeDecodeError:
        raise Failure(f"{file} is not UTF-8 text.") from None
    except OSError as error:
        raise Failure(f"Cannot read {file} in the repository ({error.strerror}).") from None


def _path(folder: Path, file: str) -> Path:
    """Return the file's path. Raise Failure when it, or a link, leads out of the repository or into Git's own files."""
    root = folder.resolve()
    try:
        path = (root / file).resolve()
        inside = path.relative_to(root).parts
    except (ValueError, OSError, RuntimeError):
        inside = ()
    if not inside or inside[0] == ".git":
        raise Failure(f"{file!r} is not a file of the repository.")
    return path
