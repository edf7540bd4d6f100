# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Challenges of the header WWW-Authenticate (RFC 9110, 11.6.1). Pure."""

from __future__ import annotations

import re
import typing as t

# What stands between two commas that are not quoted
_ITEM = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
_PARAMETER = re.compile(r'(?:(?P<scheme>[^\s="]+)\s+)?(?P<name>[^\s="]+)\s*=\s*(?P<value>"(?:\\.|[^"\\])*"|[^\s"=]+)')
_SCHEME = re.compile(r"(?P<scheme>[^\s=\"]+)(?:\s+\S+)?")


class Challenge(t.NamedTuple):
    """A way to authenticate."""

    scheme: str  # in lower case
    parameters: dict[str, str]  # names in lower case


def parse(header: str) -> list[Challenge]:
    """Return the challenges of a header, or of several that were joined by commas. What is malformed is left out."""
    found: list[Challenge] = []
    for item in _ITEM.findall(header):
        parameter, scheme = _PARAMETER.fullmatch(item.strip()), _SCHEME.fullmatch(item.strip())
        if parameter is None and scheme is None:
            continue
        name = parameter["scheme"] if parameter else scheme["scheme"] if scheme else ""
        if name:
            found.append(Challenge(name.lower(), {}))
        if parameter and found:
            value = parameter["value"]
            if value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            found[-1].parameters.setdefault(parameter["name"].lower(), value)
    return found
