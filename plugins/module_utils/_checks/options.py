# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option C(checks). Not in run.py: the emergency path reads specs, and must not wait for imports."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._server import POOLS

# Each has a file that runs it (run.py), and its validation in validation.py.
KINDS = ("mcp", "http", "pod", "command")

# Values of headers and environment may be secrets, or words such as 1, blue and https. no_log would hide these words in
# the whole result of the release, in weights and pools too. So the messages of checks hide them (_text.hide).
# Documented in doc_fragments/checks.py
CHECKS: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 30.0},
        "mcp": {
            "type": "dict",
            "options": {
                "tool": {"type": "str", "required": True},
                "arguments": {"type": "dict", "default": {}},
                "expect": {"type": "str"},
            },
        },
        "http": {
            "type": "dict",
            "options": {
                "url": {"type": "str", "required": True},
                "method": {
                    "type": "str",
                    "default": "GET",
                    "choices": ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
                },
                "headers": {"type": "dict", "default": {}, "no_log": False},
                "body": {"type": "str"},
                "status": {"type": "list", "elements": "int", "default": [200]},
                "expect": {"type": "str"},
                "ca_cert": {"type": "path"},
                "validate_certs": {"type": "bool", "default": True},
            },
        },
        "pod": {
            "type": "dict",
            "options": {
                "pool": {"type": "str", "choices": list(POOLS)},
                "container": {"type": "str"},
                "command": {"type": "list", "elements": "str", "required": True},
                "expect": {"type": "str"},
            },
        },
        "command": {
            "type": "dict",
            "options": {
                "argv": {"type": "list", "elements": "str", "required": True},
                "environment": {"type": "dict", "default": {}, "no_log": False},
            },
        },
    },
    "required_one_of": [KINDS],
    "mutually_exclusive": [KINDS],
}


def kind(check: dict[str, t.Any]) -> str:
    """Return the kind of a check: mcp, http, pod or command."""
    return next(name for name in KINDS if check.get(name) is not None)
