# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_cluster/server.py
    DOCUMENTATION = r"""
options:
  namespace:
    description: Namespace of the server.
    type: str
    required: true
  server:
    description: Name of the MCP server; its objects and the C(app) label of its pods are named after it.
    type: str
    required: true
  pool_name_format:
    description: Name of the Deployment and of the Service of each pool.
    type: str
    default: "{server}-{pool}"
  route:
    description: Name of the object that leads to both pools, by its O(route_kind); default is O(server).
    type: str
  route_kind:
    description:
      - What kind of object O(route) is. C(docs/routes.md) in the collection tells what each needs, and which are proven on a data plane.
      - V(httproute) is the Gateway API's HTTPRoute (C(gateway.networking.k8s.io/v1)).
    type: str
    choices: [httproute]
    default: httproute
  container:
    description: Name of the container in the pods that is the MCP server; default is O(server).
    type: str
"""
