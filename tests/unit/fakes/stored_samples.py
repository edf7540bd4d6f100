# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series


class Stored:
    """A Prometheus that has these samples, and answers as of C(clock). asked: how many queries there were."""

    def __init__(
        self, series: t.Sequence[Series], clock: float, value: t.Callable[[float], float] = lambda at: at
    ) -> None:
        self._series = series
        self._value = value
        self.clock = clock
        self.asked = 0

    def now(self) -> float:
        return self.clock

    @property
    def known_now(self) -> float:
        return self.clock

    def samples(self, query: str, at: float) -> list[Series]:
        self.asked += 1
        names, seconds = re.search(r'__name__=~"([^"]*)"', query)[1], int(re.search(r"\[(\d+)s\]$", query)[1])
        chosen = [each for each in self._series if re.fullmatch(names, each.labels["__name__"])]
        within = [
            Series(each.labels, [sample for sample in each.samples if at - seconds <= sample[0] <= at])
            for each in chosen
        ]
        return [each for each in within if each.samples]

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        self.asked += 1
        count = int((end - begin) / step + 1e-6) + 1
        return [
            Series(
                {}, [(round(begin + step * number, 3), self._value(begin + step * number)) for number in range(count)]
            )
        ]
