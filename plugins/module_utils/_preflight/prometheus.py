# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether Prometheus answers what the gates and triggers will ask."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, measurements, options, packs, thresholds
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import run_concurrently
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SECONDS = 120.0  # of samples that are asked for
STEP = 5.0  # seconds between values of a query of the user's own


def look(params: dict[str, t.Any], server: Server) -> str:
    """Return what was found, a sentence. Raises Failure with one for each source, or query of the user's own, that gets no answer."""
    option = params["prometheus"]
    names = ", ".join(option["source"])
    try:
        prometheus = connect.connect(params)
        now = prometheus.now()
    except Failure as failure:
        raise Failure(f"Metrics ({names}): {failure.msg}") from None
    asked = _asked(params, server)

    def ask(query: str, *, is_own: bool) -> tuple[int, str]:
        try:
            one = connect.connect(params)
            found = one.values(query, now - SECONDS, now, STEP) if is_own else one.samples(query, now)
        except Failure as failure:
            return 0, failure.msg
        return len(found), ""

    late = (
        0,
        f"Prometheus at {prometheus.url} does not answer within {2 * option['timeout']:g} s; see its load, or set prometheus.timeout.",
    )
    answers = run_concurrently(
        [functools.partial(ask, query, is_own=own) for query, own in asked.values()], 2 * option["timeout"], late
    )
    failed = [f"Metrics ({name}): {why}" for name, (_series, why) in zip(asked, answers, strict=True) if why]
    if failed:
        raise Failure(" ".join(failed))
    counts = ", ".join(f"{name}: {series or 'no'} series" for name, (series, _why) in zip(asked, answers, strict=True))
    return f"Prometheus at {prometheus.url} answers ({counts})."


def _asked(params: dict[str, t.Any], server: Server) -> dict[str, tuple[str, bool]]:
    """Return each query, and whether it is the user's own, by the name of its source or gate."""
    option, names = params["prometheus"], measurements.names_of(server, POOLS[0])
    queries = {name: packs.renamed(packs.PACKS[name], option["labels"]) for name in option["source"]}
    found = {name: (measurements.query(pack, names, SECONDS), False) for name, pack in queries.items()}
    for where, defaults in (("step_gates", thresholds.SHIFT), ("triggers", thresholds.TRIGGERS)):
        gates = options.gates(defaults, params[where], where.removeprefix("step_"))
        found |= {
            f"{where.removeprefix('step_')}.{gate.name}": (options.custom_query(gate, names), True)
            for gate in gates
            if gate.query
        }
    return found
