# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_registry/registry.py.
    DOCUMENTATION = r"""
options:
  check_registry:
    description: Whether the registry is asked for the image. Turn it off where it can't be reached from here.
    type: bool
    default: true
  registry:
    description:
      - URL of the registry that is used in place of the image's own host, such as a mirror. Default is that host by
        HTTPS.
    type: str
  registry_username:
    description: User name for the registry, in place of O(registry_auth).
    type: str
  registry_password:
    description: Password or token of O(registry_username), which it is required with.
    type: str
  registry_auth:
    description:
      - Credentials for the registry - a user name with a password, or a file, variable or Secret with what
        C(docker login) or C(podman login) wrote. They are sent to the host that they belong to, never unencrypted,
        and shown nowhere.
      - Without it, and without O(registry_username), the file that E(REGISTRY_AUTH_FILE) names is read, and then
        C(config.json) in E(DOCKER_CONFIG) or C(~/.docker). A key may be limited to a folder
        (C(ghcr.io/org)). Credential helpers and identity tokens are not supported.
    type: dict
    suboptions:
      username:
        description: The user name, with O(registry_auth.password_env) or O(registry_auth.password_file).
        type: str
      password_env:
        description: The name of an environment variable with the password or token, where the module runs.
        type: str
      password_file:
        description: A file with it, where the module runs.
        type: path
      config_file:
        description: A file such as C(~/.docker/config.json), where the module runs.
        type: path
      config_env:
        description: The name of an environment variable with the text of such a file, where the module runs.
        type: str
      config_secret:
        description: A Secret in the server's namespace, such as one of type C(kubernetes.io/dockerconfigjson). The Role
          needs C(get) on it.
        type: dict
        suboptions:
          name:
            description: Its name.
            type: str
            required: true
          key:
            description: The key in its data.
            type: str
            default: .dockerconfigjson
  registry_ca_cert:
    description: Path of the CA certificate for the registry.
    type: path
  registry_validate_certs:
    description: Whether the registry's certificate is verified.
    type: bool
    default: true
  registry_allow_http:
    description: Whether the password may be sent by plain HTTP to another machine, where the network is trusted.
    type: bool
    default: false
  registry_timeout:
    description: Seconds for each question to the registry, with its redirects, its tokens, and the further attempts
      when it is overloaded.
    type: float
    default: 20.0
"""
