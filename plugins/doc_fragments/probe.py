# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_mcp/targets.py; mcp.server.cluster, .endpoint and .server belong to it.
    DOCUMENTATION = r"""
options:
  endpoint:
    description:
      - The server's public address, and the paths that it serves.
      - Without O(pod), O(service) and O(pool) this address is probed, and O(endpoint.url) is required.
      - With one of them the pods are probed at the same paths. O(endpoint.pods) says how.
  namespace:
    description: The namespace of the pods. Required with O(pod), O(service), O(pool) and O(auth.token_secret).
    type: str
    required: false
  server:
    description: Name of the MCP server. Required with O(pool).
    type: str
    required: false
  pod:
    description: Ask this pod.
    type: str
  service:
    description: Ask one of the pods that are ready behind this Service.
    type: str
  pool:
    description:
      - Ask every ready pod that the Service of this pool (V(blue) or V(green)) selects, at once.
      - A pool without a ready pod is not healthy.
    type: str
  era:
    description:
      - How to address the server.
      - V(auto) finds out, and asks a modern server too whether it gives sessions to legacy clients.
      - V(modern) (C(server/discover), revision 2026-07-28), V(legacy) (C(initialize), 2024-11-05 to 2025-11-25, over
        Streamable HTTP) and V(sse) (C(initialize) over HTTP+SSE) send nothing of the others. They save a request or
        two.
    type: str
    choices:
      - auto
      - modern
      - legacy
      - sse
    default: auto
  timeout:
    description:
      - Seconds that asking one server may take, at least 1. A quarter of them, at most four, is kept for ending its
        session.
    type: float
    default: 30.0
  step_timeout:
    description: Seconds that each step of it may take.
    type: float
    default: 10.0
"""
