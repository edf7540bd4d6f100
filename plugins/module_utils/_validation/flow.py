# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether a counter of requests rose by what was sent. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SHOWN = 5  # pods in a message


@dataclass(frozen=True)
class Risen:
    """How much a counter rose since requests were sent."""

    total: float = 0.0
    by_pod: t.Mapping[str, float] = field(default_factory=dict)  # empty where the counter does not name pods
    is_whole: bool = False  # whether all of it was read after the last request
    is_there: bool = True  # whether there is such a counter of the pools with traffic
    is_elsewhere: bool = False  # whether there is one of the other pool


def enough(risen: Risen, sent: int) -> bool:
    """Return whether the counter rose by what was sent. Others may send, too."""
    return risen.is_there and risen.total >= sent - 0.5


def judged(source: str, counter: str, risen: Risen, sent: int, waited: float) -> str:
    """Return a sentence on a counter that rose by what was sent. Raise Failure, or CannotMeasure.

    source: that the counter was read from. waited: seconds since the last request.
    """
    if enough(risen, sent):
        return f"{sent} requests were sent, and {counter} rose by {risen.total:.0f} within {waited:.1f} s ({source})."
    if not risen.is_there:
        if risen.is_elsewhere:
            raise Failure(
                f"{source} has no {counter} of the pods that have the traffic, but one of the other pool: the metrics "
                "of this version do not flow, and no trigger can be judged. Check its metrics port, its labels, and "
                "what Prometheus says of its targets."
            )
        raise CannotMeasure(
            f"{source} has no {counter} of this server. Check source and labels in prometheus (mcp_prometheus), and "
            "that Prometheus scrapes the pods."
        )
    if not risen.is_whole:
        raise CannotMeasure(
            f"{sent} requests were sent {waited:.0f} s ago, and {source} does not have all of {counter} since: not "
            "every pod was scraped, or pods have come, gone or restarted. Run it again. If that stays, check that "
            "Prometheus scrapes each pod, and how often."
        )
    pods = ", ".join(f"{pod} {rise:.0f}" for pod, rise in sorted(risen.by_pod.items())[:SHOWN])
    raise Failure(
        f"{sent} requests were sent and answered, but {counter} rose by {risen.total:.0f} only within {waited:.0f} s "
        f"({source}{': ' + pods if pods else ''}). The metrics do not show the traffic, so triggers and alerts are "
        "blind: check what the server counts (a counter of tool calls alone does not fit), and what is scraped."
    )


def rises(before: t.Mapping[str, float], after: t.Mapping[str, float]) -> dict[str, float]:
    """Return how much the counter of each pod rose. One that went back was reset, and one that is new began at 0."""
    return {
        pod: value - before.get(pod, 0.0) if value >= before.get(pod, 0.0) else value for pod, value in after.items()
    }
