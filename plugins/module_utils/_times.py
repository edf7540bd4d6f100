# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as text, and durations for people. Pure, but for now()."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime


def parse(text: t.Any) -> datetime | None:
    """Return a time in ISO 8601, as UTC; None for anything else, as the text may come from anybody.

    A time that names no zone is in UTC.
    """
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def iso(at: datetime, precision: str = "milliseconds") -> str:
    """Return a time as text in UTC, with Z. precision: as in datetime.isoformat()."""
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def iso_of(seconds: float) -> str:
    """Return a time in seconds since 1970 as text."""
    return iso(datetime.fromtimestamp(seconds, UTC))


def clock(text: t.Any) -> str:
    """Return the time of day of a time as text: 06:00:00."""
    found = parse(text)
    return f"{found:%H:%M:%S}" if found else "--:--:--"


def time_of_day(at: datetime) -> str:
    """Return the time of day for a sentence: 06:00:00 UTC. clock() is for what says elsewhere that it is in UTC."""
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"


def day(text: t.Any) -> str:
    """Return date and time of a time as text: 2026-11-24 06:00:00 UTC."""
    found = parse(text)
    return f"{found:%Y-%m-%d %H:%M:%S} UTC" if found else "unknown"


def duration(seconds: float | None) -> str:
    """Return a length of time for people: 1 h 5 min, 10 min 5 s or 25 s."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def stopwatch(seconds: float) -> str:
    """Return a length of time for a line that is shown again and again: 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
