# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server's clock, as far as the Date of its answers tells."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

YEARS = range(
    2000, 2200
)  # others no clock tells, and times near the end of what datetime can hold can't be reckoned with


class Clock:
    """How many seconds it is ahead of ours: at least and at most, as a Date has whole seconds, and an answer takes a while."""

    def __init__(self) -> None:
        self._ahead = (-math.inf, math.inf)

    def see(self, date: str | None, sent: float, received: float) -> None:
        """Note the Date of an answer, and when by our clock (time.time()) it was asked for and came. What is no date is ignored."""
        try:
            at = parsedate_to_datetime(date or "")
            if at.year not in YEARS:
                return
            seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        now = (seconds - received, seconds + 1 - sent)
        both = (max(now[0], self._ahead[0]), min(now[1], self._ahead[1]))
        # Where they exclude each other, one of the clocks was set meanwhile.
        self._ahead = both if both[0] <= both[1] else now

    @property
    def known(self) -> bool:
        return self._ahead[0] > -math.inf

    def at(self, ours: float) -> datetime:
        """Its time when ours is that one: corrected by no more than what was seen demands, so that two clocks that agree stay as exact as they are."""
        least, most = self._ahead
        return datetime.fromtimestamp(ours, UTC) + timedelta(seconds=min(max(least, 0.0), most))
