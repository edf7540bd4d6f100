# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change from one contract to another does to clients of the old one.

Inputs are contravariant: what was accepted must still be accepted. Outputs are
covariant: what is answered must be what the old contract promised.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._contract import schema, schema_subtyping
from ansible_collections.mcp.server.plugins.module_utils._contract.escape import LONGEST, printable, value
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import (
    LISTS,
    SCHEMAS,
    Contract,
    annotations_of,
    texts_of,
)
from ansible_collections.mcp.server.plugins.module_utils._contract.schema_subtyping import (
    ABSENT,
    BOTH,
    NARROWER,
    UNDECIDABLE,
    WIDER,
    Finding,
)

BREAKING, RISKY, COMPATIBLE = "breaking", "risky", "compatible"
# The worst first. UNDECIDABLE is the relation's word: a gate treats it as risky.
SEVERITIES = (BREAKING, RISKY, UNDECIDABLE, COMPATIBLE)
IDENTICAL = "identical"

ADDED, REMOVED, CHANGED = schema_subtyping.ADDED, schema_subtyping.REMOVED, schema_subtyping.CHANGED


@dataclass(frozen=True)
class Change:
    """path: the name by which a user accepts it, such as tools/search/inputSchema/properties/limit.
    change: added, removed, now required, no longer required, narrowed, widened or changed. message: for people.
    names: all that accept it, those of what it is in and its own.
    """

    severity: str
    path: str
    change: str
    message: str
    names: tuple[str, ...] = field(default=(), repr=False, compare=False)


def compare(old: Contract, new: Contract) -> list[Change]:
    """All changes between two normalised contracts, the worst first, then by path; one for each path."""
    found = [
        *_protocol_versions(old, new),
        *_session_mode(old, new),
        *_capabilities(old["capabilities"], new["capabilities"], ("capabilities",)),
        *_instructions(old, new),
        *_listed("tools", old, new, _tool),
        *_listed("prompts", old, new, _prompt),
        *_listed("resources", old, new, _resource),
        *_templates(old, new),
    ]
    worst: dict[tuple[str, ...], Change] = {}
    for change in sorted(
        found, key=lambda change: (SEVERITIES.index(change.severity), change.path, change.change, change.message)
    ):
        worst.setdefault(change.names, change)
    return list(worst.values())


def accepted(changes: t.Iterable[Change], names: t.Iterable[str]) -> tuple[list[Change], list[Change]]:
    """(accepted, not accepted). A name accepts the change of that path and all below it: tools/search all of that tool."""
    given = set(names)
    split: tuple[list[Change], list[Change]] = ([], [])
    for change in changes:
        split[given.isdisjoint(change.names)].append(change)
    return split


def verdict(changes: t.Iterable[Change]) -> str:
    """The worst severity, or identical."""
    return min((change.severity for change in changes), key=SEVERITIES.index, default=IDENTICAL)


def _change(severity: str, place: t.Sequence[str], change: str, message: str) -> Change:
    # Whole parts only: the name resources/file:///a does not accept what becomes of resources/file:///a/b.
    parts = [printable(part) for part in place]
    names = tuple("/".join(parts[: length + 1]) for length in range(len(parts)))
    return Change(severity, names[-1], change, message, names)


# The server


def _protocol_versions(old: Contract, new: Contract) -> t.Iterator[Change]:
    ours, theirs = set(old["protocol_versions"]), set(new["protocol_versions"])
    for version in sorted(ours ^ theirs):
        place = ("protocol_versions", version)
        if version in ours:
            yield _change(
                BREAKING,
                place,
                REMOVED,
                f"Protocol version {printable(version)} is no longer accepted: clients that speak no other one fail.",
            )
        else:
            yield _change(COMPATIBLE, place, ADDED, f"Protocol version {printable(version)} is accepted too.")


_SESSIONLESS_TO_STATEFUL = (
    BREAKING,
    "all requests of a client must now reach the same pod, and those that carry no session are refused",
)
_TO_SSE = (BREAKING, "clients that POST to the MCP endpoint get no answer there: HTTP+SSE is another transport")
_FROM_SSE = (BREAKING, "clients that open an HTTP+SSE stream first get none")
_TO_SESSIONLESS = (
    RISKY,
    "requests are answered as before, but what the server asks or tells of itself, and what it keeps between requests, is gone",
)
# That another protocol version is needed is a change of its own.
_SESSIONLESS = (COMPATIBLE, "neither has sessions")
SESSION_MODES: dict[tuple[str, str], tuple[str, str]] = {
    ("modern", "stateless"): _SESSIONLESS,
    ("modern", "stateful"): _SESSIONLESS_TO_STATEFUL,
    ("modern", "sse"): _TO_SSE,
    ("stateless", "modern"): _SESSIONLESS,
    ("stateless", "stateful"): _SESSIONLESS_TO_STATEFUL,
    ("stateless", "sse"): _TO_SSE,
    ("stateful", "modern"): _TO_SESSIONLESS,
    ("stateful", "stateless"): _TO_SESSIONLESS,
    ("stateful", "sse"): _TO_SSE,
    ("sse", "modern"): _FROM_SSE,
    ("sse", "stateless"): _FROM_SSE,
    ("sse", "stateful"): _FROM_SSE,
}


def _session_mode(old: Contract, new: Contract) -> t.Iterator[Change]:
    modes = (old["session_mode"], new["session_mode"])
    if modes[0] != modes[1]:
        severity, why = SESSION_MODES[modes]
        yield _change(
            severity, ("session_mode",), CHANGED, f"The session mode is {modes[1]} and was {modes[0]}: {why}."
        )


def _capabilities(old: dict[str, t.Any], new: dict[str, t.Any], place: tuple[str, ...]) -> t.Iterator[Change]:
    """Only what is there: normalise() left out those that are false."""
    for name in sorted(old.keys() | new.keys()):
        here = (*place, name)
        shown = printable(".".join(here[1:]))
        ours, theirs = old.get(name, ABSENT), new.get(name, ABSENT)
        if ours is ABSENT:
            yield _change(COMPATIBLE, here, ADDED, f"The server has the capability {shown} now.")
        elif theirs is ABSENT:
            severity = RISKY if name == "listChanged" else BREAKING
            what = (
                "clients are no longer told when the list changes"
                if name == "listChanged"
                else "clients that use it fail"
            )
            yield _change(severity, here, REMOVED, f"The server no longer has the capability {shown}: {what}.")
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            yield from _capabilities(ours, theirs, here)
        elif schema.key(ours) != schema.key(theirs):
            yield _change(
                UNDECIDABLE,
                here,
                CHANGED,
                f"The capability {shown} was {value(ours)} and is {value(theirs)}: what that does is not known.",
            )


def _instructions(old: Contract, new: Contract) -> t.Iterator[Change]:
    if old["instructions"] != new["instructions"]:
        yield _change(
            RISKY,
            ("instructions",),
            CHANGED,
            f"The server's instructions to language models changed: {_texts(old['instructions'], new['instructions'])}.",
        )


# Lists

Item: t.TypeAlias = "dict[str, t.Any]"


def _listed(
    listed: str, old: Contract, new: Contract, items: t.Callable[[tuple[str, str], Item, Item], t.Iterator[Change]]
) -> t.Iterator[Change]:
    name, noun = LISTS[listed]
    ours, theirs = ({item[name]: item for item in side[listed]} for side in (old, new))
    for one in sorted(ours.keys() | theirs.keys()):
        place = (listed, one)
        if one not in theirs:
            yield _change(BREAKING, place, REMOVED, f"{_subject(place)} is gone: clients that use it fail.")
        elif one not in ours:
            yield _change(COMPATIBLE, place, ADDED, f"{_subject(place)} is new.")
        elif schema.key(ours[one]) != schema.key(theirs[one]):
            yield from items(place, ours[one], theirs[one])


def _subject(place: tuple[str, ...]) -> str:
    return f"{LISTS[place[0]][1].capitalize()} {printable(place[1])}"


def _tool(place: tuple[str, str], old: Item, new: Item) -> t.Iterator[Change]:
    known = {"name", "title", "description", "annotations", "execution", *SCHEMAS}
    yield from _schema((*place, "inputSchema"), *(side.get("inputSchema", {}) for side in (old, new)))
    ours, theirs = old.get("outputSchema", ABSENT), new.get("outputSchema", ABSENT)
    here = (*place, "outputSchema")
    if ours is ABSENT and theirs is not ABSENT:
        yield _change(COMPATIBLE, here, ADDED, f"{_subject(place)} says what it answers now.")
    elif theirs is ABSENT and ours is not ABSENT:
        yield _change(
            BREAKING,
            here,
            REMOVED,
            f"{_subject(place)} no longer says what it answers: clients that read structured content fail.",
        )
    elif ours is not ABSENT:
        yield from _schema(here, ours, theirs)
    yield from _execution((*place, "execution"), old.get("execution", {}), new.get("execution", {}))
    yield from _annotations((*place, "annotations"), old.get("annotations", {}), new.get("annotations", {}))
    yield from _item_texts(place, old, new)
    yield from _others(place, old, new, known)


# Specification 2025-11-25, server/tools: what a tool without execution.taskSupport is.
_TASK_SUPPORT = "forbidden"


def _execution(place: tuple[str, ...], old: dict[str, t.Any], new: dict[str, t.Any]) -> t.Iterator[Change]:
    ours, theirs = (side.get("taskSupport", _TASK_SUPPORT) for side in (old, new))
    here = (*place, "taskSupport")
    if schema.key(ours) != schema.key(theirs):
        sentence = f"{_subject(place)} had task support {value(ours)} and has {value(theirs)}"
        if theirs == "required":
            yield _change(
                BREAKING, here, schema_subtyping.REQUIRED, f"{sentence}: clients that call it without a task fail."
            )
        elif theirs == "forbidden":
            yield _change(BREAKING, here, REMOVED, f"{sentence}: clients that call it as a task fail.")
        elif theirs == "optional" and ours in ("required", "forbidden"):
            yield _change(
                COMPATIBLE, here, schema_subtyping.NOT_REQUIRED if ours == "required" else ADDED, f"{sentence}."
            )
        else:
            yield _change(UNDECIDABLE, here, CHANGED, f"{sentence}: what that does is not known.")
    yield from _others(place, old, new, {"taskSupport"})


# Specification, schema.ts, ToolAnnotations: (what a tool is without the hint, what it must not become unseen, what that means).
HINTS: dict[str, tuple[bool, bool, str]] = {
    "readOnlyHint": (False, False, "may change things"),
    "destructiveHint": (True, True, "may destroy things"),
    "idempotentHint": (False, False, "may do more when it is called again"),
    "openWorldHint": (True, True, "may reach the world outside"),
}


def _annotations(place: tuple[str, ...], old: dict[str, t.Any], new: dict[str, t.Any]) -> t.Iterator[Change]:
    for hint, (default, worse, means) in HINTS.items():
        ours, theirs = (side.get(hint, default) for side in (old, new))
        # Both speak only about tools that change things.
        if hint in ("destructiveHint", "idempotentHint") and new.get("readOnlyHint") is True:
            continue
        if schema.key(ours) == schema.key(theirs):
            continue
        sentence = f"{_subject(place)} had {hint} {value(ours)} and has {value(theirs)}"
        if isinstance(ours, bool) and theirs is worse:
            yield _change(
                RISKY,
                (*place, hint),
                CHANGED,
                f"{sentence}: it {means}, and clients that asked nobody before may have to.",
            )
        elif isinstance(theirs, bool) and isinstance(ours, bool):
            yield _change(COMPATIBLE, (*place, hint), CHANGED, f"{sentence}.")
        else:
            yield _change(RISKY, (*place, hint), CHANGED, f"{sentence}: one of them is no hint.")
    yield from _others(place, old, new, {*HINTS, "title"}, RISKY)


def _prompt(place: tuple[str, str], old: Item, new: Item) -> t.Iterator[Change]:
    ours, theirs = ({argument["name"]: argument for argument in side.get("arguments", ())} for side in (old, new))
    for name in sorted(ours.keys() | theirs.keys()):
        here = (*place, "arguments", name)
        was, wanted = (side.get(name, {}).get("required", False) for side in (ours, theirs))
        shown = f"the argument {printable(name)}"
        if name not in theirs:
            # The Python SDK refuses arguments that it does not know.
            yield _change(
                BREAKING,
                here,
                REMOVED,
                f"{_subject(place)} no longer takes {shown}: clients that send it may be refused.",
            )
        elif wanted and not was:
            yield _change(
                BREAKING,
                here,
                schema_subtyping.REQUIRED,
                f"{_subject(place)} now requires {shown}: clients that do not send it fail.",
            )
        elif name not in ours:
            yield _change(COMPATIBLE, here, ADDED, f"{_subject(place)} takes {shown} too, if it is sent.")
        else:
            if was and not wanted:
                yield _change(
                    COMPATIBLE, here, schema_subtyping.NOT_REQUIRED, f"{_subject(place)} no longer requires {shown}."
                )
            yield from _others(here, ours[name], theirs[name], {"name", "required", "title", "description"})
    yield from _item_texts(place, old, new, [("arguments", name) for name in ours.keys() ^ theirs.keys()])
    yield from _others(place, old, new, {"name", "title", "description", "arguments"})


def _resource(place: tuple[str, str], old: Item, new: Item) -> t.Iterator[Change]:
    """Resources and resource templates."""
    ours, theirs = (side.get("mimeType", ABSENT) for side in (old, new))
    here = (*place, "mimeType")
    if ours is ABSENT and theirs is not ABSENT:
        yield _change(COMPATIBLE, here, ADDED, f"{_subject(place)} says its type now: {value(theirs)}.")
    elif theirs is ABSENT and ours is not ABSENT:
        yield _change(RISKY, here, REMOVED, f"{_subject(place)} no longer says its type, which was {value(ours)}.")
    elif ours is not ABSENT and ours.lower() != theirs.lower():
        yield _change(
            BREAKING,
            here,
            CHANGED,
            f"{_subject(place)} is {value(theirs)} and was {value(ours)}: clients that read it as that fail.",
        )
    if old.get("name") != new.get("name"):
        yield _change(
            RISKY,
            (*place, "name"),
            CHANGED,
            f"{_subject(place)} has another name: {_texts(old.get('name'), new.get('name'))}.",
        )
    yield from _item_texts(place, old, new)
    yield from _others(
        (*place, "annotations"), old.get("annotations", {}), new.get("annotations", {}), {"title"}, RISKY
    )
    yield from _others(
        place, old, new, {"uri", "uriTemplate", "name", "title", "description", "mimeType", "annotations"}
    )


_EXPRESSION = re.compile(r"\{([+#./;?&=,!@|]?)([^{}]*)\}")


def _form(template: str) -> str:
    """The template without the names of its variables (RFC 6570): the same form makes the same URIs."""

    def nameless(expression: re.Match[str]) -> str:
        operator, variables = expression.groups()
        # These operators write the name into the URI.
        if operator in (";", "?", "&"):
            return expression.group()
        return "{" + operator + ",".join(re.sub(r"^[^:*]*", "", name) for name in variables.split(",")) + "}"

    return _EXPRESSION.sub(nameless, template)


def _templates(old: Contract, new: Contract) -> t.Iterator[Change]:
    """Removed and added ones, too, which may be one that is written otherwise."""
    ours, theirs = ({item["uriTemplate"]: item for item in side["resource_templates"]} for side in (old, new))
    lost, gained = sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys())
    renamed: dict[str, str] = {}
    for template in lost:
        for other in gained:
            if other not in renamed.values() and (_form(template) == _form(other) or _extends(template, other)):
                renamed[template] = other
                break
    kept = {
        **new,
        "resource_templates": [
            item for item in new["resource_templates"] if item["uriTemplate"] not in renamed.values()
        ],
    }
    rest = {
        **old,
        "resource_templates": [item for item in old["resource_templates"] if item["uriTemplate"] not in renamed],
    }
    yield from _listed("resource_templates", rest, kept, _resource)
    for template, other in renamed.items():
        place = ("resource_templates", template)
        if _form(template) == _form(other):
            sentence = f"{_subject(place)} is {printable(other)} now: it makes the same URIs, but clients that fill in a variable by its name fail."
            yield _change(RISKY, place, CHANGED, sentence)
        else:
            yield _change(
                COMPATIBLE,
                place,
                "widened",
                f"{_subject(place)} is {printable(other)} now: it takes more, if it is sent.",
            )
        yield from _resource(place, ours[template], theirs[other])


def _extends(template: str, other: str) -> bool:
    """Whether the other is the template with query variables, all of which may be left out, at its end."""
    return other.startswith(template) and re.fullmatch(r"(\{[?&][^{}]*\})+", other[len(template) :]) is not None


def _texts(old: str | None, new: str | None) -> str:
    """Where two texts part."""
    if not old or not new:
        return f"{value(old or new)} was {'removed' if old else 'added'}"
    start = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, start - 20)
    shown = [("..." if start else "") + text[start:] for text in (old, new)]
    return f"{value(shown[0], LONGEST // 2)} became {value(shown[1], LONGEST // 2)}"


def _item_texts(
    place: tuple[str, str], old: Item, new: Item, passed: t.Iterable[tuple[str, ...]] = ()
) -> t.Iterator[Change]:
    """passed: places where something came or went, which is reported with all that it has."""
    ours, theirs = (
        {below: texts for below, texts in texts_of(side).items() if below[0] not in SCHEMAS} for side in (old, new)
    )
    for below in sorted(ours.keys() | theirs.keys()):
        was, now = ours.get(below, []), theirs.get(below, [])
        if was != now and not any(below[: len(one)] == one for one in passed):
            what = f"the {below[-1]}" + (f" of the argument {printable(below[1])}" if below[0] == "arguments" else "")
            yield _change(
                RISKY,
                (*place, *below),
                CHANGED,
                f"{_subject(place)} has changed {what}: {_texts(' '.join(was), ' '.join(now))}.",
            )


def _others(
    place: tuple[str, ...], old: Item, new: Item, known: t.Collection[str], severity: str = UNDECIDABLE
) -> t.Iterator[Change]:
    """Parts that this collection does not know."""
    for name in sorted((old.keys() | new.keys()) - set(known)):
        ours, theirs = old.get(name, ABSENT), new.get(name, ABSENT)
        if ours is ABSENT or theirs is ABSENT or schema.key(ours) != schema.key(theirs):
            yield _change(
                severity,
                (*place, name),
                CHANGED,
                f"{_subject(place)} has changed {printable(name)}: {_became(ours, theirs)}.",
            )


def _became(old: t.Any, new: t.Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        known = [set(map(schema.key, side)) for side in (old, new)]
        gone = [one for one in old if schema.key(one) not in known[1]]
        came = [one for one in new if schema.key(one) not in known[0]]
        return " and ".join(
            [f"{value(gone)[1:-1]} is gone"] * bool(gone) + [f"{value(came)[1:-1]} is new"] * bool(came)
        )
    shown = [
        "nothing" if side is ABSENT else printable(side) if isinstance(side, str) else value(side, LONGEST // 2)
        for side in (old, new)
    ]
    return f"{shown[0]} became {shown[1]}"


# Schemas


@dataclass(frozen=True)
class _Direction:
    """hurts: the effects that break clients. word: what a field is called."""

    word: str
    hurts: t.Collection[str]
    accepts: str


_DIRECTIONS = {
    "inputSchema": _Direction("input", (NARROWER, BOTH), "accepts"),
    "outputSchema": _Direction("output", (WIDER, BOTH), "may answer"),
}
_AMOUNT = {NARROWER: "less", WIDER: "more", BOTH: "other things"}


def _schema(place: tuple[str, str, str], old: t.Any, new: t.Any) -> t.Iterator[Change]:
    findings = schema_subtyping.differences(old, new)
    for finding in findings:
        direction = _DIRECTIONS[place[2]]
        severity = _severity(direction, finding)
        yield _change(severity, (*place, *finding.path), finding.change, _sentence(place, direction, finding, severity))
    # What came or went is reported with all that it has.
    passed = [finding.path for finding in findings if finding.fresh or finding.change in (ADDED, REMOVED)]
    required = [
        finding.path
        for finding in findings
        if finding.change in (schema_subtyping.REQUIRED, schema_subtyping.NOT_REQUIRED)
    ]
    ours, theirs = (annotations_of(side, schema.ANNOTATIONS) for side in (old, new))
    for below in sorted(ours.keys() | theirs.keys()):
        was, now = ours.get(below, []), theirs.get(below, [])
        # Of a required property nobody uses the default.
        of_required = below[-1] == "default" and below[:-1] in required
        if was != now and not of_required and not any(below[: len(path)] == path for path in passed):
            yield from _annotation(place, below, was, now)


def _severity(direction: _Direction, finding: Finding) -> str:
    is_input = direction.word == "input"
    if finding.change == REMOVED and not is_input:
        return BREAKING
    if finding.effect == UNDECIDABLE:
        return UNDECIDABLE
    if finding.effect in direction.hurts:
        # A client that knows all values of an enum may have an answer for others; one that knows the type has none for another type.
        more = not is_input and finding.path[-1:] == ("enum",) and finding.effect == WIDER and finding.new is not ABSENT
        return RISKY if more else BREAKING
    # Clients believe that what they send has an effect.
    return RISKY if finding.change == REMOVED else COMPATIBLE


def _sentence(place: tuple[str, str, str], direction: _Direction, finding: Finding, severity: str) -> str:
    tool = _subject(place)
    field, keyword = _field(direction.word, finding.path)
    detail = f"{keyword} {_became(finding.old, finding.new)}" if keyword else _became(finding.old, finding.new)
    is_input = direction.word == "input"
    breaks = severity == BREAKING
    if finding.change == schema_subtyping.REQUIRED:
        if is_input:
            return f"{tool} now requires {field}: clients that do not send it fail."
        return f"{tool} now always answers {field}{', which the old contract did not allow: strict clients fail' * breaks}."
    if finding.change == schema_subtyping.NOT_REQUIRED:
        return (
            f"{tool} no longer requires {field}."
            if is_input
            else f"{tool} may leave out {field}: clients that read it fail."
        )
    if finding.change == REMOVED:
        if not is_input:
            return f"{tool} no longer promises {field}: clients that read it fail."
        if breaks:
            return f"{tool} no longer takes {field}: clients that send it fail."
        return f"{tool} no longer knows {field}: what clients send there may have no effect."
    if finding.change == ADDED:
        if severity == UNDECIDABLE:
            return f"{tool} names {field} now: whether it was open before cannot be decided."
        if is_input:
            return f"{tool} takes {field} too, if it is sent{': some that was accepted there no longer is' * breaks}."
        return f"{tool} may answer {field} too{', which the old contract did not allow: strict clients fail' * breaks}."
    if finding.effect == UNDECIDABLE:
        return f"{tool} has changed {field}, {detail}: what that does to clients cannot be decided."
    return f"{tool} {direction.accepts} {_AMOUNT[finding.effect]} for {field}: {detail}."


def _field(word: str, path: tuple[str, ...]) -> tuple[str, str]:
    """(the field as people write it: the input filter.tags[], the keyword at the end of the path)."""
    name, rest = "", list(path)
    while rest:
        part = rest.pop(0)
        if part == "$defs":
            name += ".(recursive)"
        elif part in ("properties", "patternProperties") and rest:
            name += f".{printable(rest.pop(0))}"
        elif part == "prefixItems" and rest:
            name += f"[{rest.pop(0)}]"
        elif part == "items":
            name += "[]"
        elif part == "additionalProperties":
            name += ".*"
        elif part == "propertyNames":
            name += ".(name)"
        else:
            return f"the {word} {name.lstrip('.')}".rstrip(), " ".join(map(printable, [part, *rest]))
    return f"the {word} {name.lstrip('.')}".rstrip(), ""


def _annotation(
    place: tuple[str, str, str], below: tuple[str, ...], was: list[str], now: list[str]
) -> t.Iterator[Change]:
    """was, now: JSON texts of the values that stand there."""
    tool, here = _subject(place), (*place, *below)
    field, keyword = _field(_DIRECTIONS[place[2]].word, below)
    if keyword == schema.HEADER and place[2] == "inputSchema":
        if [name.lower() for name in was] == [name.lower() for name in now]:
            return
        if not now:
            yield _change(COMPATIBLE, here, REMOVED, f"{tool} no longer wants {field} in a header too.")
            return
        sentence = f"{tool} wants {field} in the header Mcp-Param-{printable(str(json.loads(now[0])))} too"
        yield _change(
            BREAKING, here, CHANGED if was else ADDED, f"{sentence}: clients that still have the old list are refused."
        )
        return
    severity = UNDECIDABLE if keyword == schema.HEADER else RISKY
    if keyword in schema.TEXTS:
        texts = (" ".join(str(json.loads(text)) for text in side) for side in (was, now))
        yield _change(severity, here, CHANGED, f"{tool} has changed the {keyword} of {field}: {_texts(*texts)}.")
    else:
        shown = (", ".join(side) or ABSENT for side in (was, now))
        yield _change(severity, here, CHANGED, f"{tool} has changed the {keyword} of {field}: {_became(*shown)}.")
