# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What break-glass and its restore share: the objects of a server, one write with its note, and what was said."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._break_glass import fields, patches
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task, unexpected
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind, Route
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

IN_VAIN = 6.0  # seconds of a request once one has waited in vain; some API servers take 5 for each
Changes = dict[str, t.Any]  # by JSON pointer; None removes the field


@dataclass
class Glass:
    """One call: the server, and what it found, did, and could not do, each a list of sentences."""

    task: Task
    cluster: Api
    server: Server
    found: list[str] = field(default_factory=list)
    did: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gave_up: bool = False  # whether it has waited in vain for the API server
    before: dict[str, t.Any] = field(default_factory=dict)
    after: dict[str, t.Any] = field(default_factory=dict)

    def find(self, sentence: str) -> None:
        self._say(self.found, sentence)

    def do(self, sentence: str) -> None:
        self._say(self.did, sentence if not self.task.check_mode else f"(check mode) {sentence}")

    def fail(self, what: str, error: Exception) -> None:
        """Note why something could not be done; the call goes on with the rest, and does not wait twice."""
        if isinstance(error, (Unreachable, Unanswered)):
            self.gave_up, self.cluster = True, self.cluster.limited(0.0, IN_VAIN)
        if isinstance(error, Failure):
            why = error.msg
        elif isinstance(error, TimeoutError):
            why = str(error)
        else:  # its text may contain anything
            why = unexpected(error)
        self._say(self.problems, printable(f"{what}: {why}", 2000))

    def _say(self, into: list[str], sentence: str) -> None:
        if sentence not in into:
            into.append(sentence)
            self.task.progress(sentence)

    def note_diff(self, title: str, obj: Object, changes: Changes) -> None:
        for pointer, value in changes.items():
            name = fields.title(fields.name_of(obj, pointer))
            self.before.setdefault(title, {})[name] = fields.shown(patches.at(obj, pointer))
            self.after.setdefault(title, {})[name] = fields.shown(value)

    def result(self, changed: bool, **more: t.Any) -> dict[str, t.Any]:
        return {
            "changed": changed,
            "found": self.found,
            "did": self.did,
            "problems": self.problems,
            "gave_up": self.gave_up,
            "diff": {"before": self.before, "after": self.after},
            **more,
        }

    # The objects

    @property
    def kind(self) -> Kind:
        """Return the route's kind; as an emergency writes, so that marked sessions follow the weights, too."""
        return kind_of(self.server).without_affinity()

    def route_path(self, route: Route) -> str:
        """Return the path of the object that carries the weights, which may be another one than the route's."""
        return f"{self.kind.path(self.server).rpartition('/')[0]}/{self._route_name(route)}"

    def route_title(self, route: Route) -> str:
        kind, _space, _name = self.kind.name(self.server).partition(" ")
        return f"{kind} {self.server.namespace}/{self._route_name(route)}"

    def _route_name(self, route: Route) -> str:
        return mapping(self.kind.written(route), "metadata").get("name") or self.server.route

    def service(self, name: str) -> tuple[str, str]:
        return f"Service {self.server.namespace}/{name}", paths.services(self.server.namespace, name)

    def autoscaler(self, name: str) -> tuple[str, str]:
        return (
            f"HorizontalPodAutoscaler {self.server.namespace}/{name}",
            paths.horizontal_pod_autoscalers(self.server.namespace, name),
        )

    def workload(self, pool: str) -> tuple[str, str]:
        return self.server.workload_title(pool), self.server.workload_path(pool)

    def patch(
        self,
        path: str,
        read: t.Callable[[], Object],
        make: t.Callable[[Object], list[fields.Operation]],
    ) -> tuple[Object, Object, list[fields.Operation]]:
        """Write what make() returns for the object as it was read; again on top of what others wrote in between.

        Return the object before and after it, and the operations; none for nothing to write.
        """
        lost: tuple[Object, Object, list[fields.Operation]] | None = None  # a write whose answer was lost

        def attempt() -> tuple[Object, Object, list[fields.Operation]]:
            nonlocal lost
            obj = read()
            operations = make(obj)
            if not operations:
                return lost or (obj, obj, [])
            try:
                return obj, self.cluster.patch(path, operations, "json", dry_run=self.task.check_mode), operations
            except Unanswered:
                lost = obj, obj, operations
                raise

        return on_conflict(attempt, self.cluster.patience)
