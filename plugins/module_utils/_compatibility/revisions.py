# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which revisions of MCP a pool accepts, and which pools are compared by them."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._compatibility.judge import PROTOCOL_VERSIONS
from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import AUTO
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._release.record import RUNNING, SUCCEEDED, Release
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_REVISIONS = 50  # of a server
MAX_PODS = 3  # that are asked, where the first ones do not answer
MAX_NAME = 40  # characters of one


class Pair(t.NamedTuple):
    """Two pools to compare. accepted: revisions whose loss was accepted by name. required: as of a result."""

    before: str
    after: str
    accepted: frozenset[str] = frozenset()
    required: bool = True


def accepted_by(
    cluster: Api, server: Server, pool: str, params: dict[str, t.Any], *, from_last: bool = False
) -> list[str]:
    """Return the revisions that a ready pod of a pool accepts, asked by a handshake with each.

    params: of the task, with endpoint, auth, timeout and step_timeout. from_last: whether the last pod is asked first;
    the next one is asked where one does not answer well. Raise Skipped, CannotMeasure and Failure.
    """
    if params["auth"] and params["auth"]["expect_401"]:
        raise Skipped("The server is only checked for refusing (auth.expect_401), so its revisions are not known.")
    try:
        pods = targets.pods_of_pool(cluster, server, pool)
    except targets.NoneReady as failure:
        raise Skipped(failure.msg) from None
    settings = Settings(
        AUTO,
        params["timeout"],
        params["step_timeout"],
        lists=(),
        credentials=targets.credentials_of(params),
        offer=True,
    )
    reasons = []
    for pod in (pods[::-1] if from_last else pods)[:MAX_PODS]:
        found = probe(targets.in_pool(cluster, server, pod, pool, params), settings)
        if found["healthy"]:
            return [printable(one, MAX_NAME) for one in found["offer"]["protocol_versions"][:MAX_REVISIONS]]
        reasons.append(str(found["reason"]).rstrip("."))
    raise CannotMeasure(
        f"Which revisions of MCP pool {pool} accepts is unknown: {reasons[0]}. Find out why with playbooks/status.yml."
    )


def pair(current: Release | None, live: str, version: str | None, idle_image: str) -> Pair:
    """Return the pools to compare: what clients speak to, and what is to answer them. Pure. Raise Skipped.

    current: the newest release in the record. live: the pool with the traffic. version: that is to be released, None
    after a release. idle_image: of the other pool's workload.
    """
    idle = other(live)
    is_running = current is not None and current["outcome"] == RUNNING
    if current is None or (version is not None and not is_running):
        if version is not None and not _runs(idle_image, version):
            raise Skipped(
                f"Pool {idle} does not run {version} yet. The release compares both pools before its first weight."
            )
        # Nobody has said that the idle pool is to get the traffic.
        return Pair(live, idle, required=version is not None)
    if current["outcome"] not in (RUNNING, SUCCEEDED):
        raise Skipped(f"The newest release has ended as {current['outcome']}, so no other version is to be compared.")
    gone = accepted_in(current["to"].get("contract", {}).get("accepted", []))
    return Pair(current["from"]["pool"], current["to"]["pool"], gone)


def accepted_in(names: t.Iterable[str]) -> frozenset[str]:
    """Return the revisions whose loss is accepted by these names of changes of a contract. Pure."""
    given = set(names)
    if PROTOCOL_VERSIONS in given:  # a name accepts all below it
        return frozenset(protocol.REVISIONS)
    return frozenset(name.partition("/")[2] for name in given if name.startswith(f"{PROTOCOL_VERSIONS}/"))


def _runs(image_ref: str, version: str) -> bool:
    try:
        image = Image.parse(image_ref)
    except Failure:
        return False
    return _versions.is_same("@".join(part for part in (image.tag, image.digest) if part), version)
