# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a server can't have a second pool beside the one that it has. Pure: objects in, sentences out."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._adopt import quota
from ansible_collections.mcp.server.plugins.module_utils._adopt.copies import fits, is_ours, labels_of
from ansible_collections.mcp.server.plugins.module_utils._adopt.facts import Facts
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import of_service
from ansible_collections.mcp.server.plugins.module_utils._install.existing import name_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.selectors import matches
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ONE_NODE = ("ReadWriteOnce", "ReadWriteOncePod")
# Volumes in a pod that one node at a time has.
DISKS = (
    "awsElasticBlockStore",
    "azureDisk",
    "cinder",
    "fc",
    "gcePersistentDisk",
    "iscsi",
    "photonPersistentDisk",
    "rbd",
    "scaleIO",
    "vsphereVolume",
)


def problems(server: Server, facts: Facts) -> list[str]:
    """Return why the workload and its Service can't get a second pool, a sentence for each reason."""
    return [
        *_of_service(server, facts),
        *_of_workload(server, facts.workload),
        *_of_volumes(server, facts),
        *_of_ports(server, mapping(facts.workload, "spec", "template", "spec")),
        *quota.problems(
            mapping(facts.workload, "spec", "template", "spec"), facts.more_pods(), facts.quotas, facts.limit_ranges
        ),
        *_taken(server, facts),
    ]


def _of_service(server: Server, facts: Facts) -> list[str]:
    spec, name = mapping(facts.service, "spec"), f"Service {server.service('blue')}"
    if spec.get("type") == "ExternalName":
        return [f"{name} is an ExternalName, which selects no pods: name the one that does (mcp_blue)."]
    selector = of_service(spec.get("selector"))
    if selector is None:
        return [f"{name} has no selector, so which pods it leads to is decided elsewhere: give it a selector."]
    if not matches(selector, labels_of(mapping(facts.workload, "spec", "template"))):
        return [
            f"{name} does not select the pods of {server.objects('blue').title}: name the Service that does (mcp_blue)."
        ]
    others = [
        name_of(one)
        for one in facts.workloads
        if matches(selector, labels_of(mapping(one, "spec", "template")))
        and name_of(one) not in [server.objects(pool).title for pool in ("blue", "green")]
    ]
    if others:
        return [
            f"{name} also selects the pods of {', '.join(sorted(others))}: a pool is one workload, so let the Service "
            "select one, or remove the others."
        ]
    return []


def _of_workload(server: Server, live: Object) -> list[str]:
    name, spec, found = server.objects("blue").title, mapping(live, "spec"), []
    if spec.get("paused"):
        found.append(f"{name} is paused, so what it runs is not what it says: resume it (kubectl rollout resume).")
    if mapping(spec, "strategy").get("type") == "Recreate":
        found.append(
            f"{name} has the strategy Recreate, which says that two of its versions must not run at once, and two "
            "pools are that: if they may, set RollingUpdate."
        )
    return found


def _of_volumes(server: Server, facts: Facts) -> list[str]:
    name, found = server.objects("blue").title, []
    if items(facts.workload, "spec", "volumeClaimTemplates"):
        found.append(
            f"{name} has volumeClaimTemplates: each pod keeps data of its own, which the other pool's pods would not "
            "have. Keep the data outside of the pods first."
        )
    for volume in items(facts.workload, "spec", "template", "spec", "volumes"):
        claim = mapping(volume, "persistentVolumeClaim").get("claimName")
        if claim is not None:
            modes = facts.claims.get(claim)
            if modes is None:
                found.append(
                    f"{name} has volume {volume.get('name')} of PersistentVolumeClaim {claim}, which can't be read."
                )
            elif not set(modes) - set(ONE_NODE):
                found.append(
                    f"{name} has volume {volume.get('name')} of PersistentVolumeClaim {claim}, which is "
                    f"{' and '.join(modes) or 'of no mode'}: the second pool can't have it at the same time. Use a "
                    "claim that is ReadWriteMany, or keep the data elsewhere."
                )
        disk = next((kind for kind in DISKS if kind in volume and not mapping(volume, kind).get("readOnly")), None)
        if disk:
            found.append(
                f"{name} has volume {volume.get('name')}, a disk ({disk}) that one node at a time has: the second pool "
                "can't have it at the same time."
            )
    return found


def _of_ports(server: Server, pod: Object) -> list[str]:
    name = server.objects("blue").title
    if pod.get("hostNetwork"):
        return [f"{name} has hostNetwork: pods of both pools would want the same ports of a node."]
    ports = [
        str(port["hostPort"])
        for container in (*items(pod, "containers"), *items(pod, "initContainers"))
        for port in items(container, "ports")
        if port.get("hostPort")
    ]
    if ports:
        return [f"{name} has hostPort {', '.join(ports)}: pods of both pools would want the same port of a node."]
    return []


def _taken(server: Server, facts: Facts) -> list[str]:
    """Return a sentence for names of the idle pool's objects that somebody else's objects have."""
    green = server.objects("green")
    found = [one for one in (facts.green_workload, facts.green_service) if one is not None]
    foreign = [name_of(one) for one in found if not is_ours(one, server)]
    if not foreign or is_pool(server, facts):
        return []
    return [
        f"{' and '.join(foreign)} {'exists' if len(foreign) == 1 else 'exist'} already, and no adoption of "
        f"{server.name} made {'it' if len(foreign) == 1 else 'them'}: give the idle pool another name (mcp_green), or "
        f"remove {'it' if len(foreign) == 1 else 'them'}; as a pool, {green.title} and Service {green.service} must "
        "belong together."
    ]


def is_pool(server: Server, facts: Facts) -> bool:
    """Return whether the idle pool's objects exist and fit, whoever made them."""
    workload, service = facts.green_workload, facts.green_service
    if workload is None or service is None:
        return False
    return fits(workload, service, facts.service, labels_of(mapping(facts.workload, "spec", "template")))


def sentence(server: Server, found: t.Sequence[str]) -> str:
    return printable(f"{server} can't be adopted as it is. {' '.join(found)}", 6000)
