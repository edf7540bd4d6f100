# SPDX-License-Identifier: GPL-3.0-or-later
"""make test: all of the table, or the jobs that are named: run.py [JOB ...]. CI runs them all."""

from __future__ import annotations

import os
import subprocess
import sys

import jobs
from runner import Runner, begin
from work import ROOT, Work, sandbox_says


def wanted(words: list[str]) -> list[jobs.Job]:
    """Return the jobs that these words name; all of them when there are none. Exits when there is no such job."""
    table = {job.name: job for job in jobs.JOBS if job.test is not None}
    known = {name: job for name, job in {**jobs.BY_TARGET, **table}.items() if job.test is not None}
    groups = {
        "integration": [job.name for job in table.values() if job.targets],
        "unit": ["unit_utils", "unit_modules", "unit_plugins"],
    }
    names = [name for word in words for name in groups.get(word, [word])]
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"There is no {unknown[0]} in make test. There is: {', '.join([*groups, *known])}.")
    return [known[name] for name in dict.fromkeys(names or table)]


def main() -> int:
    chosen = wanted(sys.argv[1:])
    if os.environ.get("KUBECONFIG"):
        chosen = [job for job in chosen if job.name not in ("sandbox", "recovery")]
    names = {job.name for job in chosen}
    was_up = "sandbox" in names and not os.environ.get("CI") and sandbox_says()["state"] == "up"
    if was_up:  # somebody works with it
        chosen = [job for job in chosen if job.name != "recovery"]
    begin()
    runner = Runner("test", chosen, Work("test"), lambda _span, _log: None)
    try:
        runner.run()
    finally:
        if "sandbox" in names and not was_up:
            subprocess.run([sys.executable, "-m", "sandbox", "down"], cwd=ROOT, check=False)
    details = [*runner.table(), *runner.second_tries(), *runner.reasons()]
    print("\n".join(["", *details, "", runner.closing_line()]), flush=True)
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
