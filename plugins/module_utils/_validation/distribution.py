# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether requests are spread over all instances. Pure.

Each request on a new connection reaches a pod by chance, or in turn. A pod whose number of requests could come by
chance with a probability of less than ERROR, and is less than half of its share or more than twice as much, does not
get what it should. The probability is bounded from above by Chernoff's inequality, so it holds for any number of
requests.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ERROR = 1e-6  # probability that an even distribution is called uneven
TIMES = 2.0  # how much more, or less, than its share
MOST = 400  # requests
SHOWN = 10  # pods in a message

Shares = t.Mapping[str, float]  # of each pod that is ready, 0 to 1


def needed(shares: Shares) -> int:
    """Return how many requests show that a pod gets none; more than MOST for too many pods."""
    if len(shares) < 2:
        return 1
    fewest = min(shares.values())
    return math.ceil(math.log(len(shares) / ERROR) / -math.log1p(-fewest)) if fewest > 0 else MOST + 1


def by_chance(count: float, of: float, share: float) -> float:
    """Return a bound of the probability that a pod gets so few, or so many, requests by chance."""
    part = count / of
    divergence = (part * math.log(part / share) if part else 0.0) + (
        (1 - part) * math.log((1 - part) / (1 - share)) if part < 1 else 0.0
    )
    return math.exp(-of * max(divergence, 0.0))


def uneven(counts: t.Mapping[str, float], shares: Shares) -> list[str]:
    """Return the pods that do not get their share, those with the fewest first."""
    total = sum(counts.get(pod, 0.0) for pod in shares)
    if len(shares) < 2 or total <= 0:
        return []
    return sorted(
        (
            pod
            for pod, share in shares.items()
            if not share / TIMES <= counts.get(pod, 0.0) / total <= share * TIMES
            and len(shares) * by_chance(counts.get(pod, 0.0), total, share) < ERROR
        ),
        key=lambda pod: (counts.get(pod, 0.0), pod),
    )


def judged(counts: t.Mapping[str, float], shares: Shares, source: str, pinned: str = "") -> str:
    """Return a sentence on an even distribution. Raise Failure, or CannotMeasure.

    counts: of requests, by pod. source: by what they were counted. pinned: why requests of one client may stay with one
    pod, a clause; empty where nothing says so.
    """
    total = sum(counts.get(pod, 0.0) for pod in shares)
    if not shares:
        raise CannotMeasure("No pod is ready, so requests are spread over none. Run status.yml.")
    if len(shares) == 1:
        return f"There is one instance, {next(iter(shares))}."
    shown = _shown(counts, shares)
    wrong = uneven(counts, shares)
    if wrong and pinned:
        raise CannotMeasure(f"Requests are not spread evenly ({shown}; {source}), as {pinned}.")
    if wrong:
        pod = wrong[0]
        which = f"{len(wrong)} of {len(shares)} instances do not get their share"
        if len(wrong) == 1:
            which = f"{printable(pod, 100)} does not get its share"
        raise Failure(
            f"{which}: {printable(pod, 100)} got {counts.get(pod, 0.0):.0f} of {total:.0f} requests on new "
            f"connections, {total * shares[pod]:.0f} were expected ({shown}; {source}). Check whether the gateway and "
            "the Service's EndpointSlices have the pod, and whether the gateway pins clients or prefers a zone (then "
            "leave this check out)."
        )
    if total < needed(shares):
        advice = "Raise requests (mcp_validate_requests), or find out why so few were answered."
        if needed(shares) > MOST:
            advice = f"At most {MOST} are sent: look at the metrics of each pod."
        raise CannotMeasure(
            f"There were only {total:.0f} requests, {needed(shares)} needed to tell whether they are spread over "
            f"{len(shares)} instances ({shown}; {source}). {advice}"
        )
    return f"{total:.0f} requests on new connections reached all {len(shares)} instances ({shown}; {source})."


def _shown(counts: t.Mapping[str, float], shares: Shares) -> str:
    rows = sorted(shares, key=lambda pod: (counts.get(pod, 0.0), pod))
    text = ", ".join(f"{printable(pod, 100)} {counts.get(pod, 0.0):.0f}" for pod in rows[:SHOWN])
    return text + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
