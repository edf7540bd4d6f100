# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_announce/webhook.py
    DOCUMENTATION = r"""
options:
  webhooks:
    description:
      - Where to. The address of a webhook is a secret, and is shown nowhere; keep it in an environment variable or in a
        file.
      - Certificates are verified, and redirects are not followed.
    type: list
    elements: dict
    default: []
    suboptions:
      url_env:
        description: The name of an environment variable with the URL, where the module runs.
        type: str
      url_file:
        description: A file that holds it, where the module runs.
        type: path
      url:
        description: The URL itself.
        type: str
      token_env:
        description: The name of an environment variable with a bearer token for it, where the module runs, such as
          that of a service account of Grafana.
        type: str
      token_file:
        description: A file that holds the token, where the module runs.
        type: path
      format:
        description: V(slack) for Slack's incoming webhooks, Mattermost and the like; V(grafana) for an annotation, at
          Grafana's C(/api/annotations); V(json) for the C(announcement) of M(mcp.server.mcp_announce) as it is.
        type: str
        choices: [json, slack, grafana]
        default: json
      allow_http:
        description: Whether the URL may be an C(http) URL of another machine, where the network is trusted. Others on
          the way can read it, and post by it.
        type: bool
        default: false
      ca_cert:
        description: Path of the CA certificate for the webhook, instead of those that C(requests) trusts.
        type: path
"""
