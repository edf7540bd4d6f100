# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By what a share is measured: answers that name their pool, or what there is instead. Pure."""

from __future__ import annotations

import math
import typing as t
from collections import deque

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import HEADER, HEALTH, ROW, SERVER_INFO, Answer

# By answers that name their pool, by a header, the health document or serverInfo
ANSWERS = "answers"
COUNTERS = "counters"  # by those of the gateway
NOTHING = "nothing"  # no share is measured

LOOKED = 20  # good answers of which none names a pool, before the share is measured by something else
LOOKED_SLOWLY = 5  # the same where each opens a session
SHORT_ROW = 10  # answers in a row that are enough for an emergency on such a server: more take a minute
SHORT_ROW_CHANCE = 0.01  # probability of such a row while the gateway still has the weights from before


def by_text(measured_by: str | None, server: Server, pool_key: str, source: str = "") -> str:
    """Return what a share was measured by, for people; empty for nothing. source: of the gateway's counters."""
    return {
        HEADER: f"by header {server.pool_header}",
        HEALTH: f"by {pool_key} in the health document",
        SERVER_INFO: "by serverInfo",
        COUNTERS: f"by the gateway's counters ({source})",
    }.get(measured_by or "", "")


def first_row(answers: t.Iterable[Answer], pool: str, needed: int) -> tuple[list[Answer], bool]:
    """Return the first so many answers in a row that this pool gave, over whatever connections, and True.

    Where they do not come, the last ones, and False.
    """
    last: deque[Answer] = deque(maxlen=needed)
    for answer in answers:
        last.append(answer)
        if len(last) == needed and all(one.pool == pool and not one.reason for one in last):
            return list(last), True
    return list(last), False


def short_row(part: float) -> int:
    """Return how many answers in a row show an emergency that all traffic is on a pool, on a server that is slow.

    part: of the traffic (0 to 1) that the pool had before, which the gateway may still give it. Pure.
    """
    by_chance = math.ceil(math.log(SHORT_ROW_CHANCE) / math.log(part)) if 0 < part < 1 else 0
    return min(max(SHORT_ROW, by_chance), ROW)


def versions(answers: t.Iterable[Answer], compared: t.Collection[str]) -> list[str]:
    """Return the versions that answers report. compared: where they are read, HEALTH, SERVER_INFO or both."""
    found = set[str]()
    for answer in answers:
        found |= {answer.version} if HEALTH in compared else set()
        found |= {answer.server_info[1]} if SERVER_INFO in compared and answer.server_info else set()
    return sorted(found - {""})


def unnamed(server: Server, route: str, sets_header: bool | None, cure: str) -> str:
    """Return the sentence for answers that name no pool, on a route that could make them do so.

    route: its name. sets_header: whether the route does set it. cure: what to add to it, a clause.
    """
    if sets_header:
        return (
            f"{route} sets {server.pool_header} on the answers of each pool, but answers do not have it: the gateway "
            "does not do what the route says (not all can, see docs/routes.md), or something behind it removes the "
            f"header. {_OTHERS}"
        )
    return f"Nothing tells which pool of {server} answers, so no share can be measured: {cure}. {_OTHERS}"


_OTHERS = (
    "Or set health_path to a document that has the pool, or prometheus with the gateway's own metrics "
    "(source envoy, istio or ingress_nginx)."
)


def not_measured(server: Server, route: str) -> str:
    """Return the sentence for a kind of route that can't set a header. route: its name."""
    return (
        f"The share of {server} is not measured: answers name no pool, and {route} can't set a header on those of "
        "each pool. Whether the traffic follows is judged by the route's status, ready endpoints and answers that do "
        "not fail."
    )


def pools_of(infos: t.Mapping[str, tuple[str, str] | None]) -> dict[tuple[str, str], str]:
    """Return the pool of each serverInfo, its name and version; nothing where the pools do not differ in that.

    infos: of each pool, None where it is not known.
    """
    found = {info: pool for pool, info in infos.items() if info}
    return found if len(found) == len(infos) else {}
