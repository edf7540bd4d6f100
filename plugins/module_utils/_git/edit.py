# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change text files by regular expressions. Pure but for reading the files."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

MOST = 4 * 1024 * 1024  # bytes of a file


class Change(t.NamedTuple):
    """Replace what regexp matches in a file of the repository. replace: as in re.sub."""

    file: str
    regexp: str
    replace: str


class Edited(t.NamedTuple):
    """A file with its text before and after."""

    file: str
    before: str
    after: str

    def diff(self) -> dict[str, str]:
        """Return it in Ansible's form for --diff."""
        return {"before": self.before, "after": self.after, "before_header": self.file, "after_header": self.file}


def edited(text: str, change: Change) -> str:
    """Return the changed text. Raise Failure when nothing matches, as a change that is never made would be noticed by nobody."""
    try:
        after, times = re.subn(change.regexp, change.replace, text, flags=re.MULTILINE)
    except (re.error, IndexError, RecursionError, OverflowError) as error:
        raise Failure(f"regexp {change.regexp!r} with replace {change.replace!r} is not valid: {error}.") from None
    if not times:
        raise Failure(f"regexp {change.regexp!r} matches nothing in {change.file}.")
    return after


def edit(folder: Path, changes: t.Sequence[Change]) -> list[Edited]:
    """Return the files in this checkout that the changes make different, one after the other; nothing is written."""
    before = {change.file: _read(folder, change.file) for change in changes}
    after = dict(before)
    for change in changes:
        after[change.file] = edited(after[change.file], change)
    return [Edited(file, before[file], text) for file, text in after.items() if text != before[file]]


def write(folder: Path, files: t.Sequence[Edited]) -> None:
    for one in files:
        _path(folder, one.file).write_bytes(one.after.encode())


def _read(folder: Path, file: str) -> str:
    path = _path(folder, file)
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST + 1)
        if len(content) > MOST:
            raise Failure(f"{file} has more than {MOST} bytes.")
        return content.decode()
    except UnicodeDecodeError:
        raise Failure(f"{file} is not UTF-8 text.") from None
    except OSError as error:
        raise Failure(f"{file} can't be read there ({error.strerror}).") from None


def _path(folder: Path, file: str) -> Path:
    """Return where it is. A link in the repository must not lead out of it, nor into Git's own files."""
    root = folder.resolve()
    try:
        path = (root / file).resolve()
        inside = path.relative_to(root).parts
    except (ValueError, OSError, RuntimeError):
        inside = ()
    if not inside or inside[0] == ".git":
        raise Failure(f"{file!r} is no file of the repository.")
    return path
