# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Job that tries a dependency, by the pod template of the server. Pure: a template in, an object out.

The container has the environment, the ServiceAccount and the mounted Secrets of the server's own container, so what the
server would be refused, the Job is refused too. It gets no traffic, and has no token of its ServiceAccount unless it is
asked for.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._debug.script import literal
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import is_secret_name

LABELS = {"app.kubernetes.io/managed-by": "mcp.server", "app.kubernetes.io/component": "check"}
CONTAINER = "check"
USER = 65534  # nobody: an image that says nothing runs as root, which a namespace may refuse
STARTING = 60.0  # seconds for the pod to be scheduled and for its image to be pulled
SPARE = 10  # seconds that the Job has beyond all this
LIMITS = {"cpu": "500m", "memory": "128Mi"}  # of an image that is not the server's
REQUESTS = {"cpu": "10m", "memory": "32Mi"}
# A condition that nobody ever sets: a pod that is not ready gets traffic from no Service, whatever its labels are.
NEVER_READY = "mcp.server/serves-nothing"

# Of the pod: how it finds names and nodes, and which images and Secrets it may have.
_OF_POD = (
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "nodeSelector",
    "runtimeClassName",
    "schedulerName",
    "serviceAccountName",
    "tolerations",
)
_OF_SECURITY = ("fsGroup", "fsGroupChangePolicy", "runAsGroup", "supplementalGroups")
# Volumes that another pod can have at the same time, and that the Pod Security level restricted allows. A disk isn't.
_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "projected", "secret")


@dataclass(frozen=True)
class Dependency:
    """Something that the server needs, and the command that tries it.

    image_ref: None for the server's own. expect: a regular expression for the output, None where the exit code tells.
    user: that the container runs as, 0 for the one of the image and the namespace, None for the server's.
    token: whether the container gets the token of the ServiceAccount.
    """

    name: str
    command: tuple[str, ...]
    image_ref: str | None = None
    expect: str | None = None
    timeout: float = 30.0
    env: tuple[Object, ...] = ()
    env_from: tuple[Object, ...] = ()
    required: bool = True
    user: int | None = None
    token: bool = False


def job(
    name: str,
    dependency: Dependency,
    template: Object,
    container: str,
    *,
    labels: t.Mapping[str, str] | None = None,
    pull_secrets: t.Sequence[str] = (),
    ttl: int = 60,
) -> Object:
    """Return the Job. The cluster ends it and removes it by itself.

    template: the pod template of the pool. container: the server's in it. labels: further ones of the pod.
    """
    spec = mapping(template, "spec")
    own = next((one for one in items(spec, "containers") if one.get("name") == container), {})
    volumes = _volumes(spec, token=dependency.token)
    pod: Object = {key: spec[key] for key in _OF_POD if spec.get(key) is not None}
    if required := mapping(spec, "affinity", "nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution"):
        pod["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    own_secrets = [str(one["name"]) for one in items(spec, "imagePullSecrets") if one.get("name")]
    if secrets := list(dict.fromkeys([*own_secrets, *pull_secrets])):
        pod["imagePullSecrets"] = [{"name": one} for one in secrets]
    pod |= {
        "automountServiceAccountToken": dependency.token,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        "readinessGates": [{"conditionType": NEVER_READY}],
        "securityContext": _pod_security(spec),
        "containers": [_container(dependency, own, spec, volumes)],
        "volumes": [*volumes, *([] if _has_tmp(own, volumes) else [{"name": "mcp-tmp", "emptyDir": {}}])],
    }
    every = {**(labels or {}), **LABELS}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": dict(LABELS)},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": math.ceil(STARTING + dependency.timeout) + SPARE,
            "ttlSecondsAfterFinished": ttl,
            "template": {"metadata": {"labels": every}, "spec": pod},
        },
    }


def secrets_of(dependency: Dependency, template: Object, container: str) -> list[str]:
    """Return the values of secret variables that stand in the pod template or in the option, to be hidden."""
    own = next((one for one in items(template, "spec", "containers") if one.get("name") == container), {})
    named = [(str(one.get("name")), one.get("value")) for one in (*items(own, "env"), *dependency.env)]
    return [value for name, value in named if isinstance(value, str) and (is_secret_name(name) or "@" in value)]


def _container(dependency: Dependency, own: Object, spec: Object, volumes: t.Sequence[Object]) -> Object:
    is_own = dependency.image_ref is None
    names = {one.get("name") for one in volumes}
    mounts = [dict(one) for one in items(own, "volumeMounts") if one.get("name") in names]
    if not _has_tmp(own, volumes):
        mounts.append({"name": "mcp-tmp", "mountPath": "/tmp"})
    limits = mapping(own, "resources", "limits") if is_own else {}
    container: Object = {
        "name": CONTAINER,
        "image": dependency.image_ref or own.get("image"),
        "imagePullPolicy": (own.get("imagePullPolicy") if is_own else None) or "IfNotPresent",
        # Kubernetes replaces nothing in it: what the user wrote is what the command gets.
        "command": [literal(word) for word in dependency.command],
        "env": _env(own, dependency),
        "envFrom": [*items(own, "envFrom"), *dependency.env_from],
        "resources": {
            "requests": dict(REQUESTS),
            "limits": {key: limits[key] for key in LIMITS if key in limits} or dict(LIMITS),
        },
        "securityContext": _security(dependency, own, spec),
        "volumeMounts": mounts,
    }
    if is_own and own.get("workingDir"):
        container["workingDir"] = own["workingDir"]
    return container


def _env(own: Object, dependency: Dependency) -> list[Object]:
    """Return the variables of the server's container, and those of the dependency in place of them."""
    replaced = {one.get("name") for one in dependency.env}
    kept = [dict(one) for one in items(own, "env") if one.get("name") not in replaced]
    found = [*kept, *(dict(one) for one in dependency.env)]
    for one in found:
        of_resource = mapping(one, "valueFrom", "resourceFieldRef")
        if of_resource.get("containerName"):  # there is no other container here
            value = {key: of_resource[key] for key in of_resource if key != "containerName"}
            one["valueFrom"] = {"resourceFieldRef": value}
    return found


def _pod_security(spec: Object) -> Object:
    given = mapping(spec, "securityContext")
    return {
        **{key: given[key] for key in _OF_SECURITY if given.get(key) is not None},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _security(dependency: Dependency, own: Object, spec: Object) -> Object:
    context: Object = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    given = {**mapping(spec, "securityContext"), **mapping(own, "securityContext")}
    if given.get("readOnlyRootFilesystem") is True:
        context["readOnlyRootFilesystem"] = True
    if group := mapping(own, "securityContext").get("runAsGroup"):
        context["runAsGroup"] = group
    user = given.get("runAsUser") if dependency.user is None else dependency.user
    if user is None and dependency.image_ref is not None:
        user = USER
    if user == 0 and dependency.user is None:  # root, which the level restricted forbids
        user = USER
    if user:
        context["runAsUser"] = user
    return context


def _volumes(spec: Object, *, token: bool) -> list[Object]:
    """Return the volumes of the pod that a second pod may have, too."""
    mounted = {
        mount.get("name")
        for container in (*items(spec, "containers"), *items(spec, "initContainers"))
        for mount in items(container, "volumeMounts")
    }
    found = []
    for volume in items(spec, "volumes"):
        if volume.get("name") not in mounted or not any(kind in volume for kind in _VOLUMES):
            continue
        one = dict(volume)
        if "projected" in one and not token:
            sources = [source for source in items(one, "projected", "sources") if "serviceAccountToken" not in source]
            if not sources:
                continue
            one["projected"] = {**mapping(one, "projected"), "sources": sources}
        found.append(_without_containers(one))
    return found


def _without_containers(volume: Object) -> Object:
    """Return a volume whose files of the downward API name the only container that there is."""
    for kind in ("downwardAPI", "projected"):
        if kind not in volume:
            continue
        volume = {**volume, kind: _renamed(volume[kind])}
    return volume


def _renamed(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: CONTAINER if key == "containerName" else _renamed(inner) for key, inner in value.items()}
    return [_renamed(one) for one in value] if isinstance(value, list) else value


def _has_tmp(own: Object, volumes: t.Sequence[Object]) -> bool:
    names = {one.get("name") for one in volumes}
    return any(one.get("mountPath") == "/tmp" and one.get("name") in names for one in items(own, "volumeMounts"))
