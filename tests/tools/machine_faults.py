# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether it was the machine that made something fail, in one sentence: functions of what was seen, and the seeing."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

LEAST_FREE = 2 * 2**30
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
# Folders of ours that grow. One that does not exist yet is where its nearest parent is.
FOLDERS = (Path(tempfile.gettempdir()), Path("/var/lib"), CACHE)


@dataclass(frozen=True)
class Seen:
    """null_mode: the mode of /dev/null, 0 when it is no device. free: bytes that are left, by folder."""

    null_mode: int
    free: dict[str, int]


def look() -> Seen:
    found = os.stat("/dev/null")
    mode = stat.S_IMODE(found.st_mode) if stat.S_ISCHR(found.st_mode) else 0
    return Seen(mode, {str(folder): shutil.disk_usage(_existing(folder)).free for folder in FOLDERS})


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


# What logs say when the machine is at fault: a pattern, and the sentence, with what the pattern found.
_WORDS = (
    (r"No space left on device(?:: '([^']+)')?|ENOSPC", "the disk is full ({0}): free some space"),
    (r"Disk quota exceeded", "the disk quota is used up: free some space"),
    (
        r"/dev/null: Permission denied|Permission denied: '/dev/null'",
        "/dev/null can't be written: run chmod 666 /dev/null",
    ),
    (
        r"(?:bind|listen)\S* [^\n]*?(\S+:\d+)[^\n]*address already in use",
        "port {0} is in use by another program: stop it",
    ),
    (r"Port (\S+) is taken by another program", "port {0} is in use by another program: stop it"),
    (
        r"Address already in use|EADDRINUSE",
        "a port that is needed is in use by another program: see the log for which, and stop that program",
    ),
    (r"Cannot allocate memory|ENOMEM|signal: killed", "there is not enough memory: end other programs"),
    (r"Too many open files|EMFILE", "too many files are open: raise the limit (ulimit -n)"),
    (
        r"Temporary failure (?:in name resolution|resolving '([^']+)')",
        "a name can't be resolved ({0}): the package registries can't be reached",
    ),
)


def sentence(seen: Seen, log: str) -> str | None:
    """Return what is wrong with the machine and what to do about it; None when nothing points to it.

    log: the end of what the failed command printed.
    """
    if not seen.null_mode:
        return "/dev/null is no device: make it again with rm -f /dev/null; mknod -m 666 /dev/null c 1 3."
    if seen.null_mode & 0o666 != 0o666:
        return f"/dev/null is not writable for everybody (mode {seen.null_mode:o}): run chmod 666 /dev/null."
    for folder, free in seen.free.items():
        if free < LEAST_FREE:
            return f"only {free / 2**30:.1f} GiB are free for {folder}, {LEAST_FREE / 2**30:.0f} are needed: free some space."
    for pattern, text in _WORDS:
        if found := re.search(pattern, log, re.IGNORECASE):
            return _fill(text, found.groups()) + "."
    return None


def _fill(text: str, groups: t.Sequence[str | None]) -> str:
    return text.format(*groups) if groups and groups[0] else text.replace(" ({0})", "").replace("port {0}", "a port")
