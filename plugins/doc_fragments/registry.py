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
    description: User name for the registry. Without it, it is read anonymously.
    type: str
  registry_password:
    description: Password or token of O(registry_username), which it is required with.
    type: str
  registry_ca_cert:
    description: Path of the CA certificate for the registry.
    type: path
  registry_validate_certs:
    description: Whether the registry's certificate is verified.
    type: bool
    default: true
  registry_timeout:
    description: Seconds for each question to the registry, with its redirects, its tokens, and the further attempts
      when it is overloaded.
    type: float
    default: 20.0
"""
