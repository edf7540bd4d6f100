# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions of break-glass: traffic, readiness, scale, probes. Each goes on past what fails."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._break_glass import fields, patches, tools
from ansible_collections.mcp.server.plugins.module_utils._break_glass.glass import Changes, Glass
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection_line
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._release import pools, runner
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import MAX_WORDS, Note
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, conceal, started
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ACTIONS = ("traffic", "readiness", "scale", "probes")
BY_DEFAULT = ("traffic", "readiness", "scale")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
LIMITS = ("/spec/minReplicas", "/spec/maxReplicas")
NOT_READY = "/spec/publishNotReadyAddresses"
LOOK = 0.3  # seconds that naming tools may take once the route is read
READ = 30.0  # seconds for what is read beside the workload
GATEWAY = 1.5  # seconds for the gateway to say that it has taken the weights
EVERY = 0.1


@dataclass
class Breaking(Glass):
    """One break-glass."""

    changed: bool = False
    pool: str | None = None

    def run(self) -> dict[str, t.Any]:
        params = self.task.params
        self.pool = params["pool"]
        for action in ACTIONS:
            if action in params["actions"]:
                getattr(self, f"_{action}")()
        result = self.result(self.changed, pool=self.pool)
        if self.problems:
            raise Failure(" ".join(self.problems), **result)
        return result

    def _change(
        self,
        title: str,
        path: str,
        read: t.Callable[[], Object],
        make: t.Callable[[Object], Changes],
        choice: str,
        said: t.Callable[[Object], str],
        noted: t.Mapping[str, t.Any] | None = None,
    ) -> Object | None:
        """Write one object, with its note; return it as it is then, None when nothing differs. Raises Failure."""

        def operations(obj: Object) -> list[fields.Operation]:
            wanted = make(obj)
            self._name_tools(title, obj, wanted, choice)
            return patches.breaking(obj, wanted, self._note(), noted=noted)

        obj, after, written = self.patch(path, read, operations)
        if not written:
            self.find(f"{title} is as wanted already")
            return None
        self.changed = True
        self.note_diff(title, obj, make(obj))
        self.do(said(obj))
        return after

    def _note(self) -> Note:
        params = self.task.params
        return Note(
            _times.iso(self.cluster.now(), "seconds"),
            printable(runner.runner_name(), MAX_WORDS),
            redact(printable(params["reason"], MAX_WORDS)),
            {},
        )

    def _name_tools(self, title: str, obj: Object, wanted: t.Iterable[str], choice: str) -> None:
        for sentence in tools.sentences(title, obj, wanted, choice):
            if sentence not in self.found:
                self.found.append(sentence)
                connection_line.announce(sentence)  # once a play, as several actions find the same

    # Traffic

    def _traffic(self) -> None:
        name = self.kind.name(self.server)
        try:
            looks = self._looks(self.pool) if self.pool else []
            route = self.kind.read(self.cluster, self.server)
            if self.pool is None:
                self.pool = self._better(route)
                looks = self._looks(self.pool) if self.pool else []
            if self.pool is None:
                return
            bound = Deadline(LOOK)
            for wait in looks:
                try:
                    self._name_tools(*wait(bound.left))
                except (Failure, TimeoutError):
                    continue  # the action that changes it says why
            self._shift(route, self.pool)
        except Exception as error:
            self.fail(f"Traffic: {name} was not changed", error)

    def _looks(self, pool: str) -> list[t.Callable[[float], tuple[str, Object, list[str], str]]]:
        """Start to read what the other actions change, to name the tools that would undo them."""

        def service() -> tuple[str, Object, list[str], str]:
            title, path = self.service(self.server.service(pool))
            return title, self.cluster.get(path), [NOT_READY], "route"

        def autoscaler() -> tuple[str, Object, list[str], str]:
            title, _path, obj = self._autoscaler(pool)
            return title, obj, [*LIMITS] if obj else [], "autoscaler"

        def workload() -> tuple[str, Object, list[str], str]:
            title, path = self.workload(pool)
            return title, self.cluster.get(path), ["/spec/replicas"], "replicas"

        return [started(look) for look in (service, autoscaler, workload)]

    def _shift(self, route: Object, pool: str) -> None:
        server, kind, fresh = self.server, self.kind, [route]
        wanted, before = pools.split(pool, 100), ""

        def read() -> Object:
            nonlocal route, before
            route = fresh.pop() if fresh else kind.read(self.cluster, server)
            weights = kind.weights(route, server)
            before = ", ".join(f"{one} {weights[one]} %" for one in POOLS)
            return kind.written(route)

        def make(_obj: Object) -> Changes:
            writes = kind.writes(route, server, wanted)
            return patches.changes_of(writes[-1][1]) if writes else {}

        title, path = self.route_title(route), self.route_path(route)
        after = self._change(
            title, path, read, make, "route", lambda _obj: f"{title}: all traffic to pool {pool} (it was {before})"
        )
        if after is not None and not self.task.check_mode:
            self._await_gateway(title)

    def _await_gateway(self, title: str) -> None:
        bound, reason = Deadline(GATEWAY), ""
        while True:
            try:
                reason = self.kind.not_accepted(self.kind.read(self.cluster, self.server), self.server)
            except Failure as failure:
                reason = failure.msg.rstrip(".")
            if not reason:
                return
            if not bound.pause(EVERY):
                self.find(f"{title}: the weights have no effect yet, as {reason}")
                return

    def _better(self, route: Object) -> str | None:
        """Return the pool that answers better, or else the one that has the traffic."""
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._break_glass import asking

        asked = asking.ask(self.cluster, self.server, self.task.params)
        shown = "; ".join(f"{pool}: {asked[pool]}" for pool in POOLS)
        if pool := asking.better(asked):
            self.find(f"Pool {pool} answers better ({shown})")
            return pool
        live = pools.live(self.kind.weights(route, self.server))
        names = " or ".join(f"-e mcp_break_glass_pool={pool}" for pool in POOLS)
        if live is None:
            raise Failure(f"neither pool of {self.server} answers better ({shown}); name one: {names}")
        self.find(f"Neither pool answers better ({shown}): the traffic stays on {live}; to move it, {names}")
        return live

    def _chosen(self) -> str:
        """Return the pool that the actions after the traffic are for. Raises Failure."""
        if self.pool is None:
            live = pools.live(self.kind.weights(self.kind.read(self.cluster, self.server), self.server))
            if live is None:
                names = " or ".join(f"-e mcp_break_glass_pool={pool}" for pool in POOLS)
                raise Failure(f"neither pool of {self.server} has most of the traffic; name one: {names}")
            self.pool = live
        return self.pool

    # Readiness

    def _readiness(self) -> None:
        try:
            names = [self.server.service(self._chosen())]
        except Exception as error:
            self.fail("Readiness was not bypassed", error)
            return
        if self.server.route_kind == "service":  # clients come by this one
            names.append(self.server.route)
        for name in names:
            title, path = self.service(name)
            try:
                self._change(
                    title,
                    path,
                    functools.partial(self.cluster.get, path),
                    lambda _obj: {NOT_READY: True},
                    "route",
                    functools.partial("{}: pods that are not ready get traffic, too".format, title),
                )
            except Exception as error:
                self.fail(f"Readiness: {title} was not changed", error)

    # Scale

    def _autoscaler(self, pool: str) -> tuple[str, str, Object]:
        """Return title, path and object of the pool's autoscaler; the object is empty without one. Raises Failure."""
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling

        found = autoscaling.find(self.cluster, self.server, warn=lambda text: None).get(pool)
        title, path = self.autoscaler(found.name if found else "")
        return title, path, found.obj if found else {}

    def _scale(self) -> None:
        try:
            pool = self._chosen()
            title, path = self.workload(pool)
            # All at once, as an API server in trouble takes seconds for each.
            others = started(functools.partial(self._ready_of, other(pool)))
            autoscaler = started(functools.partial(self._autoscaler, pool))
            workload = self.cluster.get(path)
        except Exception as error:
            self.fail("Scale: no size was changed", error)
            return
        try:
            size = self.task.params["replicas"] or max(_own_size(workload), others(READ))
        except TimeoutError:
            size = _own_size(workload)
        try:
            self._scale_autoscaler(*autoscaler(READ), size)
        except Exception as error:
            self.fail(f"Scale: the autoscaler of {title} was not changed", error)
        try:
            self._change(
                title,
                path,
                self._reader(path, workload),
                lambda _obj: {"/spec/replicas": size},
                "replicas",
                lambda obj: f"{title}: {size} replicas (it had {mapping(obj, 'spec').get('replicas')})",
            )
        except Exception as error:
            self.fail(f"Scale: {title} was not changed", error)

    def _ready_of(self, pool: str) -> int:
        """Return how many pods of the pool are ready; 0 where that can't be read."""
        try:
            return _number(self.cluster.get(self.server.workload_path(pool)), "status", "readyReplicas")
        except Failure:
            return 0

    def _reader(self, path: str, first: Object) -> t.Callable[[], Object]:
        """Return what reads the object: at first as it was read already."""
        fresh = [first]
        return lambda: fresh.pop() if fresh else self.cluster.get(path)

    def _scale_autoscaler(self, title: str, path: str, first: Object, size: int) -> None:
        if not first:
            return
        exact = bool(self.task.params["replicas"])

        def limits(obj: Object) -> Changes:
            least, most = _number(obj, "spec", "minReplicas") or 1, _number(obj, "spec", "maxReplicas")
            wanted = (size, size) if exact else (max(least, size), max(most, size))
            return dict(zip(LIMITS, wanted, strict=True))

        def said(obj: Object) -> str:
            least, most = limits(obj).values()
            had = " to ".join(fields.shown(patches.at(obj, one)) for one in LIMITS)
            return f"{title}: {f'exactly {least}' if exact else f'{least} to {most}'} pods (it had {had})"

        self._change(title, path, self._reader(path, first), limits, "autoscaler", said)

    # Probes

    def _probes(self) -> None:
        try:
            pool = self._chosen()
        except Exception as error:
            self.fail("Probes were not removed", error)
            return
        title, path = self.workload(pool)
        try:
            workload = self.cluster.get(path)
            container = self.server.container_in(self.cluster, workload, pool)
            noted, lost = self._keep_probes(pool, workload, container)

            def make(obj: Object) -> Changes:
                # As they were kept: what came since is the next run's.
                return {
                    pointer: None
                    for pointer, _probe in _probes_of(obj, container)
                    if fields.name_of(obj, pointer) not in lost
                }

            def said(obj: Object) -> str:
                names = ", ".join(pointer.rpartition("/")[2] for pointer in make(obj))
                return f"{title}: removed {names} of container {container}. WARNING: Kubernetes replaces its pods now"

            self._change(title, path, self._reader(path, workload), make, "image", said, noted)
        except Exception as error:
            self.fail(f"Probes: {title} was not changed", error)

    def _keep_probes(self, pool: str, workload: Object, container: str) -> tuple[Changes, set[str]]:
        """Write the probes that may hold a secret to the Secret.

        Return what is noted in place of each, by pointer, and the names of the probes that have to stay, as they could
        not be written.
        """
        # lazy: emergency path
        from ansible_collections.mcp.server.plugins.module_utils._break_glass import kept_probes
        from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass

        note = broken_glass.read(workload)
        noted, kept, names = dict[str, t.Any](), dict[str, t.Any](), set[str]()
        for pointer, probe in _probes_of(workload, container):
            name = fields.name_of(workload, pointer)
            conceal(*kept_probes.header_values(probe))
            if not kept_probes.may_hold_secrets(probe):
                continue
            noted[pointer] = kept_probes.NOTED
            if not (note and name in note.changes):  # the first note's probe stays
                kept[kept_probes.key_of(pool, name)] = probe
                names.add(name)
        if not kept:
            return noted, set()
        try:
            kept_probes.keep(self.cluster, self.server, kept, dry_run=self.task.check_mode)
        except Failure as failure:
            self.fail(
                f"Probes: {', '.join(map(fields.title, sorted(names)))} stay, as they may hold a secret, and could not "
                f"be kept in Secret {kept_probes.secret_name(self.server)}",
                failure,
            )
            return noted, names
        return noted, set()


def _probes_of(workload: Object, container: str) -> list[tuple[str, t.Any]]:
    """Return the probes of a container, each with its JSON pointer."""
    return [
        (f"/spec/template/spec/containers/{number}/{probe}", one[probe])
        for number, one in enumerate(items(workload, "spec", "template", "spec", "containers"))
        if one.get("name") == container
        for probe in PROBES
        if one.get(probe) is not None
    ]


def _own_size(workload: Object) -> int:
    """Return the pods that the workload has: those that are wanted, or ready, whichever are more; at least one."""
    return max(1, _number(workload, "spec", "replicas"), _number(workload, "status", "readyReplicas"))


def _number(obj: Object, *path: str) -> int:
    *parents, last = path
    found = mapping(obj, *parents).get(last)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
