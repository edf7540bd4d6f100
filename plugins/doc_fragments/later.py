# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_preflight/options.py, but for what other fragments have
    DOCUMENTATION = r"""
options:
  step_gates:
    description: Changes of the gates that a step is passed by, as C(gates) in M(mcp.server.mcp_watch). With
      O(prometheus), custom queries are tried.
    type: dict
  triggers:
    description: Changes of the triggers that roll back, as in M(mcp.server.mcp_watch). With O(prometheus), custom
      queries are tried.
    type: dict
  guard_image_ref:
    description: The image of a guard (M(mcp.server.mcp_guard)), whose digest its registry is asked for. Without it, it
      is not.
    type: str
  report_dest:
    description: Where the report of the release goes, as C(dest) in M(mcp.server.mcp_report). Nothing is written there.
    type: path
  bypassed:
    description: Ids of checks that are not made, as what they ask may be what hangs. Those that protect the cluster
      (C(api_server), C(namespace), C(overlap), C(gitops), C(version)) are always made.
    type: list
    elements: str
    default: []
  nodes_scale:
    description: Whether the cluster adds nodes where pods do not fit, so that a lack of room refuses no release.
      Karpenter's nodes are recognised by their labels. Where the nodes are of a provider (C(providerID)), a lack of
      room is only warned of, as an autoscaler may add some.
    type: bool
    default: false
  image_check_command:
    description:
      - A command (program and arguments) that is run where the play runs, and accepts or refuses the image, such as one
        that verifies its signature. Only exit code 0 accepts it. The end of its output is shown.
      - E(MCP_IMAGE_REF) is the image by its digest, C(ghcr.io/org/mcp-server@sha256:...), also with O(registry);
        E(MCP_SERVER), E(MCP_NAMESPACE) and E(MCP_VERSION) are given, too.
      - Where the registry is not asked (O(check_registry), or C(registry) is bypassed), the version has to name its
        digest itself. Otherwise the check fails, unless it is bypassed, too.
      - Without it, none is run.
    type: list
    elements: str
    default: []
  image_check_timeout:
    description: Seconds after which O(image_check_command) is ended, and refuses.
    type: float
    default: 60.0
  files:
    description: Further files that are read during the release, where the module runs.
    type: list
    elements: path
    default: []
"""
