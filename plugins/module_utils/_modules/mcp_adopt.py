# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_adopt: give a server that runs as one Deployment an idle pool, or take it away again."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.mcp.server.plugins.module_utils._adopt import (
    copies,
    facts,
    leading,
    plan,
    refusals,
    routes,
    suggested,
    trial,
    undo,
)
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import Choice
from ansible_collections.mcp.server.plugins.module_utils._install import fenced, manifests, pod_secrets
from ansible_collections.mcp.server.plugins.module_utils._install.apply import Installer, Outcome, difference
from ansible_collections.mcp.server.plugins.module_utils._install.existing import name_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import STATEFUL_SET, PoolObjects, pool_objects
from ansible_collections.mcp.server.plugins.module_utils._release import fence, lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task, conceal
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Operation

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **manifests.RELEASER,
    },
)

SETTLE = 1.0  # seconds in which a gateway hears of a new Service before a route leads to it
ACCEPTED = 20.0  # seconds for which the gateway's word on a changed route is waited for
EVERY = 0.5


@dataclass
class Adoption:
    """One run. server: with the names that were found."""

    task: Task
    cluster: Api
    server: Server
    route: Object | None = None
    others: list[Object] = field(default_factory=list)  # what leads to the Service and can't weigh

    @property
    def check(self) -> bool:
        return self.task.check_mode


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    settings = manifests.Settings(
        "", releasers=params["releasers"], guard=params["guard"], guard_service_account=params["guard_service_account"]
    )
    if problem := manifests.problem(settings):
        raise Failure(problem)
    given = _server(params)
    cluster = connection.connect(params)
    found = leading.find(cluster, _with_service(cluster, given), bool(params["route"]))
    adoption = Adoption(task, cluster, found.server, found.route, found.others)
    result = _removed(adoption) if params["state"] == "absent" else _added(adoption, settings)
    for note in result["notes"]:
        task.progress(note)
    return result


def _server(params: dict[str, t.Any]) -> Server:
    """Return the server with the names of the pools: the live one's are its own by default. Raises Failure."""
    blue = pool_objects("blue", params["blue"], "") or PoolObjects("", "Deployment", "")
    blue = blue._replace(workload=blue.workload or params["server"])
    green = pool_objects("green", params["green"], "")
    if green and green.kind == STATEFUL_SET != blue.kind:
        raise Failure(
            f"green (mcp_green) names {green.title}, but the live pool is {blue.title}, which the idle pool is a copy "
            "of: name it as deployment."
        )
    whole = blue._replace(service=blue.service or blue.workload)
    as_params = {"blue": suggested.named(whole), "green": suggested.named(green or plan.green_of(whole))}
    server = Server.from_params({**params, **as_params})
    # The Service is looked up where it is not given.
    return replace(server, blue=blue, green=green)


def _with_service(cluster: Api, server: Server) -> Server:
    blue = facts.names(cluster, server.namespace, server.objects("blue"))
    usual = plan.green_of(blue)
    green = server.green or usual
    green = green._replace(
        workload=green.workload or usual.workload, service=green.service or usual.service, kind=blue.kind
    )
    return replace(server, blue=blue, green=green)


def _added(adoption: Adoption, settings: manifests.Settings) -> dict[str, t.Any]:
    server, found = adoption.server, facts.read(adoption.cluster, adoption.server)
    conceal(*pod_secrets.in_template(found.workload))
    is_ingress = adoption.route is not None and server.route_kind == leading.INGRESS
    made = plan.make(server, found, settings, adoption.route if is_ingress else None)
    changes = routes.Plan([], [])
    if adoption.route is not None and not is_ingress:
        kind = leading.weighted(server)
        changes = routes.adopted(kind, adoption.route, server)
        if refused := kind.refused(adoption.route, server):
            changes.problems.append(f"The gateway refuses {kind.name(server)} as it is: {refused}.")
    elif adoption.route is not None and not leading.leads(adoption.route, server.service("blue")):
        changes.problems.append(f"Ingress {server.route} does not lead to Service {server.service('blue')}.")
    if problems := [*made.problems, *changes.problems]:
        raise Failure(refusals.sentence(server, problems), problems=problems)
    if adoption.route is None:
        raise _no_route(adoption, found)
    notes = plan.notes(server, found, t.cast(Choice, made.choice), adoption.route)
    notes += plan.of_others(server, *leading.beside(adoption.cluster, server, "blue"))
    patch = _merge_patch(adoption, changes)
    pool = [one for one in made.objects if one["kind"] not in ("Role", "RoleBinding")]
    if not is_ingress and (pool or changes.changes) and (owners := plan.owners(adoption.route)):
        return _printed(adoption, pool, changes, owners, notes)
    installer = _installer(adoption, found)
    outcomes = installer.look(made.objects)
    operations = routes.patch(adoption.route, changes.changes)
    after = adoption.route
    if operations or any(one.action != "unchanged" for one in outcomes):
        with fenced.lease(adoption.task, adoption.cluster, server, "adoption") as run_id:
            outcomes = _write_all(adoption, installer, outcomes, run_id)
            if refused := _refusal_of_header(adoption, changes, run_id):
                notes.append(
                    f"The gateway refuses a header on each backend ({refused}), so the route sets none: a release "
                    "measures the share by the health document, the gateway's counters or serverInfo."
                )
                adoption.server = replace(server, pool_header="")
                changes = routes.adopted(leading.weighted(server), adoption.route, adoption.server)
                operations = routes.patch(adoption.route, changes.changes)
            if operations:
                after = _shift(adoption, _adopting(adoption), run_id)
                after = _accepted(adoption, after, run_id)
    return _result(adoption, outcomes, after if operations else None, notes, patch)


def _refusal_of_header(adoption: Adoption, changes: routes.Plan, run_id: str) -> str:
    """Return why the gateway can't set a header for each backend of an HTTPRoute; empty when it can, or may."""
    server = adoption.server
    if adoption.check or server.route_kind != "httproute" or not changes.changes:
        return ""
    return trial.refusal(
        adoption.cluster,
        server,
        t.cast(Object, adoption.route),
        changes.changes[0].after,
        lambda: fence.check(adoption.cluster, server, run_id),
    )


def _adopting(adoption: Adoption) -> t.Callable[[Object], tuple[list[Operation], list[str]]]:
    """Return what makes the patch of an adoption out of the route as it is, with the problems."""

    def made(route: Object) -> tuple[list[Operation], list[str]]:
        planned = routes.adopted(leading.weighted(adoption.server), route, adoption.server)
        return routes.patch(route, planned.changes), planned.problems

    return made


def _installer(adoption: Adoption, found: facts.Facts) -> Installer:
    """Return what applies the objects. Those of a pool that exists are its releases' to change."""
    kept = ["Deployment", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "Ingress"]
    if found.green_workload is not None:
        kept.append("Service")
    otherwise = "remove what has the name"
    return Installer(adoption.cluster, adoption.server, created_only=kept, maker="mcp_adopt", otherwise=otherwise)


def _write_all(adoption: Adoption, installer: Installer, outcomes: list[Outcome], run_id: str) -> list[Outcome]:
    if adoption.check:
        return outcomes
    # The canary of an Ingress is a route: the gateway must know its Service first.
    written, has_new_service = [], False
    for one in outcomes:
        if one.action == "unchanged":
            written.append(one)
            continue
        if one.wanted["kind"] == "Ingress" and has_new_service:
            time.sleep(SETTLE)
        done = installer.write(one, run_id)
        has_new_service = has_new_service or done.wanted["kind"] == "Service"
        adoption.task.progress(f"{done.action} {name_of(done.wanted)}")
        written.append(done)
    if has_new_service and adoption.server.route_kind != leading.INGRESS:
        time.sleep(SETTLE)
    return written


def _shift(
    adoption: Adoption,
    make: t.Callable[[Object], tuple[list[Operation], list[str]]],
    run_id: str,
    done: str = "changed",
) -> Object:
    """Write the route; return it as it is then. Raises Failure."""
    server, kind = adoption.server, leading.weighted(adoption.server)
    path = kind.path(server)

    def attempt() -> Object:
        route = adoption.cluster.get(path)
        operations, problems = make(route)
        if problems:
            raise Failure(refusals.sentence(server, problems), problems=problems)
        fence.check(adoption.cluster, server, run_id, dry_run=adoption.check)
        return adoption.cluster.patch(path, operations, "json", dry_run=adoption.check) if operations else route

    after: Object = on_conflict(attempt, 0.0)
    if not adoption.check:
        adoption.task.progress(f"{done} {kind.name(server)}")
    return after


def _accepted(adoption: Adoption, after: Object, run_id: str) -> Object:
    """Return the route once the gateway has taken it; put it back, and raise Failure, where the gateway refuses it."""
    if adoption.check or not (refused := _until_accepted(adoption)):
        return after
    _shift(adoption, _undoing(adoption), run_id, "put back")
    raise Failure(
        f"The gateway refuses {leading.weighted(adoption.server).name(adoption.server)} with both pools in it, so it "
        f"is as it was before: {refused}. Where that is about the header, the gateway can't set one for each backend: "
        "list both pools yourself, without it (docs/routes.md), and run this again."
    )


def _until_accepted(adoption: Adoption) -> str:
    """Wait until a controller has the route; return why it refuses it, empty when it does not, or says nothing."""
    server, kind = adoption.server, leading.weighted(adoption.server)
    bound = Deadline(ACCEPTED)
    while True:
        route = kind.read(adoption.cluster, server)
        if refused := kind.refused(route, server):
            return refused
        waits_for = kind.not_accepted(route, server)
        if not waits_for:
            return ""
        if not bound.pause(EVERY):
            adoption.task.warn(f"{kind.name(server)} was changed, but after {ACCEPTED:g} s {waits_for}.")
            return ""


def _no_route(adoption: Adoption, found: facts.Facts) -> Failure:
    """Return the failure of a server that nothing leads to which could weigh its pools, with what to write."""
    server = adoption.server
    traefik = [one for one in adoption.others if one["kind"] == "IngressRoute"]
    wanted = (
        suggested.traefik_service(server, found.service)
        if traefik
        else suggested.http_route(server, found.service, adoption.others)
    )
    text = suggested.as_yaml([wanted])
    for line in text.splitlines():
        adoption.task.progress(line)
    leads = f"no route in namespace {server.namespace} leads to Service {server.service('blue')}"
    if there := ", ".join(map(name_of, adoption.others)):
        leads = (
            f"{there} leads to Service {server.service('blue')}, and can't give two pools a part of the traffic each"
        )
    then = f"replace {suggested.FILL_IN} in it"
    if traefik:
        then = "let the IngressRoute lead to it (kind: TraefikService) in place of the Service"
    return Failure(
        f"{server} can't be adopted yet: {leads}. Write the {wanted['kind']} above (route_to_write in the result), "
        f"{then}, and run this again once clients come that way.",
        route_to_write=text,
    )


def _merge_patch(adoption: Adoption, changes: routes.Plan) -> str:
    if adoption.route is None or not changes.changes:
        return ""
    kind = leading.weighted(adoption.server)
    return suggested.as_yaml([routes.merge_patch(kind, adoption.route, adoption.server, changes.changes)])


def _printed(
    adoption: Adoption, pool: list[Object], changes: routes.Plan, owners: list[str], notes: list[str]
) -> dict[str, t.Any]:
    """Return the result where the route belongs to a tool: nothing is changed, all of it is for its repository."""
    server = adoption.server
    title = leading.weighted(server).name(server)
    patch = _merge_patch(adoption, changes)
    text = "---\n".join(filter(None, [suggested.as_yaml(map(copies.for_repository, pool)), patch]))
    adoption.task.progress(f"{title} belongs to {' and '.join(owners)}: what to put into its repository:")
    for line in text.splitlines():
        adoption.task.progress(line)
    said = (
        f"Nothing was changed: {title} belongs to {' and '.join(owners)}. Put the new objects and the patch of the "
        "route that are above (for_repository in the result) into its repository, and run this again once they are "
        "applied."
    )
    return {
        **_result(adoption, [], None, [*notes, said], patch),
        "for_repository": text,
    }


def _removed(adoption: Adoption) -> dict[str, t.Any]:
    """Take the idle pool away again; return the result. Raises Failure."""
    server, cluster = adoption.server, adoption.cluster
    ours = undo.objects(cluster, server)
    for one in ours:
        conceal(*pod_secrets.in_template(one))
    planned, operations = routes.Plan([], []), []
    is_list = adoption.route is not None and server.route_kind in leading.LISTS
    if is_list:
        kind, route = leading.weighted(server), t.cast(Object, adoption.route)
        planned = routes.undone(kind, route, server)
        operations = routes.undo_patch(route, planned.changes) if routes.is_adopted(route) or planned.changes else []
    problems = [*planned.problems, *undo.problems(server, ours, leading.beside(cluster, server, "green")[0])]
    if problems:
        raise Failure(undo.sentence(server, problems), problems=problems)
    if planned.changes and (owners := plan.owners(t.cast(Object, adoption.route))):
        return _printed_undo(adoption, planned, owners, ours)
    after, diffs = adoption.route, []
    if operations or ours:
        with fenced.lease(adoption.task, cluster, server, "adoption") as run_id:
            if operations:
                after = _shift(adoption, _undoing(adoption), run_id)
                if not adoption.check:
                    _until_accepted(adoption)  # what it no longer leads to may go then
            diffs = undo.delete(adoption.task, cluster, server, ours, run_id)
    result = _result(adoption, [], after if operations else None, [], "")
    return {
        **result,
        "changed": bool(operations or ours),
        "objects": [*_gone(ours), *result["objects"]],
        "inventory": "",
        "diff": [*result["diff"], *diffs],
    }


def _gone(ours: t.Iterable[Object]) -> list[dict[str, str]]:
    return [{"kind": one["kind"], "name": one["metadata"]["name"], "action": "deleted"} for one in ours]


def _undoing(adoption: Adoption) -> t.Callable[[Object], tuple[list[Operation], list[str]]]:
    def made(route: Object) -> tuple[list[Operation], list[str]]:
        planned = routes.undone(leading.weighted(adoption.server), route, adoption.server)
        return routes.undo_patch(route, planned.changes), planned.problems

    return made


def _printed_undo(adoption: Adoption, planned: routes.Plan, owners: list[str], ours: list[Object]) -> dict[str, t.Any]:
    patch = _merge_patch(adoption, planned)
    for line in patch.splitlines():
        adoption.task.progress(line)
    said = (
        f"Nothing was changed: {leading.weighted(adoption.server).name(adoption.server)} belongs to "
        f"{' and '.join(owners)}. Put the patch above (for_repository in the result) into its repository, and run this "
        "again once it is applied."
    )
    return {**_result(adoption, [], None, [said], patch), "for_repository": patch, "inventory": ""}


def _result(
    adoption: Adoption, outcomes: t.Sequence[Outcome], after: Object | None, notes: list[str], patch: str
) -> dict[str, t.Any]:
    server = adoption.server
    changes = [one for one in outcomes if one.action != "unchanged"]
    objects = [
        {"kind": one.wanted["kind"], "name": one.wanted["metadata"]["name"], "action": one.action} for one in outcomes
    ]
    diffs = [one.diff() for one in changes]
    if after is not None:
        before = t.cast(Object, adoption.route)
        named = {"kind": leading.weighted(server).title, "metadata": {"name": server.route}}
        objects.append({"kind": named["kind"], "name": server.route, "action": "changed"})
        diffs.append(difference(named, before, {**{key: before[key] for key in ("apiVersion", "kind")}, **after}))
    return {
        "changed": bool(changes) or after is not None,
        "objects": objects,
        "route": {"kind": server.route_kind, "name": server.route},
        "inventory": suggested.inventory(server),
        "notes": notes,
        "route_patch": patch,
        "for_repository": "",
        "diff": diffs,
    }
