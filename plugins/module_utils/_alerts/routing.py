# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where Alertmanager would send an alert, by its configuration. Pure.

Its API has no question for that, and what is sent by mistake wakes somebody. What cannot be understood for certain
raises Failure: then nothing is sent.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Labels = t.Mapping[str, str]

# What Alertmanager takes where its configuration says nothing.
GROUP_WAIT, GROUP_INTERVAL = 30.0, 300.0
ALL_LABELS = "..."  # as group_by
MAX_DEPTH = 50  # of routes in routes

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(rf"\s*(?P<name>{_NAME}|{_QUOTED})\s*(?P<op>=~|!=|!~|=)\s*(?P<value>{_QUOTED}|[^\s\",{{}}]*)\s*")
# Expressions that mean something else to Alertmanager, which is written in Go: classes such as [[:alpha:]], operators
# of sets that are reserved here, and {,5}.
_OTHER_IN_GO = re.compile(r"\[:|\[\[|\[[^\]]*(?:--|&&|~~|\|\|)|\{,")
# What the two ways of Alertmanager to read a matcher make of this differs.
_ESCAPED = re.compile(r'\\[n"\\]')
_DURATION = re.compile(r"(?P<number>\d+)(?P<unit>ms|s|m|h|d|w|y)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n"}


class Matcher(t.NamedTuple):
    """A condition on one label. operator: as Alertmanager writes it. A label that is missing is an empty text."""

    name: str
    operator: str
    value: str

    def matches(self, labels: Labels) -> bool:
        """Return whether it holds. Raises Failure for an expression that is unknown here."""
        text = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (text == self.value) == (self.operator == "=")
        try:
            if _OTHER_IN_GO.search(self.value):
                raise ValueError(self.value)
            found = re.fullmatch(f"(?:{self.value})", text, re.ASCII) is not None
        except (ValueError, re.error, RecursionError):
            raise Failure(
                f"the expression {printable(self.value, 80)!r} of label {self.name} is unknown here"
            ) from None
        return found == (self.operator == "=~")


class Reached(t.NamedTuple):
    """A route that an alert comes to, and its times in seconds. muted_by: the names of its time intervals."""

    receiver: str
    group_by: tuple[str, ...]
    group_wait: float
    group_interval: float
    muted_by: tuple[str, ...]

    def is_alone(self, labels: t.Collection[str]) -> bool:
        """Return whether an alert with values of its own for these labels is in a group of its own."""
        return ALL_LABELS in self.group_by or any(name in self.group_by for name in labels)


def reached(config: t.Any, labels: Labels) -> list[Reached]:
    """Return the routes that an alert comes to, in their order. Raises Failure, a clause, when that is not certain.

    config: the document of Alertmanager's configuration.
    """
    root = mapping(config, "route")
    if not root.get("receiver"):
        raise Failure("it has no route with a receiver")
    start = Reached("", (), GROUP_WAIT, GROUP_INTERVAL, ())
    return _reached(root, labels, start, 0)


def _reached(route: Object, labels: Labels, parent: Reached, depth: int) -> list[Reached]:
    if depth > MAX_DEPTH:
        raise Failure(f"its routes are nested more than {MAX_DEPTH} times")
    here = _inherited(route, parent)
    if not _all_match(matchers_of(route), labels):
        return []
    found: list[Reached] = []
    for inner in items(route, "routes"):
        inside = _reached(inner, labels, here, depth + 1)
        found += inside
        if inside and inner.get("continue") is not True:
            break
    return found or [here]


def _all_match(matchers: t.Sequence[Matcher], labels: Labels) -> bool:
    """Return whether all hold. Each is looked at, as one that is unknown here must not be passed over."""
    found = [one.matches(labels) for one in matchers]
    return all(found)


def _inherited(route: Object, parent: Reached) -> Reached:
    names = [*(route.get("mute_time_intervals") or []), *(route.get("active_time_intervals") or [])]
    group_by = route.get("group_by")
    return Reached(
        str(route.get("receiver") or parent.receiver),
        tuple(str(one) for one in group_by) if isinstance(group_by, list) else parent.group_by,
        duration(route["group_wait"]) if route.get("group_wait") is not None else parent.group_wait,
        duration(route["group_interval"]) if route.get("group_interval") is not None else parent.group_interval,
        tuple(str(one) for one in names),
    )


def matchers_of(route: Object, prefix: str = "") -> list[Matcher]:
    """Return the conditions of a route, or of a side (prefix) of an inhibition. Raises Failure."""
    found = []
    for key, operator in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
        for name, value in mapping(route, key).items():
            if not isinstance(value, str):
                raise Failure(f"the value of label {printable(str(name), 80)} in a route is no text")
            found.append(Matcher(str(name), operator, value))
    for text in _listed(route.get(f"{prefix}matchers")):
        found += parsed(text)
    return found


def _listed(value: t.Any) -> list[str]:
    given = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in given):
        raise Failure("a matcher of its is no text")
    return given


def parsed(text: str) -> list[Matcher]:
    """Return the matchers in a text, such as C({a="b",c=~"d|e"}). Raises Failure for any other text."""
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1]
    found = []
    while rest.strip():
        match = _MATCHER.match(rest)
        end = match.end() if match else 0
        if match is None or (end < len(rest) and rest[end] != ","):
            raise Failure(f"the matcher {printable(text, 80)!r} cannot be read")
        found.append(Matcher(_unquoted(match["name"]), match["op"], _unquoted(match["value"])))
        rest = rest[end + 1 :]
    return found


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        if _ESCAPED.search(text):
            raise Failure(f"the text {printable(text, 80)} has an escape and is not quoted")
        return text

    def one(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            raise Failure(f"the text {printable(text, 80)} has an escape that is unknown here")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", one, text[1:-1], flags=re.DOTALL)


def duration(value: t.Any) -> float:
    """Return the seconds of a duration such as C(1m30s). Raises Failure."""
    text = str(value).strip()
    if text == "0":
        return 0.0
    parts = list(_DURATION.finditer(text))
    if not parts or "".join(one[0] for one in parts) != text:
        raise Failure(f"{printable(text, 40)!r} is no duration")
    return sum(int(one["number"]) * _UNITS[one["unit"]] for one in parts)


def integrations(config: t.Any, receiver: str) -> list[str] | None:
    """Return the kinds by which a receiver notifies, such as webhook, sorted; None when there is no such receiver."""
    for one in items(config, "receivers"):
        if one.get("name") == receiver:
            return sorted(key.removesuffix("_configs") for key in one if key.endswith("_configs") and one[key])
    return None


def inhibits(config: t.Any, labels: Labels) -> bool:
    """Return whether such an alert may keep others from being sent. Raises Failure."""
    return any(_all_match(matchers_of(rule, "source_"), labels) for rule in items(config, "inhibit_rules"))
