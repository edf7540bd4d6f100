# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes (once) the virtual environment that everything here runs in, outside the checkout, and prints its path."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INCLUDED = REQUIREMENTS.parents[2] / "sandbox" / "server" / "requirements.txt"


def real_python() -> str:
    """ansible-core 2.19 is pinned, so 3.11 to 3.13; sys.executable is the real one where `python3` is a shim."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = next((path for name in ("python3.11", "python3.12", "python3.13") if (path := shutil.which(name))), None)
        if found is None:
            sys.exit(f"Python {sys.version.split()[0]} can't run ansible-core 2.19: install Python 3.11, 3.12 or 3.13.")
        return found
    return sys.executable


def main() -> None:
    python = real_python()
    version = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + INCLUDED.read_bytes() + version.encode() + python.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "mcp-server-collection" / f"venv-{key}"
    if not (place / "complete").exists():
        print(f"venv: installing {REQUIREMENTS.name} with {version.strip()}", file=sys.stderr, flush=True)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([python, "-m", "venv", place], check=True)
        pip = [place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        (place / "complete").touch()
    print(place)


main()
