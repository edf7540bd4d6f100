# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._alerts import counters
from ansible_collections.mcp.server.plugins.module_utils._alerts.counters import (
    DELIVERED,
    FAILED,
    MIXED,
    PENDING,
    REFUSED,
    REQUESTS,
    REQUESTS_FAILED,
    RESTARTED,
    SENT,
)

TEXT = """
# HELP alertmanager_notifications_total The total number of attempted notifications.
# TYPE alertmanager_notifications_total counter
alertmanager_notifications_total{integration="email"} 1
alertmanager_notifications_total{integration="webhook"} 7
alertmanager_notifications_failed_total{integration="webhook",reason="clientError"} 1
alertmanager_notifications_failed_total{integration="webhook",reason="serverError"} 2e+00
alertmanager_notification_requests_total{integration="webhook"} 9
alertmanager_notification_requests_failed_total{integration="webhook"} NaN
alertmanager_notification_latency_seconds_count{integration="webhook"} 9
alertmanager_notifications_total{integration="slack"} nothing
alertmanager_notifications_total{no="integration"} 4
"""


def test_the_counters_of_each_integration() -> None:
    found = counters.counts(TEXT, "ours")
    assert found == {"email": {SENT: 1}, "webhook": {SENT: 7, FAILED: 3, REQUESTS: 9}}
    assert counters.counts("", "ours") == {}


def test_with_the_receivers_name_only_its_own_count() -> None:
    lines = [f'{SENT}{{integration="webhook",receiver_name="{name}"}} {n}\n' for name, n in (("ours", 2), ("pager", 5))]
    assert counters.counts("".join(lines), "ours") == {"webhook": {SENT: 2}}


@pytest.mark.parametrize(
    ("sent", "failed", "requests", "requests_failed", "outcome"),
    [
        (0, 0, 0, 0, PENDING),
        (1, 0, 0, 0, PENDING),  # it is under way
        (1, 0, 1, 0, DELIVERED),
        (2, 0, 2, 0, DELIVERED),
        (1, 0, 1, 1, REFUSED),
        (1, 1, 3, 3, REFUSED),
        (2, 0, 3, 1, MIXED),
        (-1, 0, 0, 0, RESTARTED),
    ],
)
def test_what_became_of_a_notification(
    sent: int, failed: int, requests: int, requests_failed: int, outcome: str
) -> None:
    before = {"webhook": {SENT: 5.0, FAILED: 1.0, REQUESTS: 6.0, REQUESTS_FAILED: 1.0}}
    now = {
        "webhook": {
            SENT: 5.0 + sent,
            FAILED: 1.0 + failed,
            REQUESTS: 6.0 + requests,
            REQUESTS_FAILED: 1 + requests_failed,
        }
    }
    assert counters.outcome(before, now, ["webhook"]) == outcome


def test_all_integrations_of_a_receiver_must_notify() -> None:
    before = {"webhook": {SENT: 1.0}, "email": {SENT: 1.0}}
    one = {"webhook": {SENT: 2.0}, "email": {SENT: 1.0}}
    both = {"webhook": {SENT: 2.0}, "email": {SENT: 2.0}}
    assert counters.outcome(before, one, ["email", "webhook"]) == PENDING
    # Without the counters of requests, those of notifications tell.
    assert counters.outcome(before, both, ["email", "webhook"]) == DELIVERED
    assert counters.outcome({}, {}, ["email"]) == PENDING
