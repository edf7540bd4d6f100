#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_vault_check
short_description: Check that paths in Vault can be read and have their keys
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Logs in to Vault, reads each path of C(vault.secrets), and tells whether its keys have values. Values are dropped at
    once, and are in no result and no message.
  - Vault is asked by the lookup plugins of the collection C(community.hashi_vault), which is not installed with this
    one. Without it, or without its Python library C(hvac), nothing can be measured, and the module fails with what to
    install.
  - The token of a login is revoked at the end. A token that was given is not.
  - It knows no cluster. All checks are made, also when one fails. All of them together take at most 60 s.
  - It needs the controller's process - a local connection, without C(become) and C(async).
extends_documentation_fragment:
  - mcp.server.attributes
  - mcp.server.attributes.read_only
options:
  vault:
    description: Where Vault is, how to log in, and what has to be there.
    type: dict
    required: true
    suboptions:
      url:
        description: URL of Vault, such as V(https://vault.example.com:8200).
        type: str
        required: true
      auth_method:
        description:
          - How to log in, as in C(community.hashi_vault). Kubernetes' own method is V(jwt) with a O(vault.mount_point).
          - V(token) without O(vault.token_env) and O(vault.token_file) takes what C(community.hashi_vault) finds, the
            E(VAULT_TOKEN) environment variable or C(~/.vault-token).
        type: str
        choices: [token, userpass, ldap, approle, jwt, cert, none]
        default: token
      mount_point:
        description: Where the method of the login is mounted, such as V(kubernetes); default is its name.
        type: str
      username:
        description: For V(userpass) and V(ldap).
        type: str
      role_id:
        description: For V(approle) its role id, for V(jwt) and V(cert) the name of the role.
        type: str
      token_env:
        description: Environment variable with the token.
        type: str
      token_file:
        description: File with the token.
        type: path
      password_env:
        description: Environment variable with the password.
        type: str
      password_file:
        description: File with the password.
        type: path
      secret_id_env:
        description: Environment variable with the secret id of V(approle).
        type: str
      secret_id_file:
        description: File with the secret id of V(approle).
        type: path
      jwt_env:
        description: Environment variable with the JWT.
        type: str
      jwt_file:
        description: File with the JWT, such as the token of a pod's ServiceAccount.
        type: path
      cert_auth_public_key:
        description: File with the certificate for V(cert).
        type: path
      cert_auth_private_key:
        description: File with its private key.
        type: path
      namespace:
        description: Namespace in Vault Enterprise.
        type: str
      ca_cert:
        description: File with the CA certificates that are trusted; default is the system's.
        type: path
      validate_certs:
        description: Whether the certificate is verified.
        type: bool
        default: true
      allow_http:
        description: Whether credentials may be sent by plain HTTP to another machine, where the network is trusted.
        type: bool
        default: false
      timeout:
        description: Seconds that one question may take.
        type: float
        default: 10.0
      secrets:
        description: The paths, at most 100. Only key-value engines can be checked.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: Path of the secret below its mount, without C(data/).
            type: str
            required: true
          mount:
            description: Where the engine is mounted.
            type: str
            default: secret
          kv_version:
            description: Version of the key-value engine. Vault is asked for it by default.
            type: int
            choices: [1, 2]
          keys:
            description: The keys that must have a value.
            type: list
            elements: str
            default: []
          max_age_days:
            description: The days within which the secret must have got a new version. An older one is warned of.
              Version 1 of the engine knows no times.
            type: int
requirements:
  - requests (Python)
  - community.hashi_vault (collection), with hvac (Python)
seealso:
  - module: mcp.server.mcp_preflight
  - module: mcp.server.mcp_secret_scan
"""

EXAMPLES = r"""
- name: Check what the server needs of Vault
  mcp.server.mcp_vault_check:
    vault:
      url: https://vault.example.com:8200
      auth_method: approle
      role_id: mcp-release
      secret_id_env: VAULT_SECRET_ID
      secrets:
        - path: mcp-production/database
          keys: [username, password]
          max_age_days: 90
"""

RETURN = r"""
checks:
  description: A row for Vault and its login, one for each path, and one for each age that is limited.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: What was checked, for programs. V(vault), C(vault:MOUNT/PATH) and C(vault_age:MOUNT/PATH).
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) or V(cannot_measure), when Vault does not answer, is sealed, or
        cannot be asked.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    skipped:
      description: Whether it was not made.
      type: bool
    required:
      description: Whether the play fails by it. Ages are only warned of.
      type: bool
    message:
      description: What was found; of a failure also what to do.
      type: str
    seconds:
      description: How long it took.
      type: float
  sample:
    - id: vault:secret/mcp-production/database
      name: Vault secret/mcp-production/database
      verdict: failed
      ok: false
      skipped: false
      required: true
      message: "Vault vault.example.com:8200: secret/mcp-production/database has no value for password: add it."
      seconds: 0.021
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_vault_check import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
