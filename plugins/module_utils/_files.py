# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that users ask for, in folders where others may write, too."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

MODE = 0o644  # of a new file


def write(path: Path, text: str, *, dry_run: bool = False, make_folder: bool = False) -> str | None:
    """Write a file in one step; return what it contained before, empty without one, None when that was no UTF-8 text.

    A symbolic link, a device or a pipe at the path is replaced, neither read nor written through. A file that was there
    keeps its mode. Nothing is written when the file contains the text already. Raises OSError.
    """
    before, mode = _read(path)
    if before == text or dry_run:
        return before
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    # A name that nobody can foresee, opened with O_EXCL
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return before


def _read(path: Path) -> tuple[str | None, int]:
    """Return the text of a file and its mode; those of an empty one when there is no regular file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return "", MODE
    except OSError:
        if path.is_symlink() or path.is_socket():
            return "", MODE
        raise
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found.st_mode):
            return "", MODE
        try:
            return file.read().decode(), stat.S_IMODE(found.st_mode)
        except UnicodeDecodeError:
            return None, stat.S_IMODE(found.st_mode)
