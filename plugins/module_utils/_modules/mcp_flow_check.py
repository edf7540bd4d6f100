# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_flow_check: runs checks of a server now, all of them, each with a verdict."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._checks import run as checks
from ansible_collections.mcp.server.plugins.module_utils._checks import validation
from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context
from ansible_collections.mcp.server.plugins.module_utils._checks.options import CHECKS, kind
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.protocol import AUTO, ERAS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

CURE = "Correct what it found, or the check itself (docs/checks.md)."

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "checks": CHECKS,
        "check_id": {"type": "str", "default": "flow"},
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
        "era": {"type": "str", "default": AUTO, "choices": list(ERAS)},
        "pool": {"type": "str", "choices": list(POOLS)},
        "workload": {"type": "raw"},
        "version": {"type": "str"},
    },
    mutually_exclusive=[("pool", "workload")],
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    is_single = params["workload"] not in (None, "")
    server = Server.single(params) if is_single else Server.from_params(params)
    cluster = connect(params)
    context: Context | None = None
    found = []
    for number, check in enumerate(params["checks"], 1):
        name = printable(check["name"], 80)
        if problems := validation.problems([check]):
            one: dict[str, t.Any] = {
                "verdict": _results.FAILED,
                "message": f"{' '.join(problems)} Correct it (docs/checks.md).",
            }
        elif task.check_mode:
            one = {"verdict": _results.SKIPPED, "message": f"Check {name} is not made in check mode."}
        else:
            try:
                context = context or _context(cluster, server, params)
            except Failure as failure:
                one = {"verdict": _results.FAILED, "message": f"Check {name} could not be made. {failure.msg}"}
            else:
                one = _made(task, context, check, name)
        more = {"kind": kind(check), "output": one.pop("output", "")}
        found.append({**_results.result(f"{params['check_id']}_{number}", name, **one), **more})
    result = {"changed": False, "checks": found}
    if failed := _results.problems(found):
        raise Failure(" ".join(failed), **result)
    return result


def _made(task: Task, context: Context, check: checks.Check, name: str) -> dict[str, t.Any]:
    (outcome,) = checks.run_checks(task, context, [check], threading.Event())
    message = f"Check {name} passed."
    if not outcome.passed:
        message = f"{checks.failure_sentence([outcome])} {CURE}"
    verdict = _results.PASSED if outcome.passed else _results.FAILED
    return {"verdict": verdict, "message": message, "seconds": outcome.seconds, "output": outcome.output}


def _context(cluster: Api, server: Server, params: dict[str, t.Any]) -> Context:
    """Return what the checks need to know. Raises Failure."""
    pool = params["pool"] or (POOLS[0] if server.is_single else _asked(cluster, server, params))
    return Context(cluster, server, pool, params["version"] or "", params["endpoint"], params["auth"], params["era"])


def _asked(cluster: Api, server: Server, params: dict[str, t.Any]) -> str:
    """Return the pool whose pods the checks ask: the live one. It is looked up when a check needs to know."""
    has_url = bool(params["endpoint"] and params["endpoint"]["url"])
    if all(kind(check) == "http" or (kind(check) == "mcp" and has_url) for check in params["checks"]):
        return POOLS[0]
    route = kind_of(server)
    weights = route.weights(route.read(cluster, server), server)
    live = [pool for pool in POOLS if weights[pool] > 50]
    if not live:
        raise Failure(
            f"No pool of {server} is live: the route gives blue {weights['blue']} % and green {weights['green']} % of "
            "the traffic. Finish the release, or set pool to the pool that is meant."
        )
    return live[0]
