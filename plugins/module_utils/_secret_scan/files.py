# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files in which secrets are looked for: bounded in number, size and time, and none behind a symbolic link."""

from __future__ import annotations

import fnmatch
import os
import stat
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._secret_scan.lines import KINDS, findings
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_FILES = 5000
MAX_BYTES = 1024 * 1024  # of a file; a larger one is no text that somebody wrote
MAX_SECONDS = 30.0
MAX_FINDINGS = 500
MAX_SHOWN = 10
LEFT_OUT = (".git", ".hg", ".svn", ".tox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache")
BESIDE_INVENTORY = ("group_vars", "host_vars")
ENCODINGS = ("utf-8", "latin-1")


@dataclass
class Scan:
    """What was looked at."""

    found: list[dict[str, t.Any]] = field(default_factory=list)
    files: int = 0
    left_out: int = 0  # too large, or not readable


def places(inventory: t.Iterable[str], paths: t.Iterable[str]) -> list[Path]:
    """Return what is looked at: an inventory with the folders of variables beside it. Lists of hosts are no files."""
    found = []
    for source in inventory:
        path = Path(source).expanduser()
        if "," in source or not path.exists():
            continue
        found.append(path)
        if path.is_file():
            found += [beside for name in BESIDE_INVENTORY if (beside := path.parent / name).is_dir()]
    for name in paths:
        path = Path(name).expanduser()
        if not path.exists():
            raise Failure(f"{printable(name, 300)} does not exist, so no secrets are looked for in it: correct paths.")
        found.append(path)
    return list(dict.fromkeys(found))


def scan(roots: t.Iterable[Path], allow: t.Sequence[str], exclude: t.Sequence[str]) -> Scan:
    """Look for secrets. Raises CannotMeasure when there is too much to look at."""
    result, deadline, seen = Scan(), Deadline(MAX_SECONDS), set[tuple[int, int]]()
    for root in roots:
        for path in _files(root, exclude):
            if deadline.left <= 0 or result.files >= MAX_FILES:
                raise CannotMeasure(
                    f"There are too many files to look at ({result.files} in {deadline.elapsed:.0f} s): name fewer "
                    "folders in paths, or leave some out by exclude."
                )
            read = _text(path, seen)
            if read is None:
                continue
            if not isinstance(read, str):
                result.left_out += 1
                continue
            result.files += 1
            for one in findings(read, path.suffix if not path.name.startswith(".env") else ".env"):
                if not is_allowed(str(path), one.kind, allow) and len(result.found) < MAX_FINDINGS:
                    result.found.append({"path": printable(str(path), 500), "line": one.line, "kind": one.kind})
    return result


def is_allowed(path: str, kind: str, allow: t.Iterable[str]) -> bool:
    """Return whether a finding is none, by a list of FILE or FILE:KIND, in which stars stand for anything. Pure."""
    for one in allow:
        pattern, _colon, of_kind = one.rpartition(":")
        if of_kind not in KINDS:  # all of it is the name of a file
            pattern, of_kind = one, ""
        if of_kind in ("", kind) and (fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, f"*/{pattern}")):
            return True
    return False


def _files(root: Path, exclude: t.Sequence[str]) -> t.Iterator[Path]:
    """Yield the files below a folder, in a stable order. A link that is given itself is followed, and no other."""
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT and not _left_out(folder, name, exclude))
        for name in sorted(names):
            if not _left_out(folder, name, exclude) and not os.path.islink(os.path.join(folder, name)):
                yield Path(folder, name)


def _left_out(folder: str, name: str, exclude: t.Iterable[str]) -> bool:
    path = os.path.join(folder, name)
    return any(fnmatch.fnmatchcase(name, one) or fnmatch.fnmatchcase(path, one) for one in exclude)


def _text(path: Path, seen: set[tuple[int, int]]) -> str | bool | None:
    """Return the text of a file; None when it is none or was read already, False when it cannot be looked at."""
    try:
        # Without waiting for a named pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or (about.st_dev, about.st_ino) in seen:
            return None
        seen.add((about.st_dev, about.st_ino))
        if about.st_size > MAX_BYTES:
            return False
        try:
            data = file.read(MAX_BYTES)
        except OSError:
            return False
    if b"\0" in data:
        return None
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def sentence(result: Scan) -> str:
    """Return the sentence on a scan. Raises Failure with file, line and kind of each secret. Pure."""
    looked = f"{result.files} file{'' if result.files == 1 else 's'}"
    if result.left_out:
        looked += f" ({result.left_out} left out: larger than 1 MiB, or not readable)"
    if not result.found:
        return f"No secret is in {looked}."
    shown = [f"{one['path']}:{one['line']} ({KINDS[one['kind']]})" for one in result.found[:MAX_SHOWN]]
    more = len(result.found) - MAX_SHOWN
    rest = f", and {more} more in findings" if more > 0 else ""
    raise Failure(
        f"{len(result.found)} secret{'' if len(result.found) == 1 else 's'} in {looked}: {', '.join(shown)}{rest}. "
        "Put each into a Secret, Vault, Ansible Vault or the environment, and change it, as others may have read it. "
        'What is no secret gets the comment "pragma: allowlist secret", or stands in mcp_scan_allow.'
    )
