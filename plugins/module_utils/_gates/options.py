# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options for Prometheus and gates, and the gates that they give."""

from __future__ import annotations

import string
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import ABOVE, BELOW, FAIL, INCONCLUSIVE, PASS, Gate
from ansible_collections.mcp.server.plugins.module_utils._gates.packs import PACKS
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SOURCES = tuple(PACKS)

# Documented in doc_fragments/prometheus.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "url": {"type": "str", "required": True},
        "source": {"type": "list", "elements": "str", "choices": list(SOURCES), "default": ["app", "kubelet"]},
        "labels": {"type": "dict", "default": {}},
        "ca_cert": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "allow_http": credentials.ALLOW_HTTP,
        **credentials.places("token", "token"),
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["MCP_PROMETHEUS_PASSWORD"])},
        "replica_labels": {"type": "list", "elements": "str", "default": []},
        "headers": {"type": "dict", "default": {}},
        "headers_env": {"type": "dict", "default": {}},
        "timeout": {"type": "float", "default": 5.0},
    },
    "mutually_exclusive": [("token_file", "token_env", "token_secret", "username")],
}

_POLICY = {"type": "str", "choices": [INCONCLUSIVE, PASS, FAIL]}
GATE: dict[str, t.Any] = {
    "enabled": {"type": "bool", "default": True},
    "limit": {"type": "float"},
    "window": {"type": "float"},
    "clear": {"type": "float"},
    "floor": {"type": "float"},
    "min_requests": {"type": "int"},
    "no_data": _POLICY,
    "cannot_measure": _POLICY,
    "query": {"type": "str"},
    "direction": {"type": "str", "choices": [ABOVE, BELOW]},
    "unit": {"type": "str"},
}
# The fields of Gate that an option sets, by the names of the options
_FIELDS = {name: name for name in GATE if name not in ("enabled", "floor")} | {"floor": "min_rise_seconds"}


def gates(defaults: t.Iterable[Gate], changes: dict[str, t.Any] | None, option: str) -> list[Gate]:
    """Return the default gates with the user's changes and additions. Raise Failure.

    changes: by gate; of two gates with the same name both are changed. option: the option's name, for messages.
    """
    found = list(defaults)
    known = list(dict.fromkeys(gate.name for gate in found))
    for name, change in (changes or {}).items():
        if not isinstance(change, dict):
            raise Failure(
                f"{option}.{name} is {change!r}: it must be a dictionary, such as {{limit: 2}} or {{enabled: false}}."
            )
        validation = ArgumentSpecValidator(GATE).validate(change)
        if validation.error_messages:
            raise Failure(f"{option}.{name}: {'; '.join(validation.error_messages)}.")
        given = {key: value for key, value in validation.validated_parameters.items() if value is not None}
        if not given.pop("enabled"):
            found = [gate for gate in found if gate.name != name]
            continue
        if name not in known:
            if not {"query", "limit"} <= given.keys():
                raise Failure(
                    f"{option}.{name} is none of {', '.join(known)}: a gate of your own needs query and limit."
                )
            found.append(Gate(name, "", given["limit"], unit=""))
        fields = {_FIELDS[key]: value for key, value in given.items()}
        found = [_valid(replace(gate, **fields), option) if gate.name == name else gate for gate in found]
    return found


def _valid(gate: Gate, option: str) -> Gate:
    """Return the gate. Raise Failure if its values contradict each other."""
    where = f"{option}.{gate.name}"
    if gate.window is not None and gate.window <= 0:
        raise Failure(f"{where}.window is {gate.window:g}: it must be more than 0 seconds.")
    if gate.clear is not None and (gate.clear < gate.limit if gate.direction == BELOW else gate.clear > gate.limit):
        raise Failure(f"{where}.clear is {gate.clear:g}: it must not be on the bad side of the limit, {gate.limit:g}.")
    if gate.clear is not None and gate.quantile is not None:
        raise Failure(
            f"{where}.clear can't be set: a quantile is judged by the number of requests slower than the limit."
        )
    if gate.min_requests < 0:
        raise Failure(f"{where}.min_requests is {gate.min_requests}: it must be 0 or more.")
    return gate


def custom_query(gate: Gate, names: t.Mapping[str, str]) -> str:
    """Return the gate's PromQL with the pool's names in place of $namespace, $pods and the like."""
    return string.Template(gate.query).safe_substitute(names)
