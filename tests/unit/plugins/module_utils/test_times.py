# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _times

AT = datetime(2026, 11, 24, 6, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T06:00:00.123456Z", AT),
        ("2026-11-24T08:00:00.123456+02:00", AT),
        ("2026-11-24T06:00:00.123456", AT),
        ("2026-11-24", AT.replace(hour=0, microsecond=0)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        (None, None),
        (1795500000, None),
    ],
)
def test_parse(text: t.Any, expected: datetime | None) -> None:
    found = _times.parse(text)
    assert found == expected
    assert found is None or found.utcoffset() == timedelta(0)


def test_iso() -> None:
    assert _times.iso(AT) == "2026-11-24T06:00:00.123Z"
    assert _times.iso(AT.astimezone(timezone(timedelta(hours=2))), "seconds") == "2026-11-24T06:00:00Z"
    assert _times.iso_of(AT.timestamp()) == "2026-11-24T06:00:00.123Z"


def test_the_time_of_day_in_a_sentence() -> None:
    at = datetime(2026, 11, 24, 8, 0, 5, 999999, tzinfo=timezone(timedelta(hours=2)))
    assert _times.time_of_day(at) == "06:00:05 UTC"


def test_a_time_for_people() -> None:
    assert _times.clock("2026-11-24T08:00:05+02:00") == "06:00:05" and _times.clock(None) == "--:--:--"
    assert _times.day("2026-11-24T06:00:05Z") == "2026-11-24 06:00:05 UTC" and _times.day("soon") == "unknown"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "unknown"),
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (605, "10 min 5 s"),
        (930, "15 min 30 s"),
        (3600, "1 h 0 min"),
        (990, "16 min 30 s"),
        (3900, "1 h 5 min"),
        (90060, "25 h 1 min"),
        (7199.7, "2 h 0 min"),
    ],
)
def test_duration(seconds: float | None, expected: str) -> None:
    assert _times.duration(seconds) == expected


def test_stopwatch() -> None:
    assert [_times.stopwatch(seconds) for seconds in (0, 12.9, 65.9, 600, 3661)] == [
        "0:00",
        "0:12",
        "1:05",
        "10:00",
        "61:01",
    ]
