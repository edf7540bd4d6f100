# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put back what break-glass changed, by the notes on the objects; one patch each, and past what fails.

In the order in which the objects were changed: the route, so that the traffic is where it belongs before pools shrink;
autoscalers before replicas, as these would set them again.
"""

from __future__ import annotations

import functools
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._break_glass import fields, kept_probes, patches
from ansible_collections.mcp.server.plugins.module_utils._break_glass.glass import Glass
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._release import broken_glass, pools
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import Note
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, conceal
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling

KEEP = "To keep this as it is now, and drop its note: the same again with -e mcp_restore_keep=true"
# Whether break-glass makes such a change. Anybody may edit a note; nothing else is put back.
Allowed = t.Callable[[Object, str, broken_glass.Change], bool]


def _is_size(value: t.Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _of_service(_obj: Object, name: str, change: broken_glass.Change) -> bool:
    return name == "/spec/publishNotReadyAddresses" and change.old in (None, False, True)


def _of_autoscaler(_obj: Object, name: str, change: broken_glass.Change) -> bool:
    return name in ("/spec/minReplicas", "/spec/maxReplicas") and _is_size(change.old)


def _of_workload(_obj: Object, name: str, change: broken_glass.Change) -> bool:
    if name == "/spec/replicas":
        return _is_size(change.old)
    if not re.fullmatch(r"/spec/template/spec/containers/\[[^/\]]+\]/(liveness|readiness|startup)Probe", name):
        return False
    # Who may edit notes must not have us write a command: such a probe never stands in one.
    is_noted = change.old == kept_probes.NOTED or not kept_probes.may_hold_secrets(change.old)
    return isinstance(change.old, dict) and change.new is None and is_noted


@dataclass
class Restoring(Glass):
    """One restore."""

    changed: bool = False
    noted: int = 0  # objects with a note

    def run(self) -> dict[str, t.Any]:
        self._guarded(self.kind.name(self.server), self._route)
        for pool in POOLS:
            title, path = self.service(self.server.service(pool))
            self._guarded(title, functools.partial(self._object, title, path, _of_service))
        autoscaled: set[str] = set()
        self._guarded("The autoscalers", lambda: autoscaled.update(self._autoscalers()))
        for pool in POOLS:
            title = self.server.workload_title(pool)
            self._guarded(title, functools.partial(self._workload, pool, pool in autoscaled))
        if not self.noted and not self.problems:
            self.find(f"Nothing of {self.server} is to be restored")
        result = self.result(self.changed)
        if self.problems:
            raise Failure(" ".join(self.problems), **result)
        return result

    def _guarded(self, title: str, restore: t.Callable[[], t.Any]) -> None:
        try:
            restore()
        except NotFound:
            return  # then nothing of it is to be restored
        except Exception as error:
            self.fail(f"{title} was not restored", error)

    def _route(self) -> None:
        route = self.kind.read(self.cluster, self.server)

        @functools.cache
        def places() -> set[str]:
            return {
                place
                for pool in POOLS
                for _path, operations in self.kind.writes(route, self.server, pools.split(pool, 100))
                for place in patches.changes_of(operations)
            }

        def allowed(obj: Object, name: str, change: broken_glass.Change) -> bool:
            if self.server.route_kind == "service" and _of_service(obj, name, change):
                return True
            return fields.find(obj, name).pointer in places() and isinstance(change.old, patches.SINGLE)

        self._object(self.route_title(route), self.route_path(route), allowed)

    def _autoscalers(self) -> set[str]:
        try:
            found = autoscaling.find(self.cluster, self.server, warn=lambda text: None)
        except Forbidden:
            return set()
        for one in found.values():
            title, path = self.autoscaler(one.name)
            self._guarded(title, functools.partial(self._object, title, path, _of_autoscaler))
        return set(found)

    def _workload(self, pool: str, autoscaled: bool) -> None:
        title, path = self.workload(pool)

        def old(name: str, value: t.Any) -> t.Any:
            if value != kept_probes.NOTED:
                return value
            try:
                return self._probes[kept_probes.key_of(pool, name)]
            except KeyError:
                raise fields.Gone(f"stood in {secret}, which does not have it, or which you may not read") from None

        secret = f"Secret {self.server.namespace}/{kept_probes.secret_name(self.server)}"
        own = ("/spec/replicas",) if autoscaled else ()  # an autoscaler has set another size since: that is its work
        whole = self._object(title, path, _of_workload, old=old, left=own)
        done = {key for key in self._probes if key.startswith(f"{pool}.")}
        if whole and done and not self.task.check_mode:
            kept_probes.forget(self.cluster, self.server, done, dry_run=False)

    @functools.cached_property
    def _probes(self) -> dict[str, kept_probes.Probe]:
        """Return the probes that are kept in the Secret, by its keys."""
        try:
            probes = kept_probes.kept(self.cluster, self.server)
        except Forbidden:  # mostly where no probe is kept
            return {}
        conceal(*(value for probe in probes.values() for value in kept_probes.header_values(probe)))
        return probes

    def _object(
        self,
        title: str,
        path: str,
        allowed: Allowed,
        old: t.Callable[[str, t.Any], t.Any] = lambda name, value: value,
        left: t.Container[str] = (),
    ) -> bool:
        """Restore one object; return whether it has no note any more."""
        way, note, keep = patches.Way([], [], []), None, self.task.params["keep"]

        def checked(obj: Object, note: Note, name: str, value: t.Any) -> t.Any:
            try:
                if not allowed(obj, name, note.changes[name]):
                    raise fields.Gone("is no change that break-glass makes")
            except Failure as failure:  # of a route that has been made another one
                raise fields.Gone(f"can't be restored: {failure.msg.rstrip('.')}") from None
            return old(name, value)

        def make(obj: Object) -> list[fields.Operation]:
            nonlocal way, note
            found = broken_glass.read(obj)
            if found is None:  # also after a write of ours whose answer was lost: what that did is still said
                return []
            note = found
            way = patches.restoring(obj, note, old=functools.partial(checked, obj, note), left=left, drop=keep)
            return way.operations

        obj, _after, written = self.patch(path, lambda: self.cluster.get(path), make)
        if note is None:
            return True
        self.noted += 1
        if self.noted == 1:
            self.find(f"The glass of {self.server} is broken {note}")
        if written:
            self.changed = True
            self.note_diff(title, obj, _shown(written))
            done = f"restored {', '.join(way.restored)}" if way.restored else "its note is dropped"
            self.do(f"{title}: {done}")
        if note.changes and not way.kept:
            return True
        if keep:
            self.find(f"{title}: {_why(way)}. It stays as it is now")
            return True
        self.fail(f"{title} is not restored as a whole", Failure(f"{_why(way)}. {KEEP}"))
        return False


def _why(way: patches.Way) -> str:
    return "; ".join(one.why for one in way.kept) or "its note cannot be read"


def _shown(operations: list[fields.Operation]) -> dict[str, t.Any]:
    changes = patches.changes_of(operations)
    return {
        pointer: value for pointer, value in changes.items() if pointer != patches.pointer_of(broken_glass.ANNOTATION)
    }
