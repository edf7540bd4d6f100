# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which API server, and as whom. Apart from the connection, whose library takes 0.2 s to import."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback


def _option(env: str, type: str = "str", **more: t.Any) -> dict[str, t.Any]:
    return {"type": type, "fallback": (env_fallback, [env]), **more}


# The names and K8S_AUTH_* variables of kubernetes.core and of AWX's credential type.
OPTIONS: dict[str, t.Any] = {
    "kubeconfig": _option("K8S_AUTH_KUBECONFIG", "path"),
    "context": _option("K8S_AUTH_CONTEXT"),
    "host": _option("K8S_AUTH_HOST"),
    "api_key": _option("K8S_AUTH_API_KEY", no_log=True),
    "username": _option("K8S_AUTH_USERNAME"),
    "password": _option("K8S_AUTH_PASSWORD", no_log=True),
    "validate_certs": _option("K8S_AUTH_VERIFY_SSL", "bool", aliases=["verify_ssl"]),
    "ca_cert": _option("K8S_AUTH_SSL_CA_CERT", "path", aliases=["ssl_ca_cert"]),
    "client_cert": _option("K8S_AUTH_CERT_FILE", "path", aliases=["cert_file"]),
    "client_key": _option("K8S_AUTH_KEY_FILE", "path", aliases=["key_file"], no_log=False),
    "proxy": _option("K8S_AUTH_PROXY"),
    "api_timeout": {"type": "float", "default": 10.0},
    "api_patience": {"type": "float", "default": 0.0},
}
