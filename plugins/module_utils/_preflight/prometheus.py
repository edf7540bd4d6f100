# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check that Prometheus answers the queries of gates and triggers."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, options, packs, thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import names_of
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import run_concurrently
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SECONDS = 120.0  # of samples
STEP = 5.0  # seconds between values of a custom query


def check(params: dict[str, t.Any], server: Server) -> str:
    """Return a sentence on what was found. Raises Failure with one for each source or custom query that fails."""
    option = params["prometheus"]
    names = ", ".join(option["source"])
    try:
        prometheus = connect.connect(params)
        now = prometheus.now()
    except Failure as failure:
        raise Failure(f"Metrics ({names}): {failure.msg}") from None
    queries = _queries(params, server)

    def series_of(query: str, *, is_custom: bool) -> tuple[int, str]:
        """Return the number of series, and why there is no answer."""
        try:
            one = connect.connect(params)
            series = one.values(query, now - SECONDS, now, STEP) if is_custom else one.samples(query, now)
        except Failure as failure:
            return 0, failure.msg
        return len(series), ""

    seconds = 2 * option["timeout"]
    late = (
        0,
        f"Prometheus at {prometheus.url} does not answer within {seconds:g} s. "
        "Check its load, or set prometheus.timeout.",
    )
    calls = [functools.partial(series_of, query, is_custom=is_custom) for query, is_custom in queries.values()]
    answers = run_concurrently(calls, seconds, late)
    problems = [f"Metrics ({name}): {why}" for name, (_count, why) in zip(queries, answers, strict=True) if why]
    if problems:
        raise Failure(" ".join(problems))
    counts = ", ".join(f"{name}: {count or 'no'} series" for name, (count, _why) in zip(queries, answers, strict=True))
    return f"Prometheus at {prometheus.url} answers ({counts})."


def _queries(params: dict[str, t.Any], server: Server) -> dict[str, tuple[str, bool]]:
    """Return each query, and whether it is a custom one, by the name of its source or gate."""
    option, names = params["prometheus"], names_of(connect.with_container(params, server), POOLS[0])
    used = zip(option["source"], packs.chosen(option), strict=True)
    queries = {name: (pack.query(names, SECONDS), False) for name, pack in used}
    for name, defaults in (("step_gates", thresholds.SHIFT), ("triggers", thresholds.TRIGGERS)):
        gate_set = name.removeprefix("step_")
        for gate in options.gates(defaults, params[name], gate_set):
            if gate.query:
                queries[f"{gate_set}.{gate.name}"] = (options.custom_query(gate, names), True)
    return queries
