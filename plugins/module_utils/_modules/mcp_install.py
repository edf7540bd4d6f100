# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_install: make the objects of a server that a release needs."""

from __future__ import annotations

import dataclasses
import typing as t
from ipaddress import ip_address
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._install import (
    existing,
    fenced,
    manifests,
    pod_secrets,
    supplied,
)
from ansible_collections.mcp.server.plugins.module_utils._install.apply import Installer, Outcome
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import DEPLOYMENT
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task, conceal
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

# As a pod's container has them; the API server validates them.
OF_KUBERNETES: dict[str, t.Any] = {"type": "list", "elements": "dict", "default": []}
WORDS: dict[str, t.Any] = {"type": "list", "elements": "str", "default": []}

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "image_ref": {"type": "str", "required": True},
        "replicas": {"type": "int", "default": 2},
        "port": {"type": "int", "default": 8080},
        "metrics_port": {"type": "int"},
        "ready_path": {"type": "str"},
        "startup_seconds": {"type": "int", "default": 120},
        "termination_seconds": {"type": "int", "default": 60},
        "pre_stop_seconds": {"type": "int", "default": 10},
        "command": WORDS,
        "args": WORDS,
        "env": OF_KUBERNETES,
        "env_from": OF_KUBERNETES,
        "resources": {
            "type": "dict",
            "default": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        },
        "pull_secrets": {**WORDS, "no_log": False},
        "run_as_user": {"type": "int"},
        "gateway": {
            "type": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "namespace": {"type": "str"},
                "section_name": {"type": "str"},
            },
        },
        "endpoint": endpoint.OPTION,
        "hostname": {"type": "str"},
        **manifests.RELEASER,
        "manifests": {"type": "dict", "options": {key: {"type": "path"} for key in manifests.KEYS}},
        "kustomize": {"type": "path"},
        "force": {"type": "bool", "default": False},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    Image.parse(params["image_ref"])
    # Where no other name is given, the container that is written has the server's.
    server = Server.from_params({**params, "container": params["container"] or params["server"]})
    settings = _settings(params)
    if problem := manifests.problem(settings):
        raise Failure(problem)
    for pool in POOLS:
        if server.objects(pool).kind != DEPLOYMENT:
            raise Failure(
                f"Pool {pool} of {server} is {server.workload_title(pool)}, and an install makes only Deployments: "
                f"make its objects yourself, or name a deployment in {pool} (mcp_{pool})."
            )
    theirs = supplied.from_files(params["manifests"] or {}, server)
    if params["kustomize"]:
        theirs += supplied.from_kustomize(params["kustomize"], server)
    wanted = supplied.combined(server, settings, theirs)
    conceal(*(value for one in wanted for value in _secrets(one)))
    cluster = connection.connect(params)
    installer = Installer(cluster, server, params["force"], _users_routes(server))
    outcomes = installer.look(wanted)
    conceal(*(value for one in outcomes if one.before for value in _secrets(one.before)))
    if any(one.action != "unchanged" for one in outcomes):
        with fenced.lease(task, cluster, server, "install") as run_id:
            if not task.check_mode:
                outcomes = [_written(task, installer, one, run_id) for one in outcomes]
    result = _result(server, settings, outcomes)
    for note in result["notes"]:
        task.progress(note)
    return result


def _secrets(obj: Object) -> list[str]:
    """Return what no output may show of an object."""
    return [*existing.secret_values(obj), *pod_secrets.in_template(obj)]


def _settings(params: dict[str, t.Any]) -> manifests.Settings:
    given = {one.name: params[one.name] for one in dataclasses.fields(manifests.Settings) if one.name in params}
    return manifests.Settings(**{**given, "hostname": hostname(params["hostname"], params["endpoint"] or {})})


def hostname(given: str | None, address: Object) -> str:
    """Return the host name of the route: the one that is given, or that of the endpoint without its port."""
    name = given or address.get("host") or ""
    try:
        name = urlsplit(f"//{name}" if name else address.get("url") or "").hostname or ""
    except ValueError:
        name = ""
    try:
        ip_address(name)
    except ValueError:
        return name
    return ""  # an HTTPRoute takes no IP address


def _users_routes(server: Server) -> list[str]:
    """Return the paths of a route that is the user's: an install knows where the weights are in HTTPRoutes only."""
    if server.route_kind == "httproute":
        return []
    path = kind_of(server).path(server)
    return [path, f"{path}-canary"]  # the latter is of ingress-nginx


def _written(task: Task, installer: Installer, outcome: Outcome, run: str) -> Outcome:
    if outcome.action == "unchanged":
        return outcome
    written = installer.write(outcome, run)
    task.progress(f"{written.action} {existing.name_of(written.wanted)}")
    return written


def _result(server: Server, settings: manifests.Settings, outcomes: t.Sequence[Outcome]) -> dict[str, t.Any]:
    changes = [one for one in outcomes if one.action != "unchanged"]
    pools = [_deployed(server, outcomes, pool) for pool in POOLS]
    blue = pools[0]
    return {
        "changed": bool(changes),
        "objects": [
            {
                "kind": one.wanted["kind"],
                "name": one.wanted["metadata"]["name"],
                "action": one.action,
            }
            for one in outcomes
        ],
        # Whoever waits for the first pods needs to know whether there are any to wait for.
        "started": blue is not None and blue.action == "created",
        "replicas": 0 if blue is None else mapping(blue.after, "spec").get("replicas", 1),
        "notes": _notes(server, settings, [one for one in pools if one is not None]),
        "diff": [one.diff() for one in changes],
    }


def _deployed(server: Server, outcomes: t.Iterable[Outcome], pool: str) -> Outcome | None:
    named = (DEPLOYMENT, server.workload(pool))
    return next((one for one in outcomes if (one.wanted["kind"], one.wanted["metadata"]["name"]) == named), None)


def _notes(server: Server, settings: manifests.Settings, pools: t.Sequence[Outcome]) -> list[str]:
    notes = []
    # A release adds the digest.
    images = [existing.image_of(one.after, server) for one in pools]
    if images and settings.image_ref not in [image.partition("@")[0] for image in images] + images:
        notes.append(
            f"The pools keep their images ({', '.join(dict.fromkeys(images))}): a release (bluegreen.yml) changes them."
        )
    if server.route_kind != "httproute":
        notes.append(
            f"The route ({server.route_kind} {server.route}) is yours to make: it must list the Services "
            f"{' and '.join(map(server.service, POOLS))} (docs/routes.md)."
        )
    return notes
