# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_compatibility: compares cluster, server and clients with the compatibility matrix."""

from __future__ import annotations

import functools
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._compatibility import judge, revisions
from ansible_collections.mcp.server.plugins.module_utils._guide.document import GUIDE_VERSION
from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint, hosts, targets
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Result, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

ROW: dict[str, t.Any] = {
    "guide": {"type": "str", "default": GUIDE_VERSION},
    # raw: as str, Ansible would make 1.3 of the number 1.30.
    "server": {"type": "raw"},
    "revisions": {"type": "list", "elements": "str"},
    "kubernetes": {"type": "raw"},
    "notes": {"type": "str"},
}

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
        "rows": {"type": "list", "elements": "dict", "default": [], "options": ROW},
        "guide_version": {"type": "str", "default": GUIDE_VERSION},
        "version": _versions.OPTION,
        "accept": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "float", "default": 15.0},
        "step_timeout": {"type": "float", "default": 5.0},
    },
)

Asked: t.TypeAlias = "list[str] | Skipped | Failure"


@dataclass(frozen=True)
class Found:
    """What is known of a server's pools. problem: why nothing is. It is Skipped where this user may not look."""

    live: str = ""
    images: t.Mapping[str, str] | None = None
    current: record.Release | None = None
    problem: Skipped | Failure = Failure("")


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    targets.check_times(params)
    version = None if params["version"] in (None, "") else _versions.text_of(params)
    judged = judge.rows_of(params["rows"], params["guide_version"])
    cluster, server = connect(params), Server.from_params(params)

    found = _look(cluster, server)
    begun = time.monotonic()
    asked = _ask(cluster, server, params) if found.images else {}
    live = asked.get(found.live)
    checks = judge.judge(
        judged,
        _kubernetes(cluster),
        version or (_version_of(found.images[found.live]) if found.images else None),
        live if isinstance(live, list) else None,
    )
    if not isinstance(live, list):
        checks[-1] = _unknown(judge.REVISIONS, live or found.problem)
    # A release may be the cure of what is live, which must not keep it from being made.
    checks[-1]["required"] = checks[-1]["ok"] or version is None
    again = functools.partial(revisions.accepted_by, cluster, server, params=params, from_last=True)
    checks.append(_clients(found, version, asked, params["accept"], again))
    seconds = round(time.monotonic() - begun, 3)
    # Both come from the same handshakes.
    checks = [one | {"seconds": seconds} if one["id"] == judge.REVISIONS else one for one in checks]
    result = {
        "changed": False,
        "checks": checks,
        "revisions": {pool: one if isinstance(one, list) else None for pool, one in asked.items()},
        "host_notes": hosts.notes(),
    }
    for one in checks:
        if not one["ok"] and not one["required"]:
            task.warn(one["message"])
    if failed := _results.problems(checks):
        raise Failure(" ".join(failed), **result)
    return result


def _kubernetes(cluster: Api) -> str | None:
    try:
        version = cluster.get("/version").get("gitVersion")
    except Forbidden:
        return None
    return version if isinstance(version, str) else None


def _look(cluster: Api, server: Server) -> Found:
    """Return which pool is live, and what both have to run."""
    try:
        recorded, _weights, live = mcp_release.look(cluster, server)
        return Found(live, {pool: server.image(cluster, pool)[0] for pool in POOLS}, recorded.current)
    except Forbidden as failure:
        return Found(problem=Skipped(failure.msg))
    except Failure as failure:
        return Found(problem=failure)


def _version_of(image_ref: str) -> str | None:
    try:
        return Image.parse(image_ref).version or None
    except Failure:
        return None


def _ask(cluster: Api, server: Server, params: dict[str, t.Any]) -> dict[str, Asked]:
    """Return which revisions each pool accepts, or why that is not known."""

    def one(pool: str) -> Asked:
        try:
            return revisions.accepted_by(cluster, server, pool, params)
        except (Skipped, Failure) as reason:
            return reason

    with ThreadPoolExecutor(len(POOLS)) as threads:
        return dict(zip(POOLS, threads.map(one, POOLS), strict=True))


def _clients(
    found: Found,
    version: str | None,
    asked: t.Mapping[str, Asked],
    accept: t.Sequence[str],
    again: t.Callable[[str], list[str]],
) -> Result:
    """Return whether clients of the version before are served. again: asks a pool's revisions once more."""
    if not found.images:
        return _unknown(judge.CLIENTS, found.problem)
    try:
        pair = revisions.pair(found.current, found.live, version, found.images[other(found.live)])
    except Skipped as reason:
        return _unknown(judge.CLIENTS, reason)
    before, after = asked[pair.before], asked[pair.after]
    # What there is nothing to compare with needs no answer of the other pool.
    for one in sorted((before, after), key=lambda one: not isinstance(one, Skipped)):
        if not isinstance(one, list):
            # The release compares the pools before its first weight.
            return _unknown(judge.CLIENTS, one) | {"required": isinstance(one, Skipped) or version is None}
    gone = pair.accepted | revisions.accepted_in(accept)
    kept = [one for one in t.cast("list[str]", before) if one not in gone]
    accepted = t.cast("list[str]", after)
    if not set(kept) <= set(accepted):
        # One that was busy refuses what it accepts.
        with suppress(Skipped, Failure):
            accepted = sorted({*accepted, *again(pair.after)})
    return judge.clients(kept, accepted, pair.before, pair.after) | {"required": pair.required}


def _unknown(check_id: str, reason: Skipped | Failure) -> Result:
    def raised() -> str:
        raise reason if isinstance(reason, (Skipped, CannotMeasure)) else CannotMeasure(reason.msg)

    return _results.made(check_id, judge.NAMES[check_id], functools.partial(raised))
