# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply objects server-side: first as dry runs, which show what would change, then those that change."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._install import existing, staged
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, yaml_document
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unanswered
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# Of the objects that every server has; others are looked up.
PLURALS = {
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("v1", "Service"): "services",
    ("rbac.authorization.k8s.io/v1", "Role"): "roles",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "rolebindings",
    ("apps/v1", "Deployment"): "deployments",
    ("policy/v1", "PodDisruptionBudget"): "poddisruptionbudgets",
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): "httproutes",
}
API = re.compile(r"^/apis/([^/]+)/[^/]+")
# In what the API server answers to a RoleBinding whose Role is missing, unless the user may bind any Role.
NO_ROLE = "rolebindings.rbac.authorization.k8s.io"


class Outcome(t.NamedTuple):
    """What an apply comes to. before: None for an object that does not exist yet."""

    wanted: Object
    before: Object | None
    after: Object

    @property
    def action(self) -> str:
        if self.before is None:
            return "created"
        same = existing.comparable(self.before) == existing.comparable(self.after)
        return "unchanged" if same else "changed"

    def diff(self) -> dict[str, str]:
        """Return both as YAML, for --diff."""
        return difference(self.wanted, self.before, self.after)


def difference(named: Object, before: Object | None, after: Object | None) -> dict[str, str]:
    """Return two states of an object as YAML, for --diff. None for a state in which it does not exist."""
    old, new = existing.shown(before, after or {})
    name = existing.name_of(named)
    return {
        "before_header": name,
        "after_header": name,
        "before": yaml_document.dump(old) if before else "",
        "after": yaml_document.dump(new) if after else "",
    }


@dataclass
class Installer:
    """Applies the objects of one server.

    force: take over objects and fields of others. users: paths of objects that are only created, never changed, and
    created_only the kinds of such. maker: the module. otherwise: what else to do about objects of others. what: makes
    them, for messages. role: whose rights that takes. as_given: the objects are the user's own, and are applied as they
    are, whoever made those that exist.
    """

    cluster: Api
    server: Server
    force: bool = False
    users: t.Collection[str] = ()
    created_only: t.Collection[str] = ()
    maker: str = "mcp_install"
    otherwise: str = "set force (-e mcp_install_force=true) to take over"
    what: str = "an install"
    role: str = "the installer's Role of docs/rights.md"
    as_given: bool = False
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def look(self, objects: t.Iterable[Object]) -> list[Outcome]:
        """Return what an apply of these objects would come to. Raises Failure, also for objects of others."""
        found = [(one, self._live(one)) for one in objects]
        self._refuse_others(found)
        for one, live in found:
            if live is not None and (problem := self._problem(one, live)):
                raise Failure(problem)
        return [self._applied(one, live, dry_run=True) for one, live in found]

    def _problem(self, wanted: Object, live: Object) -> str:
        if not self.as_given:
            return existing.problem(wanted, live, self.server)
        if self._path(wanted) == self.server.workload_path(POOLS[0]):
            return ""
        return staged.of_another(wanted, live, self.server) or existing.of_releases(wanted, live, self.what)

    def _refuse_others(self, found: t.Sequence[tuple[Object, Object | None]]) -> None:
        foreign = [
            existing.name_of(one)
            for one, live in found
            if live is not None and (not existing.is_ours(live) or existing.is_of_another(one, live, self.server))
        ]
        if foreign and not (self.force or self.as_given):
            raise Failure(
                f"In namespace {self.server.namespace} there already {'is' if len(foreign) == 1 else 'are'} "
                f"{', '.join(foreign)}, and {self.maker} did not make {'it' if len(foreign) == 1 else 'them'} for "
                f"this server. Use another name for the server, or {self.otherwise}.",
                objects=foreign,
            )

    def write(self, outcome: Outcome, run: str) -> Outcome:
        """Apply an object that look() found to change. run: holds the server's Lease. Raises Failure, LeaseLost."""
        found: list[Object | None] = []

        def attempt() -> Outcome:
            live = self._live(outcome.wanted)
            found.append(live)
            self._refuse_others([(outcome.wanted, live)])
            # Two servers of one play may apply one folder side by side.
            if self.as_given and live is not None and (problem := self._problem(outcome.wanted, live)):
                raise Failure(problem)
            fence.check(self.cluster, self.server, run)
            return self._applied(outcome.wanted, live, dry_run=False)._replace(before=found[0])

        return on_conflict(attempt, 0.0)

    def _live(self, wanted: Object) -> Object | None:
        try:
            return self.cluster.get(self._path(wanted))
        except NotFound:
            return None
        except Forbidden as failure:
            raise self._forbidden(failure) from None

    def _applied(self, wanted: Object, live: Object | None, *, dry_run: bool) -> Outcome:
        path = self._path(wanted)
        kept = wanted["kind"] in self.created_only or any_version(path) in map(any_version, self.users)
        if live is not None and kept:
            return Outcome(wanted, live, live)
        body = wanted
        if live is not None and not self.as_given:
            body = existing.with_live_values(wanted, live, self.server)
        if live is not None and not dry_run:
            # What is kept of the live object must not go back over what was written since it was read.
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}}
        try:
            after = self._patched(path, body, dry_run=dry_run, force=self.force)
        except Unanswered:
            raise
        except Conflict as conflict:
            managers = existing.conflicting_managers(conflict.msg)
            if not managers:
                raise
            if not existing.only_ours(managers):
                raise Failure(
                    f"{existing.name_of(wanted)} has fields with other values that {', '.join(managers)} set. "
                    f"Set the same values there or here, or {self.otherwise}. The API server says: {conflict.msg}",
                    managers=managers,
                ) from None
            if live is not None and not self.as_given and (lost := existing.lost_from_route(wanted, live, self.server)):
                raise Failure(
                    f"{existing.name_of(wanted)} has {', '.join(lost)}, which this install would remove. Add it to a "
                    "route of your own (manifests.route), or set force (-e mcp_install_force=true) to remove it."
                ) from None
            after = self._patched(path, body, dry_run=dry_run, force=True)
        return Outcome(wanted, live, after)

    def _patched(self, path: str, body: Object, *, dry_run: bool, force: bool) -> Object:
        query = {"fieldValidation": "Strict", **({"force": "true"} if force else {})}
        try:
            return self.cluster.patch(path, body, "apply", dry_run=dry_run, **query)
        except Forbidden as failure:
            raise self._forbidden(failure) from None
        except NotFound as failure:
            if NO_ROLE in failure.msg:
                # It is applied before its binding, which a dry run did not do.
                if dry_run:
                    return body
                raise
            if "namespaces" in failure.msg.partition("(")[0]:
                raise Failure(
                    f"Namespace {self.server.namespace} does not exist: create it, or correct namespace."
                ) from None
            raise _unknown(body) from None

    def _forbidden(self, failure: Forbidden) -> Failure:
        """Return the failure with the Role that this takes: it is not the releaser's."""
        return Forbidden(f"{failure.msg.partition('; grant')[0]}; grant this user {self.role}.")

    def _path(self, obj: Object) -> str:
        kind = (obj["apiVersion"], obj["kind"])
        plural = PLURALS.get(kind) or self._known.get(kind)
        if plural is None:
            plural = self._known[kind] = self._plural(obj)
        return paths.resource(kind[0], self.server.namespace, plural, mapping(obj, "metadata")["name"])

    def _plural(self, obj: Object) -> str:
        version = obj["apiVersion"]
        try:
            listed = self.cluster.get(f"{'/apis' if '/' in version else '/api'}/{version}")
        except NotFound:
            raise _unknown(obj) from None
        for resource in items(listed, "resources"):
            name = str(resource.get("name"))
            if resource.get("kind") == obj["kind"] and "/" not in name:
                if not resource.get("namespaced"):
                    raise Failure(
                        f"{existing.name_of(obj)} is of the whole cluster, and {self.what} writes to namespace "
                        f"{self.server.namespace} only: leave it out, and apply it yourself."
                    )
                return name
        raise _unknown(obj)


def any_version(path: str) -> str:
    """Return the path of an object without the version of its API, by which it is still the same object."""
    return API.sub(r"/apis/\1", path)


def _unknown(obj: Object) -> Failure:
    return Failure(
        f"The cluster does not know {obj['kind']} of {obj['apiVersion']}: install what brings it (of an HTTPRoute, the "
        "Gateway API), or leave it out."
    )
