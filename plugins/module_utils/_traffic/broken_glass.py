# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the objects of a server that break_glass.yml changed and nobody has restored yet."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import Note
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, started
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling

Object = dict[str, t.Any]

READ_TIMEOUT = 30.0  # seconds
RESTORE = "ansible-playbook break_glass.yml -e mcp_restore=true"


class Broken(t.NamedTuple):
    """An object that break_glass.yml changed."""

    title: str  # such as Service production/mcp-server-blue
    note: Note


class GlassBroken(Failure):
    """A person has taken over by break_glass.yml: what releases, or acts by itself, leaves the server alone."""


def find(cluster: Api, server: Server, warn: t.Callable[[str], None] = lambda text: None) -> list[Broken]:
    """Return the changed objects: route, Services, autoscalers and workloads, in this order.

    What does not exist counts as unchanged. What cannot be read is warned of, and counts as unchanged.
    """
    kind = kind_of(server)
    reads: list[t.Callable[[], list[tuple[str, Object]]]] = [
        lambda: [(kind.name(server), kind.written(kind.read(cluster, server)))]
    ]
    for pool in POOLS:
        service = server.service(pool)
        path = paths.services(server.namespace, service)
        reads.append(functools.partial(_read, cluster, f"Service {server.namespace}/{service}", path))
    reads.append(lambda: _autoscalers(cluster, server))
    for pool in POOLS:
        reads.append(functools.partial(_read, cluster, server.workload_title(pool), server.workload_path(pool)))
    found = []
    for wait in [started(read) for read in reads]:
        try:
            objects = wait(READ_TIMEOUT)
        except (Forbidden, Unreachable, TimeoutError) as failure:
            warn(f"Cannot tell all that break_glass.yml changed of {server}. {getattr(failure, 'msg', failure)}")
            continue
        except Failure:  # it is missing, or is no route of both pools: whoever needs it says so
            continue
        found += [Broken(title, note) for title, obj in objects if (note := broken_glass.read(obj))]
    return found


def sentence(found: t.Sequence[Broken], server: Server) -> str:
    """Return since when, by whom, why and where the glass is broken, and how to restore; empty without any. Pure."""
    if not found:
        return ""
    titles = ", ".join(broken.title for broken in found)
    return f"The glass of {server} is broken {found[0].note} (changed: {titles}). To restore: {RESTORE}."


def of_route(server: Server, route: Object) -> list[Broken]:
    """Return the route, as its kind read it, when break_glass.yml changed it. Pure."""
    kind = kind_of(server)
    note = broken_glass.read(kind.written(route))
    return [Broken(kind.name(server), note)] if note else []


def mark(obj: t.Any) -> str:
    """Return the text of an object's note, which tells one break-glass from the next; empty without one. Pure."""
    found = mapping(obj, "metadata", "annotations").get(broken_glass.ANNOTATION)
    return "" if found is None else str(found) or "{}"


def refuse(cluster: Api, server: Server, what: str, warn: t.Callable[[str], None]) -> None:
    """Raise GlassBroken while break_glass.yml has changed the server. what: is refused, such as Release."""
    if found := find(cluster, server, warn):
        raise GlassBroken(f"{what} refused, nothing was changed: {sentence(found, server)}")


def _read(cluster: Api, title: str, path: str) -> list[tuple[str, Object]]:
    return [(title, cluster.get(path))]


def _autoscalers(cluster: Api, server: Server) -> list[tuple[str, Object]]:
    try:
        found = autoscaling.find(cluster, server, warn=lambda text: None)
    except Forbidden:
        return []
    return [(f"HorizontalPodAutoscaler {server.namespace}/{one.name}", one.obj) for one in found.values()]
