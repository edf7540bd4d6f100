# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of a report: where it goes, and how it is written."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _files
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def place(dest: Path, name: str) -> Path:
    """Return the path of the file: dest, or a name made of this one in the folder dest."""
    if dest.suffix == ".html" and not dest.is_dir():
        return dest
    # Some systems don't allow colons and the like in names.
    return dest / f"{re.sub(r'[^A-Za-z0-9._-]', '', name)}.html"


def write(path: Path, text: str, *, dry_run: bool) -> bool:
    """Write the file, and return whether its content changed. Nobody sees an unfinished one. Raise Failure."""
    try:
        return _files.write(path, text, dry_run=dry_run, make_folder=True) != text
    except OSError as error:
        raise Failure(
            f"Cannot write the report to {path}: {error.strerror}. Set dest to a place where this user may write."
        ) from None
