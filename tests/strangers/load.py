# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load by the official clients of two SDKs, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import typing as t
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..matrix import fleet
from .table import Server

CLIENTS = Path(__file__).parent / "clients"
SESSIONS = 5  # of each of the two kinds of clients
SECONDS = 600  # after which clients end by themselves
PATIENCE = 60


@dataclass
class Seen:
    """What clients saw, together, see Tally in official.py. clients: what each kind of client saw."""

    sent: int = 0
    failed: int = 0
    lost: int = 0
    outdated: int = 0
    opened: int = 0
    rate: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    left: list[list[t.Any]] = field(default_factory=list)
    clients: list[dict[str, t.Any]] = field(default_factory=list)

    def add(self, one: dict[str, t.Any]) -> None:
        self.clients.append(one)
        for name in ("sent", "failed", "lost", "outdated", "opened"):
            setattr(self, name, getattr(self, name) + one[name])
        self.rate = round(self.rate + one["rate"], 1)
        self.left += one["left"]
        for name in ("failures", "pools"):
            counts = getattr(self, name)
            for key, count in one[name].items():
                counts[key] = counts.get(key, 0) + count


@contextmanager
def load(server: Server, url: str, host: str, rate: float) -> t.Iterator[Seen]:
    """Clients that call the server for as long as the block lasts; what they saw is in the object afterwards.

    url: of the gateway, without a path. rate: requests a second, of all clients together.
    """
    given = {"url": url + server.path, "host": host, "call": server.call, "sessions": SESSIONS, "seconds": SECONDS}
    word = json.dumps({**given, "rate": rate / 2})
    seen = Seen()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcp-strangers-")))
        shutil.copy(CLIENTS / "official.mjs", folder)
        (folder / "node_modules").symlink_to(fleet.node_modules())
        commands = ([sys.executable, CLIENTS / "official.py", word], ["node", folder / "official.mjs", word])
        processes = [stack.enter_context(_process(*command)) for command in commands]
        yield seen
        for process in processes:
            assert process.stdin
            process.stdin.close()  # which tells it to end
        for process in processes:
            assert process.stdout
            said = process.stdout.read()
            assert process.wait(PATIENCE) == 0, said
            seen.add(json.loads(said))


@contextmanager
def _process(*command: str | Path) -> t.Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
