# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Job C(SERVER-guard), in which a guard runs. Pure: options in, an object out."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server

ID = "mcp.server/guard"
OURS = {"app.kubernetes.io/managed-by": "mcp.server"}
# Of the guard. Its Role is smaller than that of a release (docs/guard.md).
SERVICE_ACCOUNT = "mcp-guard"
CONTAINER = "guard"
KEPT = 600  # seconds for which a Job that has ended is kept, for its log
LONGEST = 24 * 3600  # seconds after which the Job of a release that never ends is stopped

Object = dict[str, t.Any]

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')  # in JSON


def name(server: Server) -> str:
    return f"{server.name}-guard"


def job(server: Server, run: str, image_ref: str, service_account: str, options: dict[str, t.Any]) -> Object:
    """Return the Job of a guard.

    Its id (see identity()) is a hash of the run that starts it, the image, the ServiceAccount and the options.

    options: of mcp_guard, without guard_id.
    """
    made_from = json.dumps([run, image_ref, service_account, options], sort_keys=True)
    identifier = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    # An argument and not a file: everything else in which a Job could find them needs a further permission.
    arguments = json.dumps(
        {
            "state": "running",
            "namespace": server.namespace,
            "server": server.name,
            "options": inert({**options, "guard_id": identifier}),
        },
        sort_keys=True,
    )
    container = {
        "name": CONTAINER,
        "image": image_ref,
        "command": ["ansible", "localhost", "-c", "local", "-m", "mcp.server.mcp_guard", "-a", arguments],
        # Whoever the image runs as, the only place to write to is /tmp.
        "env": [{"name": "HOME", "value": "/tmp"}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "serviceAccountName": service_account,
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name(server), "labels": OURS, "annotations": {ID: identifier}},
        "spec": {
            "backoffLimit": 20,
            "activeDeadlineSeconds": LONGEST,
            "ttlSecondsAfterFinished": KEPT,
            "template": {"metadata": {"labels": OURS}, "spec": pod},
        },
    }


def inert(options: dict[str, t.Any]) -> str:
    """Return JSON in which nothing is a template.

    Ansible's ad-hoc command templates each string in its arguments, and Kubernetes replaces $(NAME) in a command. The
    id of a release is among the options, and whoever may patch the release record chooses it.
    """
    text = json.dumps(options, sort_keys=True)
    return _STRING.sub(lambda found: found[0].replace("{", r"\u007b").replace("$", r"\u0024"), text)


def identity(found: Object) -> str:
    """Return the id of a Job that was read; empty when it has ended and guards nothing."""
    ended = any(
        one.get("type") in ("Complete", "Failed") and one.get("status") == "True"
        for one in items(found, "status", "conditions")
    )
    return "" if ended else mapping(found, "metadata", "annotations").get(ID) or ""


def is_ours(found: Object) -> bool:
    return OURS.items() <= mapping(found, "metadata", "labels").items()
