# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_kubernetes/gitops.py
    DOCUMENTATION = r"""
options:
  gitops_ignores:
    description:
      - The fields that a GitOps tool or an operator which manages the server's objects leaves alone, by its
        configuration or because it is suspended; see C(docs/gitops.md).
      - V(route) is the route's weights, V(image) and V(replicas) are those of the pools' workloads, V(autoscaler) is
        the C(minReplicas) of their HorizontalPodAutoscalers.
      - A release is refused when such a tool holds any of them that is not in this list. Helm by itself is no such
        tool, as it writes at its upgrades only.
      - A rollback does not scale the bad pool down while such a tool holds the route and V(route) is not in this list.
    type: list
    elements: str
    choices: [route, image, replicas, autoscaler]
    default: []
"""
