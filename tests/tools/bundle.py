# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collections that users install and this one does not, from the community bundle on PyPI. They stay in the cache."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

BUNDLE = "ansible==12.3.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-server-collection"


def folder(collection: str, *libraries: str) -> Path:
    """Return the folder that has ansible_collections with NAMESPACE.NAME, and these libraries. Fetches both once."""
    name = "-".join([collection.replace("_", "-"), *(one.rpartition("=")[2] for one in (BUNDLE, *libraries))])
    place = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{collection}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as made:
                _fetch(Path(made), f"ansible_collections/{collection.replace('.', '/')}/", libraries)
                (Path(made) / "ready").rename(place)
    return place


def _fetch(made: Path, inside: str, libraries: tuple[str, ...]) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "download", "--no-deps", "--dest", made, BUNDLE], check=True, timeout=300)
    (wheel,) = made.glob("ansible-*.whl")
    with zipfile.ZipFile(wheel) as bundle:
        bundle.extractall(made / "ready", [name for name in bundle.namelist() if name.startswith(inside)])
    for library in libraries:
        subprocess.run([*pip, "install", "--no-deps", "--target", made / "ready", library], check=True, timeout=300)
