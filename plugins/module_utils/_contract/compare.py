# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge how a change from one contract to another affects clients of the old one.

Inputs are contravariant: what was accepted must still be accepted. Outputs are covariant: what is returned must be what
the old contract promised.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._contract import schema, schema_subtyping
from ansible_collections.mcp.server.plugins.module_utils._contract.escape import MAX_EXCERPT, escaped_name, json_excerpt
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import (
    LISTS,
    SCHEMAS,
    Contract,
    annotations_of,
    places_of,
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
# The worst first. fail_on treats UNDECIDABLE as risky.
SEVERITIES = (BREAKING, RISKY, UNDECIDABLE, COMPATIBLE)
IDENTICAL = "identical"

ADDED, REMOVED, CHANGED = schema_subtyping.ADDED, schema_subtyping.REMOVED, schema_subtyping.CHANGED


@dataclass(frozen=True)
class Change:
    """One change of a contract."""

    severity: str  # one of SEVERITIES
    path: str  # by which a user accepts it, such as tools/search/inputSchema/properties/limit
    change: str  # added, removed, now required, no longer required, narrowed, widened or changed
    message: str  # a sentence for people
    # Every path that accepts it: its own, and those of all that contains it.
    names: tuple[str, ...] = field(default=(), repr=False, compare=False)


# normalise() removed it.
EMPTY: dict[str, t.Any] = {"experimental": {}}


def compare(old: Contract, new: Contract) -> list[Change]:
    """Return the changes between two normalised contracts, one for each path, sorted by severity and path."""
    found = [
        *_protocol_versions(old, new),
        *_session_mode(old, new),
        *_capabilities(EMPTY | old["capabilities"], EMPTY | new["capabilities"], ("capabilities",), _unused(old)),
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
    """Split the changes into accepted and not accepted ones. A name accepts its path and all below it."""
    given = set(names)
    split: tuple[list[Change], list[Change]] = ([], [])
    for change in changes:
        split[given.isdisjoint(change.names)].append(change)
    return split


def verdict(changes: t.Iterable[Change]) -> str:
    """Return the worst severity, or identical."""
    return min((change.severity for change in changes), key=SEVERITIES.index, default=IDENTICAL)


def _change(severity: str, place: t.Sequence[str], change: str, message: str) -> Change:
    # Whole parts only: the name resources/file:///a does not accept a change of resources/file:///a/b.
    parts = [escaped_name(part) for part in place]
    names = tuple("/".join(parts[: length + 1]) for length in range(len(parts)))
    return Change(severity, names[-1], change, message, names)


# The server


def _protocol_versions(old: Contract, new: Contract) -> t.Iterator[Change]:
    before, after = set(old["protocol_versions"]), set(new["protocol_versions"])
    for version in sorted(before ^ after):
        place = ("protocol_versions", version)
        if version in before:
            yield _change(
                BREAKING,
                place,
                REMOVED,
                f"Protocol version {escaped_name(version)} is no longer accepted: "
                "clients that speak no other one fail.",
            )
        else:
            yield _change(COMPATIBLE, place, ADDED, f"Protocol version {escaped_name(version)} is now accepted.")


_SESSIONLESS_TO_STATEFUL = (
    BREAKING,
    "all requests of a client must now reach the same pod, and those that carry no session are refused",
)
_TO_SSE = (BREAKING, "clients that POST to the MCP endpoint get no answer there: HTTP+SSE is another transport")
_FROM_SSE = (BREAKING, "clients that open an HTTP+SSE stream first get none")
_TO_SESSIONLESS = (
    RISKY,
    "requests are answered as before, but what the server sends by itself or keeps between requests is lost",
)
# If another protocol version is needed, that is a change of its own.
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


def _unused(contract: Contract) -> set[str]:
    """Return the capabilities for which there is nothing in the lists: some SDKs declare them always."""
    used = {
        "prompts": contract["prompts"],
        "resources": contract["resources"] or contract["resource_templates"],
        "completions": contract["prompts"] or contract["resource_templates"],
        "tasks": [
            tool
            for tool in contract["tools"]
            if tool.get("execution", {}).get("taskSupport", _TASK_SUPPORT) != _TASK_SUPPORT
        ],
    }
    return {name for name, items in used.items() if not items}


def _capabilities(
    old: dict[str, t.Any], new: dict[str, t.Any], place: tuple[str, ...], unused: t.Collection[str] = ()
) -> t.Iterator[Change]:
    """Compare capabilities by their presence, as normalise() removed those that are false."""
    for name in sorted(old.keys() | new.keys()):
        here = (*place, name)
        shown = escaped_name(".".join(here[1:]))
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before is ABSENT:
            yield _change(COMPATIBLE, here, ADDED, f"The server now has the capability {shown}.")
        elif after is ABSENT:
            severity = RISKY if name == "listChanged" or name in unused else BREAKING
            what = (
                "clients are no longer notified when the list changes"
                if name == "listChanged"
                else "there was nothing to use it for, but clients that ask all the same get an error"
                if name in unused
                else "clients that use it fail"
            )
            yield _change(severity, here, REMOVED, f"The server no longer has the capability {shown}: {what}.")
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from _capabilities(before, after, here)
        elif schema.key(before) != schema.key(after):
            yield _change(
                UNDECIDABLE,
                here,
                CHANGED,
                f"The capability {shown} was {json_excerpt(before)} and is {json_excerpt(after)}: "
                "the effect on clients is unknown.",
            )


def _instructions(old: Contract, new: Contract) -> t.Iterator[Change]:
    if old["instructions"] != new["instructions"]:
        difference = _texts(old["instructions"], new["instructions"])
        message = f"The server's instructions to language models changed: {difference}."
        yield _change(RISKY, ("instructions",), CHANGED, message)


# Lists

Item: t.TypeAlias = "dict[str, t.Any]"


def _listed(
    list_name: str, old: Contract, new: Contract, items: t.Callable[[tuple[str, str], Item, Item], t.Iterator[Change]]
) -> t.Iterator[Change]:
    name, noun = LISTS[list_name]
    before, after = ({item[name]: item for item in side[list_name]} for side in (old, new))
    for one in sorted(before.keys() | after.keys()):
        place = (list_name, one)
        if one not in after:
            yield _change(BREAKING, place, REMOVED, f"{_subject(place)} is gone: clients that use it fail.")
        elif one not in before:
            yield _change(COMPATIBLE, place, ADDED, f"{_subject(place)} is new.")
        elif schema.key(before[one]) != schema.key(after[one]):
            yield from items(place, before[one], after[one])


def _subject(place: tuple[str, ...]) -> str:
    return f"{LISTS[place[0]][1].capitalize()} {escaped_name(place[1])}"


def _tool(place: tuple[str, str], old: Item, new: Item) -> t.Iterator[Change]:
    known = {"name", "title", "description", "annotations", "execution", *SCHEMAS}
    here = (*place, "inputSchema")
    inputs = [side.get("inputSchema", {}) for side in (old, new)]
    if "inputSchema" in old and "inputSchema" not in new:
        yield _change(
            BREAKING, here, REMOVED, f"{_subject(place)} no longer declares its input: clients refuse the whole list."
        )
    elif not inputs[0] and inputs[1]:
        # Nobody could call it by the old list: those who did knew the arguments from elsewhere.
        yield _change(
            UNDECIDABLE,
            here,
            ADDED,
            f"{_subject(place)} declares its input now, and said nothing of it before: "
            "whether it accepts what it accepted cannot be decided.",
        )
    else:
        yield from _schema(here, *inputs)
    before, after = old.get("outputSchema", ABSENT), new.get("outputSchema", ABSENT)
    here = (*place, "outputSchema")
    if before is ABSENT and after is not ABSENT:
        yield _change(COMPATIBLE, here, ADDED, f"{_subject(place)} now declares its output.")
    elif after is ABSENT and before is not ABSENT:
        yield _change(
            BREAKING,
            here,
            REMOVED,
            f"{_subject(place)} no longer declares its output: clients that read structured content fail.",
        )
    elif before is not ABSENT:
        yield from _schema(here, before, after)
    yield from _execution((*place, "execution"), old.get("execution", {}), new.get("execution", {}))
    yield from _annotations((*place, "annotations"), old.get("annotations", {}), new.get("annotations", {}))
    yield from _item_texts(place, old, new)
    yield from _others(place, old, new, known)


# The default of execution.taskSupport: specification 2025-11-25, server/tools.
_TASK_SUPPORT = "forbidden"


def _execution(place: tuple[str, ...], old: dict[str, t.Any], new: dict[str, t.Any]) -> t.Iterator[Change]:
    before, after = (side.get("taskSupport", _TASK_SUPPORT) for side in (old, new))
    here = (*place, "taskSupport")
    if schema.key(before) != schema.key(after):
        sentence = f"{_subject(place)} had task support {json_excerpt(before)} and has {json_excerpt(after)}"
        if after == "required":
            yield _change(
                BREAKING, here, schema_subtyping.REQUIRED, f"{sentence}: clients that call it without a task fail."
            )
        elif after == "forbidden":
            yield _change(BREAKING, here, REMOVED, f"{sentence}: clients that call it as a task fail.")
        elif after == "optional" and before in ("required", "forbidden"):
            yield _change(
                COMPATIBLE, here, schema_subtyping.NOT_REQUIRED if before == "required" else ADDED, f"{sentence}."
            )
        else:
            yield _change(UNDECIDABLE, here, CHANGED, f"{sentence}: the effect on clients is unknown.")
    yield from _others(place, old, new, {"taskSupport"})


# Specification, schema.ts, ToolAnnotations: (default of the hint, the value that is worse for clients, its meaning).
HINTS: dict[str, tuple[bool, bool, str]] = {
    "readOnlyHint": (False, False, "may change things"),
    "destructiveHint": (True, True, "may destroy things"),
    "idempotentHint": (False, False, "may do more when it is called again"),
    "openWorldHint": (True, True, "may reach the world outside"),
}


def _annotations(place: tuple[str, ...], old: dict[str, t.Any], new: dict[str, t.Any]) -> t.Iterator[Change]:
    for hint, (default, worse, means) in HINTS.items():
        before, after = (side.get(hint, default) for side in (old, new))
        # Both apply only to tools that change things.
        if hint in ("destructiveHint", "idempotentHint") and new.get("readOnlyHint") is True:
            continue
        if schema.key(before) == schema.key(after):
            continue
        sentence = f"{_subject(place)} had {hint} {json_excerpt(before)} and has {json_excerpt(after)}"
        if isinstance(before, bool) and after is worse:
            yield _change(
                RISKY,
                (*place, hint),
                CHANGED,
                f"{sentence}: it {means}, and clients that called it without asking the user may have to ask.",
            )
        elif isinstance(after, bool) and isinstance(before, bool):
            yield _change(COMPATIBLE, (*place, hint), CHANGED, f"{sentence}.")
        else:
            yield _change(RISKY, (*place, hint), CHANGED, f"{sentence}: one of them is not a valid hint.")
    yield from _others(place, old, new, {*HINTS, "title"}, RISKY)


def _prompt(place: tuple[str, str], old: Item, new: Item) -> t.Iterator[Change]:
    before, after = ({argument["name"]: argument for argument in side.get("arguments", ())} for side in (old, new))
    for name in sorted(before.keys() | after.keys()):
        here = (*place, "arguments", name)
        was, wanted = (side.get(name, {}).get("required", False) for side in (before, after))
        shown = f"the argument {escaped_name(name)}"
        if name not in after:
            # The Python SDK refuses arguments that it does not know.
            yield _change(
                BREAKING,
                here,
                REMOVED,
                f"{_subject(place)} no longer accepts {shown}: clients that send it may be refused.",
            )
        elif wanted and not was:
            yield _change(
                BREAKING,
                here,
                schema_subtyping.REQUIRED,
                f"{_subject(place)} now requires {shown}: clients that do not send it fail.",
            )
        elif name not in before:
            yield _change(COMPATIBLE, here, ADDED, f"{_subject(place)} also accepts {shown} (optional).")
        else:
            if was and not wanted:
                yield _change(
                    COMPATIBLE, here, schema_subtyping.NOT_REQUIRED, f"{_subject(place)} no longer requires {shown}."
                )
            yield from _others(here, before[name], after[name], {"name", "required", "title", "description"})
    yield from _item_texts(place, old, new, [("arguments", name) for name in before.keys() ^ after.keys()])
    yield from _others(place, old, new, {"name", "title", "description", "arguments"})


def _resource(place: tuple[str, str], old: Item, new: Item) -> t.Iterator[Change]:
    """Compare two resources, or two resource templates."""
    before, after = (side.get("mimeType", ABSENT) for side in (old, new))
    here = (*place, "mimeType")
    if before is ABSENT and after is not ABSENT:
        yield _change(COMPATIBLE, here, ADDED, f"{_subject(place)} now declares its type: {json_excerpt(after)}.")
    elif after is ABSENT and before is not ABSENT:
        yield _change(
            RISKY, here, REMOVED, f"{_subject(place)} no longer declares its type, which was {json_excerpt(before)}."
        )
    elif before is not ABSENT and before.lower() != after.lower():
        yield _change(
            BREAKING,
            here,
            CHANGED,
            f"{_subject(place)} is {json_excerpt(after)} and was {json_excerpt(before)}: "
            "clients that read it as that fail.",
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
    """Return the template without the names of its variables (RFC 6570); equal forms make the same URIs."""

    def nameless(expression: re.Match[str]) -> str:
        operator, variables = expression.groups()
        # These operators write the name into the URI.
        if operator in (";", "?", "&"):
            return expression.group()
        return "{" + operator + ",".join(re.sub(r"^[^:*]*", "", name) for name in variables.split(",")) + "}"

    return _EXPRESSION.sub(nameless, template)


def _templates(old: Contract, new: Contract) -> t.Iterator[Change]:
    """Compare templates. A removed and an added one may be the same, written differently."""
    before, after = ({item["uriTemplate"]: item for item in side["resource_templates"]} for side in (old, new))
    lost, gained = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
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
            sentence = (
                f"{_subject(place)} is {escaped_name(other)} now: it makes the same URIs, "
                "but clients that fill in a variable by its name fail."
            )
            yield _change(RISKY, place, CHANGED, sentence)
        else:
            yield _change(
                COMPATIBLE,
                place,
                "widened",
                f"{_subject(place)} is {escaped_name(other)} now: it accepts more variables, all optional.",
            )
        yield from _resource(place, before[template], after[other])


def _extends(template: str, other: str) -> bool:
    """Return whether the other template is this one followed by query variables, all of which are optional."""
    return other.startswith(template) and re.fullmatch(r"(\{[?&][^{}]*\})+", other[len(template) :]) is not None


def _texts(old: str | None, new: str | None) -> str:
    """Return both texts from shortly before where they first differ."""
    if not old or not new:
        return f"{json_excerpt(old or new)} was {'removed' if old else 'added'}"
    start = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, start - 20)
    shown = [("..." if start else "") + text[start:] for text in (old, new)]
    return f"{json_excerpt(shown[0], MAX_EXCERPT // 2)} became {json_excerpt(shown[1], MAX_EXCERPT // 2)}"


def _item_texts(
    place: tuple[str, str], old: Item, new: Item, passed: t.Iterable[tuple[str, ...]] = ()
) -> t.Iterator[Change]:
    """Compare the texts of two items. passed: places that were added or removed, whose texts are not reported again."""
    before, after = (
        {below: texts for below, texts in texts_of(side).items() if below[0] not in SCHEMAS} for side in (old, new)
    )
    for below in sorted(before.keys() | after.keys()):
        was, now = before.get(below, []), after.get(below, [])
        if was != now and not any(below[: len(one)] == one for one in passed):
            what = f"the {below[-1]}" + (
                f" of the argument {escaped_name(below[1])}" if below[0] == "arguments" else ""
            )
            yield _change(
                RISKY,
                (*place, *below),
                CHANGED,
                f"{_subject(place)} has changed {what}: {_texts(' '.join(was), ' '.join(now))}.",
            )


def _others(
    place: tuple[str, ...], old: Item, new: Item, known: t.Collection[str], severity: str = UNDECIDABLE
) -> t.Iterator[Change]:
    """Compare the parts that this collection does not know."""
    for name in sorted((old.keys() | new.keys()) - set(known)):
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before is ABSENT or after is ABSENT or schema.key(before) != schema.key(after):
            yield _change(
                severity,
                (*place, name),
                CHANGED,
                f"{_subject(place)} has changed {escaped_name(name)}: {_became(before, after)}.",
            )


def _became(old: t.Any, new: t.Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        known = [set(map(schema.key, side)) for side in (old, new)]
        removed = [one for one in old if schema.key(one) not in known[1]]
        added = [one for one in new if schema.key(one) not in known[0]]
        parts = [f"{json_excerpt(removed)[1:-1]} is gone"] if removed else []
        parts += [f"{json_excerpt(added)[1:-1]} is new"] if added else []
        return " and ".join(parts)
    shown = [
        "nothing"
        if side is ABSENT
        else escaped_name(side)
        if isinstance(side, str)
        else json_excerpt(side, MAX_EXCERPT // 2)
        for side in (old, new)
    ]
    return f"{shown[0]} became {shown[1]}"


# Schemas


# Values of annotations as JSON, by their place.
Annotations: t.TypeAlias = "dict[tuple[str, ...], list[str]]"


@dataclass(frozen=True)
class _Direction:
    """How to judge and name changes of inputs or outputs."""

    noun: str  # for a field: input or output
    breaking_effects: t.Collection[str]
    verb: str  # what a tool does with values


_DIRECTIONS = {
    "inputSchema": _Direction("input", (NARROWER, BOTH), "accepts"),
    "outputSchema": _Direction("output", (WIDER, BOTH), "may return"),
}
_AMOUNT = {NARROWER: "less", WIDER: "more", BOTH: "other things"}
_NOT_ALLOWED = ", which the old contract did not allow: strict clients fail"


def _schema(place: tuple[str, str, str], old: t.Any, new: t.Any) -> t.Iterator[Change]:
    findings = schema_subtyping.differences(old, new)
    before, after = (annotations_of(side, schema.ANNOTATIONS) for side in (old, new))
    for finding in findings:
        direction = _DIRECTIONS[place[2]]
        severity = _severity(direction, finding, form_only=_may_be_form_only(finding, before, after))
        yield _change(severity, (*place, *finding.path), finding.change, _sentence(place, direction, finding, severity))
    # What was added or removed is not reported again for each of its annotations.
    passed = [finding.path for finding in findings if finding.newly_required or finding.change in (ADDED, REMOVED)]
    required = [
        finding.path
        for finding in findings
        if finding.change in (schema_subtyping.REQUIRED, schema_subtyping.NOT_REQUIRED)
    ]
    # Neither is what only one side has, in a branch of a union.
    common = places_of(old) & places_of(new)
    for below in sorted(before.keys() | after.keys()):
        was, now = before.get(below, []), after.get(below, [])
        # That it is required now, or no longer, says more than its default.
        of_required = below[-1] == "default" and below[:-1] in required
        if (
            was != now
            and below[:-1] in common
            and not of_required
            and not any(below[: len(path)] == path for path in passed)
        ):
            yield from _annotation(place, below, was, now)


_URL = ['"uri"']


def _may_be_form_only(finding: Finding, before: Annotations, after: Annotations) -> bool:
    """Return whether an input that accepts less by its schema may accept the same: another SDK writes it so."""
    # zod lists an argument with a default as required, and fills it in. Other servers may not.
    if finding.change == schema_subtyping.REQUIRED and (*finding.path, "default") in after:
        return finding.newly_required or finding.effect == NARROWER
    # zod 4 writes the pattern of a format, which zod 3 only names. A URL has none, so that one is the server's own.
    if finding.path[-1:] == ("pattern",) and finding.old is ABSENT:
        of_format = (*finding.path[:-1], "format")
        return before.get(of_format, _URL) == after.get(of_format) != _URL
    # Clients send what is declared. Some servers refused the rest before they said so.
    return finding.undeclared


def _severity(direction: _Direction, finding: Finding, *, form_only: bool) -> str:
    is_input = direction.noun == "input"
    if finding.change == REMOVED and not is_input:
        return BREAKING
    if finding.effect == UNDECIDABLE:
        return UNDECIDABLE
    if is_input and form_only:
        return RISKY
    if finding.effect in direction.breaking_effects:
        # A client may cope with a new value of an enum, but not with another type.
        more = not is_input and finding.path[-1:] == ("enum",) and finding.effect == WIDER and finding.new is not ABSENT
        return RISKY if more else BREAKING
    # Clients rely on the effect of what they send.
    return RISKY if finding.change == REMOVED else COMPATIBLE


def _sentence(place: tuple[str, str, str], direction: _Direction, finding: Finding, severity: str) -> str:
    tool = _subject(place)
    field, keyword = _field(direction.noun, finding.path)
    detail = f"{keyword} {_became(finding.old, finding.new)}" if keyword else _became(finding.old, finding.new)
    is_input = direction.noun == "input"
    breaks = severity == BREAKING
    if finding.change == schema_subtyping.REQUIRED:
        if is_input:
            unless = "" if breaks else ", unless the server fills in its default"
            return f"{tool} now requires {field}: clients that do not send it fail{unless}."
        return f"{tool} now always returns {field}{_NOT_ALLOWED * breaks}."
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
            return f"{tool} no longer accepts {field}: clients that send it fail."
        return f"{tool} ignores {field} now: what clients send there may have no effect."
    if finding.change == ADDED:
        if severity == UNDECIDABLE:
            return f"{tool} now declares {field}: whether it accepted everything before cannot be decided."
        if is_input:
            return (
                f"{tool} also accepts {field} (optional){': some values that it accepted before are refused' * breaks}."
            )
        return (
            f"{tool} may also return {field}{', which the old contract did not allow: strict clients fail' * breaks}."
        )
    if finding.undeclared and is_input:
        whole, _keyword = _field(direction.noun, finding.path[:-1])
        return f"{tool} refuses what {whole} does not declare: clients that send it all the same fail."
    if finding.effect == UNDECIDABLE:
        return f"{tool} has changed {field}, {detail}: the effect on clients cannot be decided."
    return f"{tool} {direction.verb} {_AMOUNT[finding.effect]} for {field}: {detail}."


def _field(noun: str, path: tuple[str, ...]) -> tuple[str, str]:
    """Return the field as people write it, such as "the input filter.tags[]", and the keyword that ends the path."""
    name, rest = "", list(path)
    while rest:
        part = rest.pop(0)
        if part == "$defs":
            name += ".(recursive)"
        elif part in ("properties", "patternProperties") and rest:
            name += f".{escaped_name(rest.pop(0))}"
        elif part == "prefixItems" and rest:
            name += f"[{rest.pop(0)}]"
        elif part == "items":
            name += "[]"
        elif part == "additionalProperties":
            name += ".*"
        elif part == "propertyNames":
            name += ".(name)"
        else:
            return f"the {noun} {name.lstrip('.')}".rstrip(), " ".join(map(escaped_name, [part, *rest]))
    return f"the {noun} {name.lstrip('.')}".rstrip(), ""


def _annotation(
    place: tuple[str, str, str], below: tuple[str, ...], was: list[str], now: list[str]
) -> t.Iterator[Change]:
    """Judge a changed annotation. was, now: its values as JSON."""
    tool, here = _subject(place), (*place, *below)
    field, keyword = _field(_DIRECTIONS[place[2]].noun, below)
    if keyword == schema.HEADER and place[2] == "inputSchema":
        if [name.lower() for name in was] == [name.lower() for name in now]:
            return
        if not now:
            yield _change(COMPATIBLE, here, REMOVED, f"{tool} no longer requires {field} in a header.")
            return
        sentence = f"{tool} also requires {field} in the header Mcp-Param-{escaped_name(str(json.loads(now[0])))}"
        yield _change(
            BREAKING, here, CHANGED if was else ADDED, f"{sentence}: clients that have the old list are refused."
        )
        return
    severity = UNDECIDABLE if keyword == schema.HEADER else RISKY
    if keyword in schema.TEXTS:
        texts = (" ".join(str(json.loads(text)) for text in side) for side in (was, now))
        yield _change(severity, here, CHANGED, f"{tool} has changed the {keyword} of {field}: {_texts(*texts)}.")
    else:
        shown = (", ".join(side) or ABSENT for side in (was, now))
        yield _change(severity, here, CHANGED, f"{tool} has changed the {keyword} of {field}: {_became(*shown)}.")
