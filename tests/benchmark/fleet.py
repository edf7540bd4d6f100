# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet costs that is released in waves: time, API calls for each server, and private memory of its processes.

python tests/benchmark/fleet.py live [SERVERS ...]: 10 and 25 small servers of the sandbox, or other numbers, which it
makes and takes away again.

python tests/benchmark/fleet.py fakes [SERVERS ...]: 50 and 200 servers against a fake API server and a fake gateway.

The first wave is one server, each other one as many as there are forks, 25 at most.
"""

from __future__ import annotations

import sys
import tempfile
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "integration")]

import fake_servers  # noqa: E402
import several  # noqa: E402
from counted import Cost  # noqa: E402

FORKS = 25
LIVE, FAKES = (10, 25), (50, 200)
FLEET = {
    "mcp_waves": ["1", str(FORKS)],
    "mcp_steps": [{"weight": 50, "seconds": 5}, {"weight": 100, "seconds": 5}],
    "mcp_warm_seconds": 5,
}
# The fakes run no pods, and have nothing of what pre-flight asks for.
WITHOUT_PODS = {
    "mcp_bypass": ["preflight", "health", "contract", "validation"],
    "mcp_reason": "a benchmark against fakes",
    "mcp_check_registry": False,
    "mcp_rollback_verify_seconds": 0,
}
COLUMNS = ("servers", "forks", "waves", "seconds", "worker MiB", "workers", "API calls", "succeeded")


def main() -> None:
    what, *numbers = sys.argv[1:] or ["", ""]
    rows = {"live": live, "fakes": against_fakes}
    if what not in rows:
        sys.exit(__doc__)
    print("  ".join(f"{name:>10}" for name in COLUMNS), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in map(int, numbers or (LIVE if what == "live" else FAKES)):
            rows[what](number, Path(folder))


def row(number: int, cost: Cost, calls: int, outcomes: t.Sequence[str], log: Path) -> None:
    """Print what it cost; calls for each server. worker: the most private memory of one of them."""
    waves = 1 + -(-(number - 1) // FORKS)
    counted = (number, FORKS, waves, cost.seconds, cost.memory.private, cost.memory.workers, calls / number)
    succeeded = f"{outcomes.count('succeeded')} of {number}"
    print("  ".join([f"{value:>10.0f}" for value in counted] + [f"{succeeded:>10}"]), flush=True)
    if cost.failed:
        kept = Path(tempfile.gettempdir()) / log.name
        kept.write_text(log.read_text())
        print(f"the play failed: {kept}", flush=True)


def live(number: int, folder: Path) -> None:
    with several.live_servers(number, folder) as servers:
        hosts = {name: {**variables, **FLEET} for name, variables in servers.inventory.items()}
        log = folder / f"live-{number}.log"
        cost = several.play(str(ROOT / "playbooks" / "bluegreen.yml"), hosts, FORKS, folder, log)
        row(number, cost, servers.requests(), servers.outcomes(), log)


def against_fakes(number: int, folder: Path) -> None:
    names = [f"s{one:03d}" for one in range(number)]
    log = folder / f"fakes-{number}.log"
    with fake_servers.fakes(names) as fakes:
        hosts = {name: {**several.fake_variables(fakes, name, folder), **FLEET, **WITHOUT_PODS} for name in names}
        cost = several.play(str(ROOT / "playbooks" / "bluegreen.yml"), hosts, FORKS, folder, log)
        calls, _own = fakes.counts()
        row(number, cost, calls, several.fake_outcomes(fakes, names), log)


if __name__ == "__main__":
    main()
