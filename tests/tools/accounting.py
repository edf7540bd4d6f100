# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time went: the machine's idle CPU time, and the table at the end of a run."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path


def idle() -> float:
    """Return the CPU seconds that all cores together have been idle since the machine started."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")  # idle, iowait


@dataclass(frozen=True)
class Span:
    """What one job took. start, seconds: of the clock. idle: CPU seconds that the machine had left meanwhile. cpu: CPU
    seconds of its own processes, without what it made the cluster do.
    """

    name: str
    outcome: str
    start: float
    seconds: float
    idle: float
    last: float | None = None
    cpu: float = 0.0


def table(spans: t.Sequence[Span], whole: Span, cores: int) -> list[str]:
    """Return the lines of the table, in the order in which the jobs were started."""
    lines = [
        f"{'where the time went':<22} {'':<8} {'start':>6} {'took':>7} {'before':>7} {'idle CPU':>9} {'own CPU':>8}"
    ]
    for span in sorted(spans, key=lambda span: span.start):
        before = "" if span.last is None else f"{span.last:.0f} s"
        lines.append(
            f"{span.name:<22} {span.outcome:<8} {_clock(span.start)} {span.seconds:5.0f} s {before:>7} "
            f"{span.idle:7.0f} s {span.cpu:6.0f} s"
        )
    work = sum(span.seconds for span in spans)
    cpu = sum(span.cpu for span in spans)
    percent = 100 * whole.idle / max(cores * whole.seconds, 1)
    lines.append(
        f"{'all':<22} {whole.outcome:<8} {_clock(whole.seconds)} {work:5.0f} s {'':>7} {whole.idle:7.0f} s, "
        f"{percent:.0f} % of {cores} cores; own CPU {cpu:.0f} s"
    )
    return lines


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}"
