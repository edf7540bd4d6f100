# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server's clock, by the Date headers of its answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Plausible years: arithmetic fails on times at the ends of datetime's range.
YEARS = range(2000, 2200)


class Clock:
    """Bounds for how far it is ahead of this machine's clock: a Date has whole seconds, and an answer takes time."""

    def __init__(self) -> None:
        self._ahead = (-math.inf, math.inf)

    def see(self, date: str | None, sent: float, received: float) -> None:
        """Note the Date of an answer, and when by time.time() the request was sent and the answer received."""
        try:
            at = parsedate_to_datetime(date or "")
            if at.year not in YEARS:
                return
            seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        now = (seconds - received, seconds + 1 - sent)
        both = (max(now[0], self._ahead[0]), min(now[1], self._ahead[1]))
        # When they exclude each other, one of the clocks was set meanwhile.
        self._ahead = both if both[0] <= both[1] else now

    @property
    def known(self) -> bool:
        return self._ahead[0] > -math.inf

    def at(self, ours: float) -> datetime:
        """Return its time for a time of this machine's clock. The smallest possible correction is made.

        So two clocks that agree stay exact.
        """
        lowest, highest = self._ahead
        return datetime.fromtimestamp(ours, UTC) + timedelta(seconds=min(max(lowest, 0.0), highest))
