# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_gates/options.py
    DOCUMENTATION = r"""
options:
  prometheus:
    description:
      - The Prometheus, or a server with the same HTTP API, that has the server's metrics.
      - It is queried for raw samples, once for each source; C(docs/gates.md) in the collection explains how they are
        evaluated.
    type: dict
    suboptions:
      url:
        description: Its address, with the path before C(/api/v1) if there is one.
        type: str
        required: true
      source:
        description:
          - Where the metrics come from. A measure is taken from the first of them that has it.
          - V(app) is the example server's own metrics, V(envoy) Envoy's of each cluster as Contour names them, V(istio)
            Istio's, V(otel) OpenTelemetry's conventions for MCP and HTTP servers, V(ingress_nginx) the ingress-nginx
            controller's, V(kubelet) the memory of the pods.
        type: list
        elements: str
        choices: [app, envoy, istio, otel, ingress_nginx, kubelet]
        default: [app, kubelet]
      labels:
        description: "Labels that are called otherwise there, such as V({pod: kubernetes_pod_name, code: status})."
        type: dict
        default: {}
      replica_labels:
        description:
          - Labels that only say who scraped a sample, so that series that differ in nothing else count once.
          - V(job), V(instance) (of a pod), V(endpoint), V(service), V(container), V(prometheus), V(monitor) and all
            labels with V(replica) in their name are known.
        type: list
        elements: str
        default: []
      ca_cert:
        description: Path of the CA certificate for it, instead of those that the system trusts.
        type: path
      validate_certs:
        description: Whether its certificate is verified.
        type: bool
        default: true
      allow_http:
        description: Whether credentials may be sent to an C(http) URL of another machine, where the network is trusted.
        type: bool
        default: false
      token_file:
        description: A file with a bearer token, where the module runs.
        type: path
      token_env:
        description: The name of an environment variable with one, where the module runs.
        type: str
      token_secret:
        description: A Secret in the server's namespace with one. The Role needs C(get) on it.
        type: dict
        suboptions:
          name:
            description: Its name.
            type: str
            required: true
          key:
            description: The key in its data.
            type: str
            default: token
      username:
        description: User for basic authentication.
        type: str
      password:
        description: Its password. Also E(MCP_PROMETHEUS_PASSWORD).
        type: str
      headers:
        description:
          - "Headers of each request, such as V({X-Scope-OrgID: team-a}), which names the tenant for Mimir, Cortex and
            Thanos. Their values are not shown in messages."
        type: dict
        default: {}
      headers_env:
        description:
          - "Headers whose values are secrets, such as V({X-API-Key: METRICS_KEY}), by the names of environment
            variables where the module runs."
        type: dict
        default: {}
      timeout:
        description: Seconds that one request to it may take, such as V(2.5).
        type: float
        default: 5.0
requirements:
  - requests (Python)
"""
