# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the table of docs/servers.md out of what the last tests measured: servers.py [collect]; a unit test compares.

collect: takes what the target strangers measured on this machine into tests/strangers/measured.json first.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "playbooks" / "collections"))

from ansible_collections.mcp.server.tests.strangers import measured  # noqa: E402
from ansible_collections.mcp.server.tests.strangers.table import Server, servers  # noqa: E402

PAGE = ROOT / "docs" / "servers.md"
BEGIN, END = "<!-- written by tests/tools/servers.py -->\n", "<!-- until here -->\n"
HEAD = (
    "server",
    "package",
    "from, to",
    "pods",
    "share measured",
    "requests",
    "failed",
    "sessions lost",
    "seconds: adopt/release/rollback",
)


def row(server: Server, found: dict[str, t.Any]) -> tuple[str, ...]:
    """Return a row. Raises ValueError for a measurement of other versions than the table's."""
    if found["versions"] != list(server.versions):
        raise ValueError(f"{server.name} was measured with {found['versions']}: run its test again")
    seconds = "/".join(f"{found[f'{play}_seconds']:.0f}" for play in ("adopt", "release", "rollback"))
    return (
        server.title,
        f"`{server.package}`",
        ", ".join(version.removeprefix("v") for version in server.versions),
        f"{server.replicas}, {server.session_mode}",
        _shares(found),
        f"{found['sent']} ({found['rate']:.0f}/s)",
        str(found["failed"]),
        _lost(found),
        seconds,
    )


def _shares(found: dict[str, t.Any]) -> str:
    if not found["shares"]:
        return "not measured"
    steps = ", ".join(f"{measured:g} % at {planned} %" for planned, measured in found["shares"])
    return f"{steps}, by {' and '.join(found['measured_by'])}"


def _lost(found: dict[str, t.Any]) -> str:
    """Return the sessions lost at the release and at the rollback, by the pool that they were of."""
    switches = [found["left"].get(pool, {}) for pool in ("blue", "green")]
    if not found["lost"]:
        return "0"
    words = [f"{found['lost']}, expected ({' + '.join(str(one.get('lost', 0)) for one in switches)})"]
    if found["outdated"]:
        words.append(f"{found['outdated']} clients of the newer revision")
    return "; ".join(words)


def table(found: dict[str, dict[str, t.Any]]) -> str:
    rows = [row(server, found[name]) for name, server in servers().items() if name in found]
    return "".join(f"| {' | '.join(one)} |\n" for one in (HEAD, ["---"] * len(HEAD), *rows))


def page() -> str:
    """Return the page with its table written anew."""
    before, _begin, rest = PAGE.read_text().partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return before + BEGIN + "\n" + table(json.loads(measured.FILE.read_text())) + "\n" + END + after


def collect() -> None:
    known = json.loads(measured.FILE.read_text()) if measured.FILE.exists() else {}
    for name in servers():
        file = measured.CACHE / f"{name}.json"
        if file.exists():
            known[name] = json.loads(file.read_text())
    measured.FILE.write_text(json.dumps(known, indent=1) + "\n")


def main() -> None:
    if sys.argv[1:] == ["collect"]:
        collect()
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
