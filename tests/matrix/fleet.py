# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the servers of the matrix, and makes once, outside the checkout, what they need for that."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import typing as t
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVERS = Path(__file__).parent / "servers"
TOKEN = "the-only-token-of-the-matrix"

# By its path: the name is one of the standard library's too.
_spec = importlib.util.spec_from_file_location("tools_venv", Path(__file__).parents[1] / "tools" / "venv.py")
assert _spec and _spec.loader
venv = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(venv)


@dataclass(frozen=True)
class Running:
    """A server that runs. url: without a path."""

    url: str

    def counts(self) -> dict[str, int]:
        """sessions: what the SDK keeps. open: requests that are being answered, streams too. requests: all so far."""
        with urllib.request.urlopen(f"{self.url}/sessions", timeout=5) as answer:
            return json.load(answer)


@contextmanager
def running(kind: str, mode: str) -> t.Iterator[Running]:
    """Run a server of one kind (see _command) in one of its modes. It ends when its standard input ends."""
    with tempfile.TemporaryDirectory(prefix="mcp-matrix-") as folder, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*_command(kind, Path(folder)), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "MATRIX_TOKEN": TOKEN, "PYTHONWARNINGS": "ignore"},
        )
        assert process.stdin and process.stdout
        try:
            ready = select.select([process.stdout], [], [], 60)[0]
            port = process.stdout.readline().decode().strip() if ready else ""
            if not port.isdigit():
                errors.seek(0)
                raise RuntimeError(f"{kind} {mode} did not start: {errors.read().decode(errors='replace')[-2000:]}")
            yield Running(f"http://127.0.0.1:{port}")
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def _command(kind: str, folder: Path) -> list[str | Path]:
    language, _colon, script = kind.partition(":")
    if language == "go":
        return [_go()]
    if language == "typescript":
        for file in (SERVERS / "typescript").glob("*.mjs"):
            shutil.copy(file, folder)
        (folder / "node_modules").symlink_to(node_modules())
        return ["node", folder / script]
    python = sys.executable if language == "tools" else venv.make(language) / "bin" / "python"
    return [python, "-B", SERVERS / "python" / script]


def node_modules() -> Path:
    """Return the folder of the packages that servers and clients of TypeScript need, made when it is not there."""
    files = [SERVERS / "typescript" / name for name in ("package.json", "package-lock.json")]

    def install(place: Path) -> None:
        for file in files:
            shutil.copy(file, place)
        subprocess.run(
            ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True, timeout=240
        )

    return _once("node", files, install) / "node_modules"


def _go() -> Path:
    files = sorted((SERVERS / "go").iterdir())

    def build(place: Path) -> None:
        command = ["go", "build", "-p", "2", "-mod=readonly", "-trimpath", "-o", place / "server", "."]
        subprocess.run(command, cwd=SERVERS / "go", check=True, timeout=240)

    return _once("go", files, build) / "server"


def _once(name: str, files: t.Sequence[Path], make: t.Callable[[Path], None]) -> Path:
    """A folder that is made again only when one of the files changes."""
    key = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]
    place = venv.CACHE / f"matrix-{name}-{key}"
    venv.CACHE.mkdir(parents=True, exist_ok=True)
    with (venv.CACHE / f"matrix-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            (place / "complete").touch()
    return place
