# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients of one kind got. Times are epoch seconds."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Seen:
    count: int = 0
    first: float = 0.0
    last: float = 0.0

    def again(self) -> None:
        self.last = time.time()
        self.first = self.first or self.last
        self.count += 1


@dataclass
class Tally:
    """answers: by "VERSION POOL". failures: by reason. seconds: answers of each second, by (second, "VERSION POOL")."""

    sent: int = 0
    answers: dict[str, Seen] = field(default_factory=dict)
    failures: dict[str, Seen] = field(default_factory=dict)
    seconds: Counter[tuple[int, str]] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        return sum(seen.count for seen in self.failures.values())

    def answered(self, who: str) -> None:
        seen = self.answers.setdefault(who, Seen())
        seen.again()
        self.seconds[int(seen.last), who] += 1

    def fell(self, reason: str) -> None:
        self.failures.setdefault(reason, Seen()).again()

    def document(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "failed": self.failed,
            "failures": {reason: asdict(seen) for reason, seen in self.failures.items()},
            "answers": {who: asdict(seen) for who, seen in self.answers.items()},
            "seconds": [[second, who, count] for (second, who), count in self.seconds.items()],
        }
