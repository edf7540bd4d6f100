# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a soak has passed for a commit, kept outside the checkout."""

from __future__ import annotations

import json
import shutil
import time
import venv
from pathlib import Path

import accounting
import jobs

LONG = {job.name: job for job in jobs.JOBS if job.soak is not None and job.name != "sandbox"}


class Results:
    """What has passed for one commit."""

    def __init__(self, commit: str, seed: str) -> None:
        self.commit = commit
        self.seed = seed
        self.folder = venv.CACHE / "soak" / commit

    def passed(self) -> dict[str, dict]:
        files = sorted(self.folder.glob("*.json"))
        found = {file.stem: json.loads(file.read_text()) for file in files}
        return {name: result for name, result in found.items() if name in LONG and result["outcome"] == "passed"}

    def keep(self, span: accounting.Span, log: Path) -> None:
        """Keep a result, the newest of a job only, and its log."""
        if span.name not in LONG:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, self.folder / f"{span.name}.log")
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        result = {"outcome": span.outcome, "seconds": round(span.seconds), "ended": ended, "seed": self.seed}
        partial = self.folder / f"{span.name}.partial"
        partial.write_text(json.dumps(result))
        partial.rename(self.folder / f"{span.name}.json")

    def lines(self) -> list[str]:
        passed = self.passed()
        where = f", logs in {self.folder}:" if passed else "."
        lines = [f"Soak of {self.commit[:12]}: {len(passed)} of {len(LONG)} passed{where}"]
        lines += [f"  {name:<20} {result['seconds']:5.0f} s, {result['ended']}" for name, result in passed.items()]
        missing = [name for name in LONG if name not in passed]
        return lines + (
            [f"Not yet: {', '.join(missing)}"] if missing else ["The whole soak has passed for this commit."]
        )
