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
      - Credentials for O(endpoint.mcp_path). They are sent nowhere else, and shown nowhere.
      - Each is in a file, an environment variable or a Secret. At most one of the three places can be given, and either
        a token or O(auth.username).
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
      username:
        description: A user name for basic authentication.
        type: str
      password_file:
        description: A file with its password, where the module runs. Without a password, an empty one is sent.
        type: path
      password_env:
        description: The name of an environment variable with it, where the module runs.
        type: str
      password_secret:
        description: A Secret in O(namespace) with it. The Role needs C(get) on it.
        type: dict
        suboptions:
          name:
            description: Its name.
            type: str
            required: true
          key:
            description: The key in its data.
            type: str
            default: password
      headers:
        description:
          - Headers of your own, beside a token or without one, by their names. Each says where its value is, by
            C(file), C(env) or C(secret) with C(name) and C(key), as in the examples of M(mcp.server.mcp_health).
          - A dictionary, or one as JSON.
          - Headers that each request has by itself, such as C(Host), C(Content-Length), C(Connection) and
            C(Mcp-Session-Id), cannot be given.
        type: raw
      expect_401:
        description:
          - Send no credentials, and expect that the server refuses with 401 and names the place where a client gets a
            token (RFC 9728).
          - That shows that the server is there and guarded. It does not show that it works.
        type: bool
        default: false
"""
