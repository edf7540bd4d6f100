# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the sets of values that two JSON Schemas accept: narrower, wider, both, or undecidable.

What that means for inputs and outputs is up to compare.py.

Sound: when no finding is narrower, both or undecidable, the new schema accepts every value that the old one accepts;
likewise for wider. One convention is an exception: a new property, where undeclared ones were allowed, is ADDED and not
narrower, though a client could have sent anything under that name. A finding may be too strict: a range without values
is compared like any other.

Both schemas are split into alternatives, one for each type, and compared type by type. So C(type: [string, null]) and
pydantic's C(anyOf: [{type: string}, {type: null}]) are the same.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ansible_collections.mcp.server.plugins.module_utils._contract.schema import (
    ANNOTATIONS,
    MAX_DEPTH,
    Schema,
    is_names,
    is_number,
    is_schema,
    key,
    pointed,
    without,
)

NARROWER, WIDER, BOTH, UNDECIDABLE = "narrower", "wider", "both", "undecidable"

ADDED, REMOVED, REQUIRED, NOT_REQUIRED, CHANGED = "added", "removed", "now required", "no longer required", "changed"
CHANGE_BY_EFFECT = {NARROWER: "narrowed", WIDER: "widened", BOTH: CHANGED, UNDECIDABLE: CHANGED}

# Steps of one comparison, which recursive definitions could make endless.
MAX_STEPS = 20_000


class Absent:
    """The value of a keyword that is absent."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()
Path: t.TypeAlias = "tuple[str, ...]"


@dataclass(frozen=True)
class Finding:
    """One difference between two schemas."""

    path: Path  # keywords and names from the root; a branch of a union has the union's path
    effect: str  # on the accepted values: narrower, wider, both or undecidable; empty for none
    change: str
    old: t.Any = ABSENT  # the JSON value at this path, or ABSENT
    new: t.Any = ABSENT
    newly_required: bool = False  # a required property that the old schema did not declare
    undeclared: bool = False  # only of values under names that the old schema does not declare beside others


def differences(old: Schema, new: Schema) -> list[Finding]:
    """Return the differences between two canonical schemas, unordered."""
    relation = _Relation(without(old, ANNOTATIONS), without(new, ANNOTATIONS))
    try:
        return relation.whole()
    except _Exhausted:
        return [Finding((), UNDECIDABLE, CHANGED)]


class _Exhausted(Exception):
    pass


# A reference to the root, in a key().
TO_ROOT = '"$ref":"#"'

KINDS = ("null", "boolean", "number", "string", "array", "object")

# Keywords that limit sizes.
COUNTS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


def _is_count(value: t.Any) -> bool:
    return is_number(value) and value >= 0


def _is_schemas(value: t.Any) -> t.TypeGuard[list[Schema]]:
    return isinstance(value, list) and all(map(is_schema, value))


def _is_map(value: t.Any) -> bool:
    return isinstance(value, dict) and all(map(is_schema, value.values()))


# The keywords that are compared, by the type that they apply to, with the test for well-formed values.
# All other keywords, and malformed ones, are only compared for equality.
KEYWORDS: dict[str, dict[str, t.Callable[[t.Any], bool]]] = {
    "null": {},
    "boolean": {},
    "number": {
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), is_number),
        "multipleOf": lambda value: is_number(value) and value > 0,
    },
    "string": {"minLength": _is_count, "maxLength": _is_count, "pattern": lambda value: isinstance(value, str)},
    "array": {
        **dict.fromkeys(("minItems", "maxItems"), _is_count),
        "uniqueItems": lambda value: isinstance(value, bool),
        "prefixItems": _is_schemas,
        "items": is_schema,
    },
    "object": {
        **dict.fromkeys(("minProperties", "maxProperties"), _is_count),
        **dict.fromkeys(("properties", "patternProperties"), _is_map),
        **dict.fromkeys(("additionalProperties", "propertyNames"), is_schema),
        "required": is_names,
        "dependentRequired": lambda value: isinstance(value, dict) and all(map(is_names, value.values())),
    },
}
KIND_OF_KEYWORD = {keyword: kind for kind, keywords in KEYWORDS.items() for keyword in keywords}
# They depend on what other keywords of the same schema accept.
ENTANGLED = frozenset({"unevaluatedProperties", "unevaluatedItems"})


# All values of the kinds that have few.
ALL_VALUES: dict[str, tuple[t.Any, ...]] = {"null": (None,), "boolean": (False, True)}


@dataclass(frozen=True)
class Alternative:
    """The values of one kind that a schema, or a branch of it, accepts."""

    kind: str  # one of KINDS
    keywords: dict[str, t.Any] = field(default_factory=dict)  # well-formed keywords of this kind
    integer: bool = False
    finite: tuple[t.Any, ...] | None = None  # all values, if they are listed
    rest: dict[str, t.Any] = field(default_factory=dict)  # keywords that are compared separately, or for equality

    @property
    def name(self) -> str:
        return "integer" if self.integer else self.kind

    @property
    def only_finite(self) -> bool:
        return self.finite is not None and not self.keywords and not self.rest

    @property
    def everything(self) -> bool:
        return not (self.keywords or self.rest or self.integer) and self.finite == ALL_VALUES.get(self.kind)


def kind_of(value: t.Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"


class _Relation:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._roots = (old, new)
        definitions = [root.get("$defs") if isinstance(root, dict) else None for root in self._roots]
        # Only then have equal references equal targets. References to the root have not.
        self._same_definitions = key(definitions[0]) == key(definitions[1]) and TO_ROOT not in key(definitions[0])
        self._keys: dict[int, tuple[t.Any, str]] = {}
        self._assumed: set[tuple[t.Any, ...]] = set()
        self._steps = 0

    def whole(self) -> list[Finding]:
        old, new = self._roots
        if key(old) == key(new):
            return []
        found: dict[tuple[Path, str, str, bool], Finding] = {}
        for finding in self._compare_schemas(old, new, ()):
            found.setdefault((finding.path, finding.effect, finding.change, finding.undeclared), finding)
        return list(found.values())

    def _step(self, depth: int = 0) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            raise _Exhausted

    # Schemas

    def _key(self, value: t.Any) -> str:
        known = self._keys.get(id(value))
        if known is None or known[0] is not value:
            known = self._keys[id(value)] = (value, key(value))
        return known[1]

    def _same(self, old: t.Any, new: t.Any) -> bool:
        return self._key(old) == self._key(new) and self._same_targets(self._key(old))

    def _same_targets(self, text: str) -> bool:
        return '"$ref"' not in text or self._same_definitions and TO_ROOT not in text

    def _target(self, schema: t.Any, side: int) -> t.Any:
        """Return the target of a reference, or the reference itself when it has none."""
        seen: set[str] = set()
        while isinstance(schema, dict) and schema.keys() == {"$ref"} and key(schema) not in seen:
            seen.add(key(schema))
            try:
                schema = pointed(self._roots[side], schema["$ref"])
            except LookupError:
                break
        if schema is self._roots[side] and isinstance(schema, dict) and "$defs" in schema:
            schema = self._bare(schema)
        return schema

    def _bare(self, root: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the root without its definitions, the same object each time."""
        known = self._keys.get(-id(root))
        if known is None:
            known = self._keys[-id(root)] = ({name: value for name, value in root.items() if name != "$defs"}, "")
        return known[0]

    def _compare_schemas(self, old: t.Any, new: t.Any, path: Path, kinds: t.Collection[str] = KINDS) -> list[Finding]:
        """Compare two schemas. kinds: of the values that are possible here."""
        self._step(len(self._assumed))
        if self._same(old, new):
            return []
        old, new = self._target(old, 0), self._target(new, 1)
        if not (is_schema(old) and is_schema(new)):
            return [Finding(path, UNDECIDABLE, CHANGED, old, new)]
        # A pair that is being compared further out counts as equal here: differences are found there.
        pair = (id(old), id(new), *kinds)
        if pair in self._assumed:
            return []
        self._assumed.add(pair)
        try:
            before, after = (
                [one for one in self._alternatives(schema, side) if one.kind in kinds]
                for side, schema in enumerate((old, new))
            )
            return self._compare_alternatives(before, after, path)
        finally:
            self._assumed.discard(pair)

    # Alternatives

    def _alternatives(self, schema: t.Any, side: int, following: tuple[int, ...] = ()) -> list[Alternative]:
        self._step(len(following))
        schema = self._target(schema, side)
        if isinstance(schema, bool):
            return _of_keywords({}) if schema else []
        if not isinstance(schema, dict):
            return [Alternative(kind, rest={"": schema}) for kind in KINDS]
        # A union that is a branch of itself adds no values.
        if id(schema) in following:
            return []
        schema, overlapping = self._united(schema, side, (*following, id(schema)))
        if overlapping:
            # A value matches one of the branches, so it is of their kinds.
            kinds = {one.kind for branch in overlapping for one in branch}
            return _simplified([one for one in _of_keywords(schema) if one.kind in kinds])
        if schema.keys() == {"anyOf"} and _is_schemas(schema["anyOf"]):
            return _simplified(
                [
                    one
                    for branch in schema["anyOf"]
                    for one in self._alternatives(branch, side, (*following, id(schema)))
                ]
            )
        return _simplified(_of_keywords(schema))

    def _united(
        self, schema: dict[str, t.Any], side: int, following: tuple[int, ...]
    ) -> tuple[dict[str, t.Any], list[list[Alternative]]]:
        """Return oneOf as anyOf, when no value can match two of its branches. Else also the branches' alternatives."""
        branches = schema.get("oneOf")
        if not _is_schemas(branches):
            return schema, []
        split = [self._alternatives(branch, side, following) for branch in branches]
        if "anyOf" in schema or any(
            not self._disjoint(one, other, side) for number, one in enumerate(split) for other in split[:number]
        ):
            return schema, split
        return {**{name: value for name, value in schema.items() if name != "oneOf"}, "anyOf": branches}, []

    def _disjoint(self, one: list[Alternative], other: list[Alternative], side: int) -> bool:
        return all(a.kind != b.kind or self._apart(a, b, side) for a in one for b in other)

    def _apart(self, a: Alternative, b: Alternative, side: int) -> bool:
        """Return whether no value can match both.

        Their listed values are different, or those of a required property are (a discriminator).
        """
        self._step()
        if a.finite is not None and b.finite is not None:
            return not set(map(key, a.finite)) & set(map(key, b.finite))
        if a.kind != "object":
            return False
        for name in {*a.keywords.get("required", ())} & {*b.keywords.get("required", ())}:
            schemas = (self._target(one.keywords.get("properties", {}).get(name), side) for one in (a, b))
            enums = [one.get("enum") if isinstance(one, dict) else None for one in schemas]
            listed = [set(map(key, values)) for values in enums if isinstance(values, list)]
            if len(listed) == 2 and not listed[0] & listed[1]:
                return True
        return False

    def _compare_alternatives(self, old: list[Alternative], new: list[Alternative], path: Path) -> list[Finding]:
        findings = []
        lost, gained = [], []
        for kind in KINDS:
            before, after = ([one for one in side if one.kind == kind] for side in (old, new))
            if before and after:
                findings += self._compare_kind(before, after, path)
            lost += before if not after else []
            gained += after if not before else []
        if lost or gained:
            findings.append(
                _finding((*path, "type") if old and new else path, bool(lost), bool(gained), _names(old), _names(new))
            )
        return findings

    def _compare_kind(self, old: list[Alternative], new: list[Alternative], path: Path) -> list[Finding]:
        """Compare alternatives of the same kind. Several of a kind are branches of a union."""
        if len(old) == len(new) == 1:
            return self._compare_pair(old[0], new[0], path)
        narrower, undecided, closed = self._uncovered(old, new, (NARROWER, BOTH), path)
        wider, undecided_wider, _closed = self._uncovered(new, old, (WIDER, BOTH), path, reverse=True)
        if not (narrower or wider or undecided or undecided_wider or closed):
            return []
        left = [
            [one for one in side if not any(self._same_alternative(one, other) for other in others)]
            for side, others in ((old, new), (new, old))
        ]
        if len(left[0]) == len(left[1]) == 1:
            return self._compare_pair(left[0][0], left[1][0], path)
        findings = []
        if narrower or wider or undecided or undecided_wider:
            stated = _forms(old), _forms(new)
            findings.append(
                _finding((*path, "anyOf"), narrower, wider, *stated, undecided=undecided or undecided_wider)
            )
        if closed:
            findings.append(
                replace(_finding((*path, "additionalProperties"), True, False, "any", "nothing"), undeclared=True)
            )
        return findings

    def _uncovered(
        self,
        some: list[Alternative],
        others: list[Alternative],
        bad: t.Collection[str],
        path: Path,
        *,
        reverse: bool = False,
    ) -> tuple[bool, bool, bool]:
        """Return whether one of C(some) is covered by none of the others: surely, perhaps, only by undeclared names.

        In a union, unlike elsewhere, an added property makes a branch narrower.
        """
        surely = perhaps = closed = False
        for one in some:
            trials = []
            for other in others:
                found = self._compare_pair(other, one, path) if reverse else self._compare_pair(one, other, path)
                effects = {finding.effect for finding in found if not finding.undeclared} | {
                    NARROWER for finding in found if finding.change == ADDED and not reverse
                }
                is_closed = not reverse and any(finding.undeclared for finding in found)
                trials.append(
                    "no"
                    if effects & set(bad)
                    else "perhaps"
                    if UNDECIDABLE in effects
                    else "closed"
                    if is_closed
                    else "yes"
                )
                if trials[-1] == "yes":
                    break
            if "yes" not in trials:
                closed = closed or "closed" in trials
                if "closed" not in trials:
                    surely, perhaps = surely or "perhaps" not in trials, perhaps or "perhaps" in trials
        return surely, perhaps, closed

    def _same_alternative(self, one: Alternative, other: Alternative) -> bool:
        parts = [(side.name, side.finite, side.keywords, side.rest) for side in (one, other)]
        return key(parts[0]) == key(parts[1]) and self._same_targets(key(parts[0]))

    def _compare_pair(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        self._step()
        if ENTANGLED & (old.rest.keys() | new.rest.keys()):
            return [] if self._same_alternative(old, new) else [Finding(path, UNDECIDABLE, CHANGED)]
        findings = self._compare_rest(old, new, path)
        if old.finite is not None or new.finite is not None:
            found = self._compare_finite(old, new, path)
        else:
            found = {
                "number": self._compare_number,
                "string": self._compare_string,
                "array": self._compare_array,
                "object": self._compare_object,
            }[old.kind](old, new, path)
        # A branch of oneOf may say again what the other side says outside: then only what one side lacks is sure, and
        # what is said of a property that no branch names.
        unions = [one.rest["oneOf"] for one in (old, new) if "oneOf" in one.rest]
        if len(unions) == 1:
            sure = (BOTH, WIDER if "oneOf" in old.rest else NARROWER)
            found = [one for one in found if one.effect in sure or self._is_unnamed(one, unions[0], path)]
        return findings + found

    def _is_unnamed(self, finding: Finding, union: t.Any, path: Path) -> bool:
        """Return whether a finding is about a property of the schema at the path that the union does not name."""
        below, said = finding.path[len(path) :], self._key(union)
        return below[:1] == ("properties",) and '"$ref"' not in said and key(below[1]) not in said

    def _compare_rest(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        findings = []
        for keyword in sorted(old.rest.keys() | new.rest.keys()):
            before, after = old.rest.get(keyword, ABSENT), new.rest.get(keyword, ABSENT)
            if before is not ABSENT and after is not ABSENT and self._same(before, after):
                continue
            if keyword == "anyOf" and all(value is ABSENT or _is_schemas(value) for value in (before, after)):
                unions = [
                    self._alternatives({"anyOf": value} if value is not ABSENT else True, side)
                    for side, value in enumerate((before, after))
                ]
                of_kind = [[one for one in union if one.kind == old.kind] for union in unions]
                findings += self._compare_alternatives(of_kind[0], of_kind[1], path)
            elif keyword == "allOf" and all(value is ABSENT or _is_schemas(value) for value in (before, after)):
                members = [[] if value is ABSENT else value for value in (before, after)]
                findings += self._compare_all_of(members[0], members[1], path, old.kind)
            else:
                findings.append(Finding((*path, keyword), UNDECIDABLE, CHANGED, before, after))
        return findings

    def _compare_all_of(self, old: list[t.Any], new: list[t.Any], path: Path, kind: str) -> list[Finding]:
        before, after = (
            [one for one in side if not any(self._same(one, other) for other in others)]
            for side, others in ((old, new), (new, old))
        )
        if len(before) <= 1 and len(after) <= 1:
            return self._compare_schemas(before[0] if before else True, after[0] if after else True, path, (kind,))
        return [Finding((*path, "allOf"), UNDECIDABLE, CHANGED, len(old), len(new))]

    # Kinds

    def _compare_finite(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        lost, gained = _refused(new, old), _refused(old, new)
        narrower = old.finite is None or bool(lost)
        wider = new.finite is None or bool(gained)
        if not narrower and not wider:
            return []
        unsure = None in lost or None in gained
        values = (list(one.finite) if one.finite is not None else ABSENT for one in (old, new))
        return [_finding((*path, "enum"), narrower, wider, *values, undecided=unsure)]

    def _compare_number(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        findings = []
        for keyword, exclusive, sign in (("minimum", "exclusiveMinimum", -1), ("maximum", "exclusiveMaximum", 1)):
            bounds = [_bound(one, keyword, exclusive, sign) for one in (old, new)]
            findings += _ordered(
                bounds[0], bounds[1], (*path, keyword), *(_stated(one, keyword, exclusive) for one in (old, new))
            )
        if old.integer != new.integer:
            findings.append(_finding((*path, "type"), new.integer, old.integer, old.name, new.name))
        steps = [one.keywords.get("multipleOf", ABSENT) for one in (old, new)]
        narrower = _steps_missing(new, old)
        wider = _steps_missing(old, new)
        if narrower or wider:
            findings.append(_finding((*path, "multipleOf"), narrower, wider, *steps))
        return findings

    def _compare_string(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        patterns = [one.keywords.get("pattern", ABSENT) for one in (old, new)]
        return _counted(old, new, path) + _presence(patterns, (*path, "pattern"))

    def _compare_array(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        findings = _counted(old, new, path)
        if _longest(old) > 1 and _longest(new) > 1:
            unique = [True if one.keywords.get("uniqueItems") else ABSENT for one in (old, new)]
            findings += _presence(unique, (*path, "uniqueItems"))
        # What is beyond the length of one of them is in the finding about that length.
        reach = min(_longest(old), _longest(new))
        prefixes = max(len(one.keywords.get("prefixItems", ())) for one in (old, new))
        for number in range(int(min(prefixes, reach))):
            findings += self._compare_schemas(
                _item(old, number), _item(new, number), (*path, "prefixItems", str(number))
            )
        if prefixes < reach:
            findings += self._compare_schemas(_item(old, prefixes), _item(new, prefixes), (*path, "items"))
        return findings

    def _compare_object(self, old: Alternative, new: Alternative, path: Path) -> list[Finding]:
        findings = _counted(old, new, path)
        declared = [one.keywords.get("properties", {}) for one in (old, new)]
        required = [set(one.keywords.get("required", ())) for one in (old, new)]
        patterns = [one.keywords.get("patternProperties", {}) for one in (old, new)]
        others = [
            self._target(one.keywords.get("additionalProperties", True), side) for side, one in enumerate((old, new))
        ]
        if not self._same(*patterns):
            findings.append(Finding((*path, "patternProperties"), UNDECIDABLE, CHANGED, *patterns))
        for name in sorted(declared[0].keys() | declared[1].keys() | required[0] | required[1]):
            place = (*path, "properties", name)
            # A required property counts as declared, though nothing restricts its value.
            known = name in declared[1] and name in required[0] and _is_open(others[0])
            named = [{name: True, **declared[0]}, declared[1]] if known else declared
            found = self._compare_property(name, named, others, bool(patterns[0] or patterns[1]), place)
            if (name in required[0]) != (name in required[1]):
                here = [finding for finding in found if finding.path == place]
                effect = _joined([NARROWER if name in required[1] else WIDER, *(finding.effect for finding in here)])
                gone = any(finding.change == REMOVED for finding in here)
                change = REQUIRED if name in required[1] else REMOVED if gone else NOT_REQUIRED
                found = [
                    *(finding for finding in found if finding.path != place),
                    Finding(place, effect, change, newly_required=change == REQUIRED and name not in declared[0]),
                ]
            findings += found
        # Clients know the names of a list that has some, and a tool's arguments are such a list even when it has none.
        is_list = bool(declared[0]) or not (path or declared[1])
        closed = _is_open(others[0]) and others[1] is False and is_list
        findings += [
            replace(finding, undeclared=closed)
            for finding in self._compare_schemas(others[0], others[1], (*path, "additionalProperties"))
        ]
        names = [one.keywords.get("propertyNames", True) for one in (old, new)]
        findings += self._compare_schemas(names[0], names[1], (*path, "propertyNames"), ("string",))
        dependent = [one.keywords.get("dependentRequired", {}) for one in (old, new)]
        for name in sorted(dependent[0].keys() | dependent[1].keys()):
            before, after = (set(side.get(name, ())) for side in dependent)
            narrower, wider = bool(after - before - required[0]), bool(before - after - required[1])
            if narrower or wider:
                findings.append(
                    _finding((*path, "dependentRequired", name), narrower, wider, sorted(before), sorted(after))
                )
        return findings

    def _compare_property(
        self, name: str, declared: list[dict[str, t.Any]], others: list[t.Any], patterned: bool, place: Path
    ) -> list[Finding]:
        """Compare a property that at least one side declares, unless it is only required."""
        in_old, in_new = (name in side for side in declared)
        if in_old and in_new:
            return self._compare_schemas(declared[0][name], declared[1][name], place)
        if not in_old and not in_new:
            return []
        change, side = (ADDED, 0) if in_new else (REMOVED, 1)
        mine, fallback = declared[1 - side][name], others[side]
        if _is_open(fallback):
            # The convention: see the head of this file.
            if mine is False:
                return [Finding(place, NARROWER if in_new else WIDER, CHANGED)]
            return [Finding(place, "" if in_new else WIDER, change)]
        if patterned:
            return [Finding(place, UNDECIDABLE, change)]
        if fallback is False:
            return [] if mine is False else [Finding(place, WIDER if in_new else NARROWER, change)]
        found = self._compare_schemas(fallback, mine, place) if in_new else self._compare_schemas(mine, fallback, place)
        return found + [Finding(place, "", change)] * all(finding.path != place for finding in found)


def _finding(
    path: Path, narrower: bool, wider: bool, old: t.Any = ABSENT, new: t.Any = ABSENT, *, undecided: bool = False
) -> Finding:
    effect = UNDECIDABLE if undecided else BOTH if narrower and wider else NARROWER if narrower else WIDER
    return Finding(path, effect, CHANGE_BY_EFFECT[effect], old, new)


def _joined(effects: t.Iterable[str]) -> str:
    """Return the joint effect of findings at one place."""
    some = set(effects) - {""}
    return UNDECIDABLE if UNDECIDABLE in some else BOTH if len(some) > 1 else some.pop() if some else ""


def _is_open(schema: t.Any) -> bool:
    return schema is True or schema == {}


def _names(side: list[Alternative]) -> str:
    if {one.kind for one in side if one.everything} == set(KINDS):
        return "any"
    return " | ".join(dict.fromkeys(one.name for one in sorted(side, key=lambda one: one.kind == "null"))) or "nothing"


def _forms(side: list[Alternative]) -> str:
    return f"{len(side)} forms of {side[0].kind}" if len(side) > 1 else side[0].kind


def _of_keywords(schema: dict[str, t.Any]) -> list[Alternative]:
    """Return the alternatives of a schema by its own keywords."""
    rest = {
        name: value for name, value in schema.items() if name not in ("type", "enum") and name not in KIND_OF_KEYWORD
    }
    by_kind: dict[str, dict[str, t.Any]] = {kind: {} for kind in KINDS}
    for name, kind in KIND_OF_KEYWORD.items():
        if name in schema:
            if KEYWORDS[kind][name](schema[name]):
                by_kind[kind][name] = schema[name]
            else:
                rest[name] = schema[name]
    types = schema.get("type", list(KINDS))
    if not (is_names(types) and set(types) <= {*KINDS, "integer"}):
        types, rest["type"] = list(KINDS), schema["type"]
    values = schema.get("enum", ABSENT)
    if not isinstance(values, (list, Absent)):
        values, rest["enum"] = ABSENT, schema["enum"]
    found = []
    for kind in KINDS:
        integer = kind == "number" and "number" not in types and "integer" in types
        if kind not in types and not integer:
            continue
        finite = None
        if values is not ABSENT:
            finite = tuple(
                value for value in values if kind_of(value) == kind and not (integer and not isinstance(value, int))
            )
        else:
            finite = ALL_VALUES.get(kind)
        if finite != ():
            found.append(Alternative(kind, by_kind[kind], integer and finite is None, finite, rest))
    return found


def _simplified(alternatives: list[Alternative]) -> list[Alternative]:
    """Return the alternatives without those that others cover, and with the listed values of a kind as one."""
    found: list[Alternative] = []
    for kind in KINDS:
        same = [one for one in alternatives if one.kind == kind]
        whole = next((one for one in same if one.everything), None)
        if whole or len(same) < 2:
            found += [whole] if whole else same
            continue
        listed = [one for one in same if one.only_finite]
        if len(listed) > 1:
            values = {key(value): value for one in listed for value in one.finite or ()}
            listed = [replace(listed[0], finite=tuple(values[name] for name in sorted(values)))]
        others = {key([one.name, one.finite, one.keywords, one.rest]): one for one in same if not one.only_finite}
        found += [*listed, *others.values()]
    return found


def _refused(one: Alternative, other: Alternative) -> list[bool | None]:
    """Return False, or None for undecided, for each listed value of C(other) that C(one) does not surely accept."""
    known = None if one.finite is None else set(map(key, one.finite))
    verdicts = (
        False if known is not None and key(value) not in known else _accepts(one, value, other)
        for value in other.finite or ()
    )
    return [verdict for verdict in verdicts if verdict is not True]


def _accepts(one: Alternative, value: t.Any, other: Alternative) -> bool | None:
    """Return whether the keywords of C(one) accept a listed value of C(other); None when undecided.

    Every value of C(other) satisfies a keyword that both have.
    """
    if one.integer and not isinstance(value, int):
        return False
    keywords = {
        name: wanted
        for name, wanted in one.keywords.items()
        if name not in other.keywords or key(other.keywords[name]) != key(wanted)
    }
    verdicts = [_meets(name, wanted, value) for name, wanted in keywords.items()]
    return False if False in verdicts else None if None in verdicts else True


def _meets(keyword: str, wanted: t.Any, value: t.Any) -> bool | None:
    if not (is_number(value) or isinstance(value, str)):
        return None
    tests: dict[str, t.Callable[[], bool]] = {
        "minimum": lambda: value >= wanted,
        "maximum": lambda: value <= wanted,
        "exclusiveMinimum": lambda: value > wanted,
        "exclusiveMaximum": lambda: value < wanted,
        "multipleOf": lambda: _fraction(value) % _fraction(wanted) == 0,
        "minLength": lambda: len(value) >= wanted,
        "maxLength": lambda: len(value) <= wanted,
    }
    # A pattern is never run: a hostile one could take for ever.
    return tests[keyword]() if keyword in tests else None


def _fraction(number: t.Any) -> Fraction:
    """Return the number as it was written: 0.1 is a tenth."""
    return Fraction(repr(number))


def _bound(one: Alternative, keyword: str, exclusive: str, sign: int) -> tuple[t.Any, ...]:
    """Return an end of the range; the greater, the more values are accepted."""
    bounds = [(sign * one.keywords[keyword], 1)] if keyword in one.keywords else []
    if exclusive in one.keywords:
        bounds.append((sign * one.keywords[exclusive], 0))
    value, inclusive = min(bounds, default=(math.inf, 1))
    if one.integer and value != math.inf:
        value = math.floor(value) - (1 if not inclusive and value == math.floor(value) else 0)
        inclusive = 1
    return (value, inclusive)


def _stated(one: Alternative, *keywords: str) -> t.Any:
    """Return the values of these keywords for people, or ABSENT."""
    found = [
        f"{'more than ' if name == 'exclusiveMinimum' else 'less than '}{one.keywords[name]}"
        if name.startswith("ex")
        else one.keywords[name]
        for name in keywords
        if name in one.keywords
    ]
    return found[0] if len(found) == 1 else " and ".join(map(str, found)) if found else ABSENT


def _ordered(old: t.Any, new: t.Any, path: Path, *stated: t.Any) -> list[Finding]:
    """Compare two limits; the greater, the more values are accepted. stated: both for people."""
    if old == new:
        return []
    effect = NARROWER if new < old else WIDER
    return [Finding(path, effect, CHANGE_BY_EFFECT[effect], *stated)]


def _counted(old: Alternative, new: Alternative, path: Path) -> list[Finding]:
    min_keyword, max_keyword = COUNTS[old.kind]
    stated = [[one.keywords.get(name, ABSENT) for one in (old, new)] for name in (min_keyword, max_keyword)]
    lows = [math.ceil(one.keywords.get(min_keyword, 0)) for one in (old, new)]
    highs = (
        [_longest(one) for one in (old, new)]
        if old.kind == "array"
        else [one.keywords.get(max_keyword, math.inf) for one in (old, new)]
    )
    if old.kind == "array":
        stated[1] = [high if high < math.inf else ABSENT for high in highs]
    return _ordered(-lows[0], -lows[1], (*path, min_keyword), *stated[0]) + _ordered(
        highs[0], highs[1], (*path, max_keyword), *stated[1]
    )


def _presence(values: list[t.Any], path: Path) -> list[Finding]:
    """Compare a keyword that only restricts, to values that are unknown."""
    old, new = values
    if key_or_absent(old) == key_or_absent(new):
        return []
    effect = NARROWER if old is ABSENT else WIDER if new is ABSENT else UNDECIDABLE
    return [Finding(path, effect, CHANGE_BY_EFFECT[effect], old, new)]


def key_or_absent(value: t.Any) -> str | None:
    return None if value is ABSENT else key(value)


def _longest(array: Alternative) -> float:
    """Return the maximum number of items."""
    longest = math.inf if array.keywords.get("items", True) is not False else len(array.keywords.get("prefixItems", ()))
    most: float = array.keywords.get("maxItems", math.inf)
    return min(most if most == math.inf else math.floor(most), longest)


def _item(array: Alternative, number: int) -> t.Any:
    prefix = array.keywords.get("prefixItems", ())
    return prefix[number] if number < len(prefix) else array.keywords.get("items", True)


def _steps_missing(wanted: Alternative, given: Alternative) -> bool:
    """Return whether values of C(given) may miss the steps of C(wanted). Integers are multiples of 1."""
    step = wanted.keywords.get("multipleOf")
    if step is None:
        return False
    steps = [_fraction(given.keywords["multipleOf"])] if "multipleOf" in given.keywords else []
    return not any(one % _fraction(step) == 0 for one in [*steps, *([Fraction(1)] if given.integer else [])])
