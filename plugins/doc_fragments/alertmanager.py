# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION in module_utils/_alertmanager.py
    DOCUMENTATION = r"""
options:
  alertmanager:
    description: The Alertmanager; its API v2 is used, of 0.22 or newer.
    type: dict
    suboptions:
      url:
        description: Its URL, with the path before C(/api) when there is one.
        type: str
        required: true
      ca_cert:
        description: Path of the CA certificate for it, instead of those that C(requests) trusts.
        type: path
      allow_http:
        description: Whether a token may be sent to an C(http) URL of another machine, where the network is trusted.
        type: bool
        default: false
      token_file:
        description: A file with a bearer token for it, where the module runs.
        type: path
      token_env:
        description: The name of an environment variable with one, where the module runs.
        type: str
"""
