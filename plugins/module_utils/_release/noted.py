# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When something was done last with a server: notes in annotations of its release record's ConfigMap."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._release.record import name_of_map
from ansible_collections.mcp.server.plugins.module_utils._server import Server


def read(cluster: Api, server: Server, annotation: str) -> t.Any:
    """Return the text of a note; None when there is none. Raises Failure."""
    try:
        found = cluster.get(paths.config_maps(server.namespace, name_of_map(server)))
    except NotFound:
        return None
    return mapping(found, "metadata", "annotations").get(annotation)


def parse(text: t.Any) -> Object:
    """Return the document of a note; empty for anything else, as anybody may have edited it. Pure."""
    try:
        return mapping(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return {}


def write(cluster: Api, server: Server, annotation: str, document: Object) -> None:
    """Note this, in place of what was noted before. Raises Failure."""
    name = name_of_map(server)
    metadata = {"annotations": {annotation: json.dumps(document, sort_keys=True)}}
    try:
        cluster.patch(paths.config_maps(server.namespace, name), {"metadata": metadata}, "merge")
    except NotFound:  # nothing was released yet
        cluster.create(paths.config_maps(server.namespace), {"metadata": {"name": name, **metadata}})
