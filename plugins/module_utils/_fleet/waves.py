# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers of a fleet are released together. Pure."""

from __future__ import annotations

import re
import typing as t

DEFAULT = ("1", "10%")  # a canary, then tenths of the fleet
SHOWN = 5  # names in a sentence
SIZE = re.compile(r"(\d{1,5})(%?)")


class Refused(ValueError):
    """The servers cannot be divided as asked, as one sentence."""


def waves(hosts: t.Sequence[str], sizes: t.Sequence[str], labels: t.Mapping[str, str], by: str) -> list[list[str]]:
    """Return the waves, each with at least one host, in the order in which they are released. Raises Refused.

    sizes: numbers of servers, or percents of all, of which the last repeats; or the labels in their order; empty for
    the default. labels: the value of the variable C(by), of those hosts that have it.
    """
    return _by_label(hosts, sizes, labels, by) if labels else _by_size(hosts, [_size(one) for one in sizes or DEFAULT])


def _by_size(hosts: t.Sequence[str], sizes: t.Sequence[tuple[int, bool]]) -> list[list[str]]:
    found, left, wave = [], list(hosts), 0
    while left:
        number, percent = sizes[min(wave, len(sizes) - 1)]
        count = -(-len(hosts) * number // 100) if percent else number
        found.append(left[:count])
        left, wave = left[count:], wave + 1
    return found


def _size(text: str) -> tuple[int, bool]:
    match = SIZE.fullmatch(text.strip())
    number, percent = (int(match[1]), bool(match[2])) if match else (0, False)
    if not number or (percent and number > 100):
        raise Refused(
            f"mcp_waves has {text[:40]!r}: without labels, each wave is a number of servers above 0, such as 1, or a "
            "percentage from 1% to 100%."
        )
    return number, percent


def _by_label(hosts: t.Sequence[str], order: t.Sequence[str], labels: t.Mapping[str, str], by: str) -> list[list[str]]:
    if missing := [host for host in hosts if host not in labels]:
        raise Refused(f"{_names(missing)} of the fleet: no {by}, which divides it into waves. Set it for each server.")
    present = list(dict.fromkeys(labels[host] for host in hosts))
    if not order:
        numbers = all(re.fullmatch(r"\d{1,9}", label) for label in present)
        order = sorted(present, key=int) if numbers else present
    if strange := [host for host in hosts if labels[host] not in order]:
        raise Refused(
            f"{_names(strange)} has the {by} {labels[strange[0]][:40]!r}, which is not in mcp_waves "
            f"({', '.join(one[:40] for one in order[:SHOWN])}): add it there, or leave the server out."
        )
    found = [[host for host in hosts if labels[host] == label] for label in dict.fromkeys(order)]
    return [wave for wave in found if wave]


def _names(hosts: t.Sequence[str]) -> str:
    more = len(hosts) - SHOWN
    return ", ".join(hosts[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def lines(found: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Return the plan for people."""
    return [
        f"wave {number} of {len(found)}, {len(wave)} server{'s' if len(wave) > 1 else ''}: {_names(wave)}"
        for number, wave in enumerate(found, 1)
    ]
