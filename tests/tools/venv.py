# SPDX-License-Identifier: GPL-3.0-or-later
"""Make (once) a virtual environment outside the checkout and print its path: venv.py [NAME], one of PYTHONS."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-server-collection"
SERVER_REQUIREMENTS = Path(__file__).parents[2] / "sandbox" / "server" / "requirements.txt"  # included by tools.txt
# Which Pythons the pinned ansible-core of each set runs on, the preferred first.
PYTHONS = {
    "tools": ("3.11", "3.12", "3.13"),
    "oldest-client": ("3.11", "3.12", "3.13"),
    "newest-core": ("3.13", "3.12", "3.14"),
    "kubernetes-core": ("3.11", "3.12", "3.13"),
    "execution-environment": ("3.11", "3.12", "3.13"),
    "docs": ("3.11", "3.12", "3.13"),
    # MCP servers of tests/matrix
    "mcp-1.26": ("3.11", "3.12", "3.13"),
    "mcp-1.30": ("3.11", "3.12", "3.13"),
    "fastmcp": ("3.11", "3.12", "3.13"),
    # For tests of the role ci_scaffold
    "pipeline-schemas": ("3.11", "3.12", "3.13"),
}


class NoPython(Exception):
    """None of the Pythons that this set runs on is installed."""


def real_python(versions: tuple[str, ...]) -> str:
    """The first of these Pythons that is no pyenv shim (a shim answers only for the versions that pyenv has switched
    on).
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [folder for folder in os.get_exec_path() if Path(folder) != pyenv / "shims"]
    for version in versions:
        beside_path = sorted(map(str, pyenv.glob(f"versions/{version}.*/bin")), reverse=True)
        found = shutil.which(f"python{version}", path=os.pathsep.join([*folders, *beside_path]))
        if (
            found
            and subprocess.run([found, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode
            == 0
        ):
            return os.path.realpath(found)
    raise NoPython(f"no Python {' or '.join(versions)} with its venv module; on Debian: apt-get install python3-venv")


def make(name: str) -> Path:
    """The environment's folder. Raises NoPython, CalledProcessError."""
    python = real_python(PYTHONS[name])
    requirements = Path(__file__).parent / "requirements" / f"{name}.txt"
    constraints = requirements.with_name("constraints.txt")
    version = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout.strip()
    files = (requirements, constraints, SERVER_REQUIREMENTS)
    made_from = (*(file.read_text() for file in files), version, python)
    place = CACHE / f"venv-{name}-{hashlib.sha256(repr(made_from).encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            print(f"venv: installing {requirements.name} with {version}", file=sys.stderr, flush=True)
            subprocess.run([python, "-m", "venv", "--clear", place], check=True)
            pip = [
                place / "bin" / "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "-r",
                requirements,
                "-c",
                constraints,
            ]
            subprocess.run(pip, check=True, stdout=sys.stderr)
            (place / "complete").touch()
    return place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="tools", choices=PYTHONS)
    try:
        print(make(parser.parse_args().name))
    except (NoPython, subprocess.CalledProcessError) as error:
        sys.exit(f"venv: {error}")


if __name__ == "__main__":
    main()
