# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_mcp/endpoint.py
    DOCUMENTATION = r"""
options:
  endpoint:
    description: The server's public address, and the paths that it serves.
    type: dict
    suboptions:
      url:
        description: Scheme, host and port, without a path.
        type: str
      host:
        description: The C(Host) header and the TLS server name, when they are not those of O(endpoint.url).
        type: str
      ca_cert:
        description: Path of the CA certificate for the server, instead of those that the system trusts.
        type: path
      client_cert:
        description:
          - Path of a certificate to show to the server (PEM, with its chain; the key may be in the same file).
          - Pods that speak TLS get it, too.
        type: path
      client_key:
        description: Path of the key of O(endpoint.client_cert) (PEM, not encrypted).
        type: path
      validate_certs:
        description: Whether the server's certificate is verified.
        type: bool
        default: true
      allow_http:
        description: Whether credentials may be sent to an C(http) URL of another machine, where the network is trusted.
        type: bool
        default: false
      mcp_path:
        description: Path of the MCP endpoint. Redirects are not followed, so the trailing slash counts.
        type: str
        default: /mcp
      pods:
        description: How single pods are asked, which are reached through the Kubernetes API (a port-forward).
        type: dict
        suboptions:
          host:
            description:
              - The C(Host) header for pods. It is never replaced by another.
              - Without it, pods get the public one, that of O(endpoint.host) or O(endpoint.url), and where they refuse
                it C(localhost) and C(127.0.0.1). What a pod accepts is remembered for all pods of its pool.
            type: str
          scheme:
            description: What the pods' port speaks.
            type: str
            choices:
              - http
              - https
            default: http
          server_name:
            description:
              - The name in the pods' certificate, with O(endpoint.pods.scheme=https).
              - The default is the public name.
            type: str
          ca_cert:
            description: Path of the CA certificate for the pods. The default is O(endpoint.ca_cert).
            type: path
          validate_certs:
            description: Whether the pods' certificate is verified, whatever O(endpoint.validate_certs) is.
            type: bool
            default: true
"""
