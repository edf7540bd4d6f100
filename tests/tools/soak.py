# SPDX-License-Identifier: GPL-3.0-or-later
"""make soak: the long tests, all that have not passed for this commit yet, or those that are named: soak.py [JOB ...].

A whole soak takes more than an hour, so what passed is kept for each commit, outside the checkout, with its log: it may
be put together from several runs. Nothing is kept of a checkout with uncommitted changes.
"""

from __future__ import annotations

import os
import subprocess
import sys

import jobs
from runner import Runner, begin
from soak_results import LONG, Results
from work import ROOT, SEED, Work


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    results = Results(git("rev-parse", "HEAD"), SEED)
    dirty = bool(git("status", "--porcelain"))
    passed = {} if dirty else results.passed()
    names = list(dict.fromkeys(sys.argv[1:])) or [name for name in LONG if name not in passed]
    if unknown := [name for name in names if name not in LONG]:
        sys.exit(f"There is no {unknown[0]} in make soak. There is: {', '.join(LONG)}.")
    if not names:
        print("\n".join(results.lines()))
        return 0
    chosen = jobs.with_what_they_need([LONG[name] for name in names])
    if os.environ.get("KUBECONFIG"):
        chosen = [job for job in chosen if job.name != "sandbox"]
    begin()
    if dirty:
        print("There are uncommitted changes: no result of this run is kept.", flush=True)
    runner = Runner("soak", chosen, Work("soak"), (lambda _span, _log: None) if dirty else results.keep)
    runner.run()
    print(
        "\n".join(
            ["", *runner.table(), *runner.reasons(), "", *([] if dirty else results.lines()), "", runner.closing_line()]
        ),
        flush=True,
    )
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
