# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options for the API server and the user, and the environment variables that complete them."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

OPTIONS: dict[str, t.Any] = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "proxy": {"type": "str"},
    "api_timeout": {"type": "float", "default": 10.0},
    "api_retry_timeout": {"type": "float", "default": 0.0},
}

# The variables of kubernetes.core and of AWX's credential type. ansible-core's fallbacks would hide where a value is
# from.
ENVIRONMENT = {
    "kubeconfig": "K8S_AUTH_KUBECONFIG",
    "context": "K8S_AUTH_CONTEXT",
    "host": "K8S_AUTH_HOST",
    "api_key": "K8S_AUTH_API_KEY",
    "username": "K8S_AUTH_USERNAME",
    "password": "K8S_AUTH_PASSWORD",
    "validate_certs": "K8S_AUTH_VERIFY_SSL",
    "ca_cert": "K8S_AUTH_SSL_CA_CERT",
    "client_cert": "K8S_AUTH_CERT_FILE",
    "client_key": "K8S_AUTH_KEY_FILE",
    "proxy": "K8S_AUTH_PROXY",
}
PLACES = ("kubeconfig", "context", "host")
IDENTITIES = ("api_key", "username", "password", "client_cert", "client_key")


class Chosen(t.NamedTuple):
    """The outcome of options and environment."""

    # By option of ENVIRONMENT; None when it is not set.
    values: dict[str, t.Any]
    # Where a value is from, for people, by option.
    named_by: dict[str, str]
    # Environment variables that do not count.
    ignored: tuple[str, ...]


def choose(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> Chosen:
    """Combine options and environment. Raises Failure.

    When a task names its cluster (kubeconfig, context or host), the environment changes neither the cluster nor the
    user: no K8S_AUTH_* counts, except for the file in which a context is looked up. Credentials belong together: a task
    that has one takes no other from the environment.
    """
    values = {name: params.get(name) if params.get(name) not in ("", None) else None for name in ENVIRONMENT}
    given = [name for name, value in values.items() if value is not None]
    named_by, ignored = dict.fromkeys(given, ""), []
    named, identified = any(name in given for name in PLACES), any(name in given for name in IDENTITIES)
    for name, variable in ENVIRONMENT.items():
        value = environment.get(variable)
        if not value or name in given:
            continue
        which_file = name == "kubeconfig" and "host" not in given
        if (named and not which_file) or (identified and name in IDENTITIES):
            ignored.append(variable)
            continue
        is_path = OPTIONS[name]["type"] == "path"
        values[name], named_by[name] = os.path.expanduser(os.path.expandvars(value)) if is_path else value, variable
    if isinstance(values["validate_certs"], str):
        try:
            values["validate_certs"] = boolean(values["validate_certs"])
        except TypeError:
            raise Failure("K8S_AUTH_VERIFY_SSL is neither true nor false.") from None
    return Chosen(values, {name: by or f"option {name}" for name, by in named_by.items()}, tuple(ignored))
