# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._validation import document

NOW = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("found", "options", "verdict", "words"),
    [
        ({"status": "HEALTHY", "version": "1.2.0", "timestamp": at(-2)}, {}, None, "HEALTHY, version 1.2.0, 2 s old"),
        ({"status": "ok"}, {}, None, "status ok"),
        ({"status": True}, {}, None, "status True"),
        ({"status": "UNHEALTHY"}, {}, Failure, "has status UNHEALTHY. Find out why"),
        ({"status": "down"}, {}, Failure, "status down"),
        ({"status": False}, {}, Failure, "status False"),
        ({"status": "starting"}, {}, CannotMeasure, "set health_checks"),
        ({"status": "starting"}, {"declared": True}, None, "as health_checks say"),
        ({"status": {"db": "up"}}, {}, None, "as health_checks say"),
        ({}, {}, None, "as health_checks say"),
        (None, {}, None, "it has no document"),
        ([1], {"declared": True}, None, "answers as health_checks say"),
        ({"status": "up", "timestamp": at(-4000)}, {}, CannotMeasure, "is 1 h 6 min old"),
        ({"status": "up", "timestamp": at(-4000)}, {"max_age": 300}, Failure, "at most 300 s are allowed"),
        ({"status": "up", "timestamp": at(-4000)}, {"max_age": 5000}, None, "4000 s old"),
        ({"status": "up", "timestamp": at(500)}, {"max_age": 300}, Failure, "in the future"),
        ({"status": "up", "timestamp": at(30)}, {"max_age": 300}, None, "0 s old"),  # clocks differ a little
        ({"status": "up", "timestamp": NOW.timestamp() - 3}, {}, None, "3 s old"),
        ({"status": "up", "timestamp": 1000 * (NOW.timestamp() - 3)}, {}, None, "3 s old"),
        ({"status": "up", "timestamp": "now"}, {}, None, "status up"),
        ({"status": "up", "timestamp": "now"}, {"max_age": 300}, Failure, "no timestamp that can be read"),
        ({"status": "up", "timestamp": True}, {}, None, "status up"),
        ({"status": "up", "timestamp": 1e300}, {}, None, "status up"),
        ({"status": "do\x1b[2Jwn {{ 7 * 7 }}"}, {}, CannotMeasure, "{{ 7 * 7 }}"),
    ],
)
def test_documents(found: t.Any, options: t.Any, verdict: type[Failure] | None, words: str) -> None:
    if verdict is None:
        assert words in document.judged("x/health", found, NOW, **options)
        return
    with pytest.raises(Failure) as failed:
        document.judged("x/health", found, NOW, **options)
    assert failed.type is verdict and words in failed.value.msg and "\x1b" not in failed.value.msg
