# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of API servers: requests, and what our code relies on in their answers.

test_api_contract.py asks the fake, the integration target api_contract asks a real API server. Where both differ, the
table (api_contract_cases.py) says how and why that does not matter.
"""

from __future__ import annotations

import json
import re
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.client import Answer, Client
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import PATCH_TYPES
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.field_managers import owns

Object = dict[str, t.Any]

EVENTUALLY = 20.0  # seconds that a controller may take


class Missing:
    """Nothing is there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class Of(t.NamedTuple):
    """What an earlier answer has at a JSON pointer, and so much more."""

    step: str
    pointer: str
    plus: int = 0


class Other(t.NamedTuple):
    """Something else than that."""

    than: Of


class Like(t.NamedTuple):
    """A text that matches a regular expression as a whole."""

    pattern: str


class Differs(t.NamedTuple):
    """What each of them answers, and why the difference does not matter to our code."""

    real: t.Any
    fake: t.Any
    because: str


@dataclass(frozen=True)
class Step:
    """A request, and what is compared of its answer.

    expects: by JSON pointer; also C(status), the HTTP status (without it, any success), a header such as C(header
    Date),
    C(names) of a list's items, C(managers) with the fields that each field manager has, and C(owners of POINTER).
    name: by which later steps refer to the answer. limited: asked by the user of RULES, who has no other rights.
    eventually: asked until it answers so.
    """

    method: str
    path: str
    body: t.Any = None
    kind: str = ""
    query: t.Mapping[str, str] = field(default_factory=dict)
    expects: t.Mapping[str, t.Any] = field(default_factory=dict)
    name: str = ""
    limited: bool = False
    eventually: bool = False

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.path, self.kind)))


@dataclass(frozen=True)
class Case:
    """Steps that have their objects for themselves. controllers: whether it needs those of a cluster."""

    name: str
    steps: tuple[Step, ...]
    controllers: bool = False


class Sides(t.NamedTuple):
    """Clients of one API server. limited: for the user of RULES."""

    full: Client
    limited: Client
    real: bool


def problems(case: Case, sides: Sides, namespace: str) -> list[str]:
    """Return how the answers are not as the table has them."""
    names = {"{ns}": namespace, "{name}": re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-")}
    answers: dict[str, Answer] = {}
    found: list[str] = []
    for number, step in enumerate(case.steps, start=1):
        deadline = time.monotonic() + (EVENTUALLY if step.eventually else 0.0)
        while True:
            answer = _sent(step, sides, names, answers)
            wrong = list(_wrong(step, answer, sides, names, answers))
            if not wrong or time.monotonic() >= deadline:
                break
            time.sleep(0.1)
        answers[step.name] = answer
        found += [f"step {number}, {step}: {one}" for one in wrong]
    return found


def _sent(step: Step, sides: Sides, names: t.Mapping[str, str], answers: t.Mapping[str, Answer]) -> Answer:
    def filled(value: t.Any) -> t.Any:
        return _filled(value, sides, names, answers)

    client = sides.limited if step.limited else sides.full
    content_type = PATCH_TYPES.get(step.kind)
    query = list(filled(dict(step.query)).items())
    return client.send(
        step.method, filled(step.path), 10.0, query=query, body=filled(step.body), content_type=content_type
    )


def _wrong(
    step: Step, answer: Answer, sides: Sides, names: t.Mapping[str, str], answers: t.Mapping[str, Answer]
) -> t.Iterator[str]:
    if "status" not in step.expects and not 200 <= answer.status <= 299:
        yield f"{answer.status} {answer.body}"
    for what, value in step.expects.items():
        wanted, actual = _filled(value, sides, names, answers), _part(answer, what)
        if not _fits(actual, wanted):
            yield f"{what} is {actual!r}, not {wanted!r}" + (f"; {answer.body}" if what == "status" else "")


def _fits(actual: t.Any, wanted: t.Any) -> bool:
    if isinstance(wanted, Like):
        return isinstance(actual, str) and re.fullmatch(wanted.pattern, actual) is not None
    if isinstance(wanted, Other):
        return actual is not MISSING and actual != wanted.than
    return actual == wanted and isinstance(actual, bool) == isinstance(wanted, bool)


def _filled(value: t.Any, sides: Sides, names: t.Mapping[str, str], answers: t.Mapping[str, Answer]) -> t.Any:
    """Return it with names and earlier answers in their places."""

    def filled(one: t.Any) -> t.Any:
        return _filled(one, sides, names, answers)

    match value:
        case str():
            for placeholder, name in names.items():
                value = value.replace(placeholder, name)
            return value
        case Differs():
            return filled(value.real if sides.real else value.fake)
        case Of():
            found = _part(answers[value.step], value.pointer)
            return found + value.plus if value.plus else found
        case Other() | Like():
            return value.__class__(filled(value[0]))
        case list():
            return [filled(one) for one in value]
        case dict():
            return {filled(key): filled(one) for key, one in value.items()}
    return value


def _part(answer: Answer, what: str) -> t.Any:
    """Return a part of an answer, as Step has it in C(expects)."""
    if what == "status":
        return answer.status
    if what.startswith("header "):
        return answer.headers.get(what.removeprefix("header ")) or MISSING
    document = json.loads(answer.body)
    if what == "names":
        return [item["metadata"]["name"] for item in document["items"]]
    if what == "managers":
        entries = document["metadata"].get("managedFields", [])
        return {_manager(entry): entry["fieldsV1"] for entry in entries}
    if what.startswith("owners of "):
        keys = what.removeprefix("owners of ").split("/")[1:]
        entries = document["metadata"].get("managedFields", [])
        return {_manager(entry) for entry in entries if owns(entry["fieldsV1"], document, keys)}
    for step in what.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(key) if isinstance(document, list) else key]
        except (LookupError, TypeError, ValueError):
            return MISSING
    return document


def _manager(entry: Object) -> str:
    """Return who, how, and what of the object when that is not all."""
    return " ".join(filter(None, (entry["manager"], entry["operation"], entry.get("subresource"))))
