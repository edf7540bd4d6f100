# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_mcp/auth.py.
    DOCUMENTATION = r"""
options:
  auth:
    description:
      - Credentials for O(endpoint.mcp_path). The token is sent nowhere else, and shown nowhere.
      - At most one of the three places of a token can be given. Without one, none is sent.
    type: dict
    suboptions:
      token_file:
        description: A file with a bearer token, where the module runs.
        type: path
      token_env:
        description: The name of an environment variable with one, where the module runs.
        type: str
      token_secret:
        description: A Secret in O(namespace) with one. The Role needs C(get) on it.
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
      expect_401:
        description:
          - Send no token, and expect that the server refuses with 401 and names the place where a client gets a token
            (RFC 9728).
          - That shows that the server is there and guarded. It does not show that it works.
        type: bool
        default: false
"""
