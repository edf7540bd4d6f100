# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_debug: ask DNS, TCP, HTTP and MCP from inside the cluster's network."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _image
from ansible_collections.mcp.server.plugins.module_utils._debug import asking, container, job, probes, table
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import TTL, USER, Options
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Outcome, Probe
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import NAME
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "endpoint": endpoint.OPTION,
        "image_ref": {"type": "str"},
        "hosts": {"type": "list", "elements": "str", "default": []},
        "probes": {
            "type": "list",
            "elements": "dict",
            "options": {
                "kind": {"type": "str", "choices": list(probes.KINDS), "required": True},
                "target": {"type": "str", "required": True},
                "host": {"type": "str"},
            },
        },
        "ephemeral": {"type": "bool", "default": False},
        "pod": {"type": "str"},
        "timeout": {"type": "float", "default": 60.0},
        "stay": {"type": "int", "default": 0},
        "ttl": {"type": "int", "default": TTL},
        "user": {"type": "int", "default": USER},
    }
)
SHORTEST, LONGEST = 5.0, 3600  # seconds


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    options, named = options_of(params), named_probes(params)
    cluster, server = connection.connect(params), Server.from_params(params)
    return _run(task, cluster, server, options, named)


def options_of(params: dict[str, t.Any]) -> Options:
    """Return how the probes run. Raises Failure for options that do not fit each other."""
    if not params["image_ref"]:
        raise Failure(
            "There is no image to debug with: set image_ref (mcp_debug_image_ref) to one that the cluster can pull and "
            "that has a shell, curl and nslookup, such as docker.io/nicolaka/netshoot:v0.13 or a copy of it in your "
            "registry."
        )
    _image.Image.parse(params["image_ref"])
    if params["pod"] and not params["ephemeral"]:
        raise Failure(
            f"pod (mcp_debug_pod) is {params['pod']!r}, and ephemeral is not set: a container is added to a pod only "
            "when that is asked for, as it stays in the pod's entry. Set ephemeral (mcp_debug_ephemeral) to true, too."
        )
    if params["pod"] and not NAME.fullmatch(params["pod"]):
        raise Failure(f"pod (mcp_debug_pod) is {params['pod']!r}, which is not a valid name in Kubernetes.")
    if not SHORTEST <= params["timeout"] <= LONGEST:
        raise Failure(f"timeout must be from {SHORTEST:g} to {LONGEST} seconds.")
    if not (0 <= params["stay"] <= LONGEST and 0 <= params["ttl"] <= LONGEST):
        raise Failure(f"stay and ttl must be from 0 to {LONGEST} seconds.")
    if not 0 <= params["user"] < 2**31:
        raise Failure("user must be the number of a user, or 0 for the one of the image.")
    return Options(params["image_ref"], params["timeout"], params["stay"], params["ttl"], params["user"] or None)


def named_probes(params: dict[str, t.Any]) -> list[Probe] | None:
    """Return the probes that the user names, None for the usual ones, each of a valid form. Raises Failure."""
    named = params["probes"]
    asked = [Probe(one["kind"], one["target"], one["host"] or "") for one in named or ()]
    for probe in asked:
        probes.words(probe)
    for host in params["hosts"]:
        probes.of_host(host)
    return None if named is None else asked


def _run(task: Task, cluster: Api, server: Server, options: Options, named: list[Probe] | None) -> dict[str, t.Any]:
    params, bound = task.params, Deadline(options.timeout)
    pod: dict[str, t.Any] = {}
    if params["ephemeral"]:
        name = params["pod"]
        pod = cluster.get(paths.pods(server.namespace, name)) if name else container.some_pod(cluster, server)
    found = asking.Found(named, []) if named is not None else asking.of_server(cluster, server, params)
    asked = [*found.probes, *(one for host in params["hosts"] for one in probes.of_host(host))]
    if pod and named is None:
        asked = [*_itself(cluster, server, pod, params, found.notes), *asked]
    asked = list(dict.fromkeys(asked))
    if not asked:
        raise Failure(f"There is nothing to ask of {server}: name hosts (mcp_debug_hosts) or probes.")
    if len(asked) > probes.MOST:
        raise Failure(f"{len(asked)} probes are too many for one run: name at most {probes.MOST}.")
    options = replace(options, timeout=max(SHORTEST, round(bound.left, 1)))  # an API server may be slow
    result: dict[str, t.Any]
    if pod:
        outcomes, added, patch = container.in_pod(task, cluster, server, name_of(pod), options, asked)
        result = {"changed": True, "pod": name_of(pod), "container": added, "diff": {"before": {}, "after": patch}}
        found.notes.append(
            f"container {added} ends by itself; its entry stays in pod {name_of(pod)} until the pod is replaced"
        )
    else:
        outcomes, created = job.in_job(task, cluster, server, options, asked)
        kept = options.stay > 0
        stays = kept or task.check_mode  # what a run would make is what --check --diff is asked for
        result = {"changed": kept, "job": name_of(created), "diff": {"before": {}, "after": created if stays else {}}}
    if task.check_mode:
        what = f"container to pod {name_of(pod)}" if pod else "Job"
        shown = [
            f"the API server would accept the {what}, with {options.image_ref}",
            *(f"would ask {probe.kind} {probe.target}" for probe in asked),
        ]
    else:
        shown = table.lines(server, outcomes, [*found.notes, *_shell(server, result, options)])
    for line in shown:
        task.progress(line)
    return {**result, "outcomes": [_outcome(one) for one in outcomes], "notes": found.notes, "lines": shown}


def _itself(
    cluster: Api, server: Server, pod: dict[str, t.Any], params: dict[str, t.Any], notes: list[str]
) -> list[Probe]:
    """Return the probes of the pod's own port, over loopback; a note where the port cannot be told."""
    reason = f"pod {name_of(pod)} belongs to no pool"
    for pool in POOLS:
        try:
            if name_of(pod) in map(name_of, server.pods(cluster, pool)):
                return asking.at("127.0.0.1", server.port_in(cluster, pod, pool), params)
        except Failure as failure:
            reason = failure.msg
    notes.append(f"the pod is not asked over loopback: {reason}")
    return []


def _shell(server: Server, result: dict[str, t.Any], options: Options) -> list[str]:
    """Return the command for a shell in the container, while it stays."""
    if not options.stay:
        return []
    where = f"{result['pod']} -c {result['container']}" if "pod" in result else f"job/{result['job']}"
    return [f"for {options.stay} s: kubectl -n {server.namespace} exec -it {where} -- sh"]


def _outcome(one: Outcome) -> dict[str, t.Any]:
    return {
        "kind": one.probe.kind,
        "target": one.probe.target,
        "ok": one.ok,
        "seconds": one.seconds,
        "detail": one.detail,
    }
