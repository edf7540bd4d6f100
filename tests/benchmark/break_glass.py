# SPDX-License-Identifier: GPL-3.0-or-later
"""From the keystroke to the first write of break_glass.yml, and to its end, beside an empty playbook.

Both in turn, several rounds of them, against a fake API server on this machine, so that only what runs here counts.
"""

from __future__ import annotations

import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "playbooks" / "collections")]
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer  # noqa: E402
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving  # noqa: E402
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server  # noqa: E402

PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
ROUNDS = int(sys.argv[1]) if sys.argv[1:] else 5
AIM = 1.0  # seconds after the time of an empty playbook, where the pool is named


def measure(words: t.Sequence[str]) -> tuple[float | None, float]:
    """Return the seconds from the keystroke to the first write, None without one, and to the end."""
    api = ApiServer(copy.deepcopy(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2")))
    first: list[float] = []
    api.call(lambda: first.append(time.monotonic()), "PATCH", "/httproutes/mcp")
    with serving(api) as url, tempfile.TemporaryDirectory() as folder:
        server = {"mcp_namespace": "prod", "mcp_api_host": url, "mcp_api_key": "a"}
        inventory = Path(folder) / "inventory.yml"
        inventory.write_text(json.dumps({"mcp": {"hosts": {"mcp": server}}}))
        (Path(folder) / "empty.yml").write_text("- hosts: all\n  gather_facts: false\n")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_"))}
        started = time.monotonic()
        done = subprocess.run(
            [PLAYBOOK, "-i", str(inventory), *words],
            cwd=folder,
            env={**clean, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        ended = time.monotonic()
    if not first and words != WAYS["empty playbook"]:
        sys.exit(f"{' '.join(words)} wrote nothing: {done.stdout}{done.stderr}")
    return (first[0] - started if first else None), ended - started


REASON = ("-e", json.dumps({"mcp_reason": "a benchmark"}))
WAYS: dict[str, tuple[str, ...]] = {
    "empty playbook": ("empty.yml",),
    "break_glass.yml, the pool is named": ("mcp.server.break_glass", *REASON, "-e", "mcp_break_glass_pool=green"),
}


def main() -> None:
    found: dict[str, list[tuple[float | None, float]]] = {way: [] for way in WAYS}
    for _round in range(ROUNDS):
        for way, words in WAYS.items():
            found[way].append(measure(words))
    empty = statistics.median(end for _first, end in found["empty playbook"])
    print(f"Seconds, medians of {ROUNDS} rounds\n{'':36}{'first write':>12}{'end':>8}")
    for way, runs in found.items():
        firsts = [first for first, _end in runs if first is not None]
        first = f"{statistics.median(firsts):.2f}" if firsts else ""
        print(f"{way:36}{first:>12}{statistics.median(end for _first, end in runs):>8.2f}")
    ours = statistics.median(first or 99 for first, _end in found["break_glass.yml, the pool is named"])
    print(f"first write: an empty playbook + {ours - empty:.2f} s; the aim is + {AIM:.2f} s")


if __name__ == "__main__":
    main()
