# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Alertmanager counts of the notifications that it sent. Pure: the text of its metrics in, a verdict out."""

from __future__ import annotations

import math
import re
import typing as t

# Notifications, and the requests that they took: one that fails is tried again, until its time is over.
SENT, FAILED = "alertmanager_notifications_total", "alertmanager_notifications_failed_total"
REQUESTS, REQUESTS_FAILED = (
    "alertmanager_notification_requests_total",
    "alertmanager_notification_requests_failed_total",
)
NAMES = (SENT, FAILED, REQUESTS, REQUESTS_FAILED)
# Newer versions have this label when their feature receiver-name-in-metrics is on.
RECEIVER = "receiver_name"

PENDING, DELIVERED, REFUSED, MIXED, RESTARTED = "pending", "delivered", "refused", "mixed", "restarted"

_LINE = re.compile(rf"^(?P<name>{'|'.join(NAMES)})\{{(?P<labels>[^}}]*)\}}\s+(?P<value>[^\s]+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Counts = dict[str, dict[str, float]]  # by integration and metric
Totals = t.Mapping[str, t.Mapping[str, float]]


def counts(text: str, receiver: str) -> Counts:
    """Return the counters of each integration; only those of the receiver, where they have its name."""
    found: Counts = {}
    for line in _LINE.finditer(text):
        labels = dict(_LABEL.findall(line["labels"]))
        if "integration" not in labels or labels.get(RECEIVER) not in (None, receiver):
            continue
        try:
            value = float(line["value"])
        except ValueError:
            continue
        if math.isfinite(value):
            one = found.setdefault(labels["integration"], {})
            one[line["name"]] = one.get(line["name"], 0.0) + value
    return found


def outcome(before: Totals, now: Totals, integrations: t.Sequence[str]) -> str:
    """Return what became of a notification by all of these integrations, by the worst of them."""
    each = [_outcome(before.get(one, {}), now.get(one, {})) for one in integrations]
    return next((worst for worst in (RESTARTED, REFUSED, MIXED, PENDING) if worst in each), DELIVERED)


def _outcome(before: t.Mapping[str, float], now: t.Mapping[str, float]) -> str:
    risen = {name: now.get(name, 0.0) - before.get(name, 0.0) for name in NAMES}
    if min(risen.values()) < 0:
        return RESTARTED
    failed = max(risen[FAILED], risen[REQUESTS_FAILED])
    tried = risen[REQUESTS] if REQUESTS in now else risen[SENT]
    if failed and tried > failed:
        return MIXED
    if failed:
        return REFUSED
    return DELIVERED if risen[SENT] > 0 and tried > 0 else PENDING
