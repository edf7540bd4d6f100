# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects in which probes run: a Job of its own, or a container added to a pod. Pure: options in, objects out."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._debug import judge, probes, script
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Probe
from ansible_collections.mcp.server.plugins.module_utils._server import Server

Object = dict[str, t.Any]

# No Service of a server selects pods by these.
OURS = {"app.kubernetes.io/managed-by": "mcp.server", "app.kubernetes.io/component": "debug"}
CONTAINER = "debug"
LONGEST_NAME = 40  # characters of the server's name that are in the Job's, as a pod's name has no more than 63
USER = 65534  # nobody: an image that says nothing runs as root, which a namespace may refuse
TTL = 60  # seconds for which a Job that has ended stays
PROBE = 5.0  # seconds for each command of a probe
SPARE = 10  # seconds that the Job has beyond its probes, to be scheduled in and to pull the image


@dataclass(frozen=True)
class Options:
    """How probes run.

    timeout: seconds for all of it. stay: seconds for which the container stays afterwards, for C(kubectl exec).
    ttl: seconds for which the cluster keeps a Job that has ended. user: that the container runs as; None for the
    image's own. pull_secrets: the names of Secrets for a private registry.
    """

    image_ref: str
    timeout: float = 60.0
    stay: int = 0
    ttl: int = TTL
    user: int | None = USER
    pull_secrets: tuple[str, ...] = ()

    @property
    def seconds(self) -> int:
        """Return after how many seconds the cluster ends it, whatever it does."""
        return math.ceil(self.timeout) + SPARE + self.stay


def job_name(server: Server, identifier: str) -> str:
    return f"{server.name[:LONGEST_NAME].rstrip('.-')}-debug-{identifier}"


def job(name: str, asked: t.Sequence[Probe], options: Options) -> Object:
    """Return the Job. It meets the Pod Security level restricted, and the cluster ends and removes it by itself."""
    container = {
        **_container(CONTAINER, options),
        "command": command(asked, options),
        "env": [{"name": "HOME", "value": "/tmp"}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    container["securityContext"]["readOnlyRootFilesystem"] = True
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
        **({"imagePullSecrets": [{"name": name} for name in options.pull_secrets]} if options.pull_secrets else {}),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": OURS},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": options.seconds,
            "ttlSecondsAfterFinished": options.ttl,
            "template": {"metadata": {"labels": OURS}, "spec": pod},
        },
    }


def ephemeral(name: str, asked: t.Sequence[Probe], options: Options) -> Object:
    """Return the patch that adds a container to a pod. Its own time limit ends it: nothing else would."""
    limited = ["timeout", str(options.seconds), *command(asked, options)]
    return {"spec": {"ephemeralContainers": [{**_container(name, options), "command": limited}]}}


def _container(name: str, options: Options) -> Object:
    context: Object = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if options.user is not None:
        context["runAsUser"] = options.user
    return {
        "name": name,
        "image": options.image_ref,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": context,
    }


def command(asked: t.Sequence[Probe], options: Options) -> list[str]:
    """Return the command of the container. Raises Failure for a target that has no valid form."""
    given = [
        f"{PROBE:g}",
        str(options.stay),
        judge.first_body(judge.DISCOVER),
        judge.REVISION,
        judge.first_body(judge.INITIALIZE),
    ]
    for probe in asked:
        given += probes.words(probe)
    return [script.literal(word) for word in ("sh", "-c", script.SCRIPT, "debug", *given)]
