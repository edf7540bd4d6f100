# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep removed probes that may hold a secret in a Secret: anybody who may read the workload sees its annotations.

These are probes with headers, or with a command, and those in which redact() finds something. The Secret is
SERVER-break-glass; its keys are POOL.CONTAINER.PROBE, each a probe as JSON.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._server import Server

NAME = re.compile(r"/spec/template/spec/containers/\[([^/\]]+)\]/([a-z]+Probe)")
NOTED = {"kept": "Secret"}  # what a note has in place of such a probe

Probe = dict[str, t.Any]


def secret_name(server: Server) -> str:
    return f"{server.name}-break-glass"


def key_of(pool: str, name: str) -> str:
    """Return the Secret's key for a probe, by the field's name; empty for another field. Pure."""
    found = NAME.fullmatch(name)
    return f"{pool}.{found[1]}.{found[2]}" if found else ""


def may_hold_secrets(probe: t.Any) -> bool:
    """Return whether the probe must not stand in an annotation. Pure."""
    text = json.dumps(probe)
    return bool(header_values(probe) or mapping(probe, "exec") or redact(text) != text)


def header_values(probe: t.Any) -> list[str]:
    """Return the values of a probe's headers. Pure."""
    return [str(one.get("value") or "") for one in items(probe, "httpGet", "httpHeaders")]


def keep(cluster: Api, server: Server, probes: t.Mapping[str, Probe], *, dry_run: bool) -> None:
    """Write the probes, by the Secret's keys. Raises Failure."""
    name = secret_name(server)
    data = {key: base64.b64encode(json.dumps(one).encode()).decode() for key, one in probes.items()}

    def attempt() -> None:
        try:
            cluster.patch(paths.secrets(server.namespace, name), {"data": data}, dry_run=dry_run)
        except NotFound:
            metadata = {"name": name, "namespace": server.namespace}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}
            cluster.create(paths.secrets(server.namespace), body, **({"dryRun": "All"} if dry_run else {}))

    on_conflict(attempt, cluster.patience)


def kept(cluster: Api, server: Server) -> dict[str, Probe]:
    """Return the probes by the Secret's keys; none without the Secret. Raises Failure."""
    try:
        data = mapping(cluster.get(paths.secrets(server.namespace, secret_name(server))), "data")
    except NotFound:
        return {}
    found = {}
    for key, one in data.items():
        try:
            probe = json.loads(base64.b64decode(one))
        except (TypeError, ValueError, RecursionError):
            continue
        if isinstance(probe, dict):
            found[key] = probe
    return found


def forget(cluster: Api, server: Server, keys: t.Collection[str], *, dry_run: bool) -> None:
    """Remove these keys. The Secret stays. Raises Failure."""
    path = paths.secrets(server.namespace, secret_name(server))
    cluster.patch(path, {"data": dict.fromkeys(keys)}, dry_run=dry_run)
