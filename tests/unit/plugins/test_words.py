# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of messages and task names: plain technical English, one word for one thing (docs/glossary.md).

All text in the sources of the plugins counts, but for docstrings and documentation: sentences are built of halves, and
halves come from anywhere. An expression in an f-string stands as {}. Of playbooks and roles, what their tasks show.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
ROLES = sorted((ROOT / "roles").glob("*/tasks/*.yml"))

# Names of module-level text that is for ansible-doc.
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}

# What must not be said, and what to say instead.
BAD = {
    # Riddles and private words (docs/glossary.md)
    r"\bplanned are\b": "has 1 of 2 ready endpoints",
    r"\bgets no more traffic\b": "Refusing to give pool green of X more traffic",
    r"\bheld for\b|\bheld by what\b|\bhas held it\b": "inconclusive after waiting; in progress (by A, for 3 min)",
    r"\bwhat does not pass\b": "inconclusive after waiting 600 s",
    r"\bnot bad either\b": "inconclusive after waiting 600 s",
    r"\bmay be\)|\bs may be\b|% may be$": "(120 s allowed)",
    r"\bpast (the|its) limit\b": "above the limit",
    r"\btoo few (\w+ )?to (tell|judge|compare)\b|\btoo few\b.*\bto tell\b": "only 7 requests, 20 needed",
    r"\bto tell by\b": "only 7 requests, 20 needed",
    r"\b(don't|doesn't|do not|does not) tell\b": "not conclusive yet; does not report",
    r"\bis said\b|\bit is said that\b": "the active voice, with its subject",
    r"\bso the live one's do\b": "the live pool is failing too",
    r"\bmore answers fail than\b": "more requests fail than the new pool serves",
    r"\blooking on\b|\blooks on\b": "still checking, 117 s left",
    r"\bweights of .* are written\b": "Weights of X were written",
    r"\bit is not verified\b": "traffic has not been confirmed to follow",
    r"\bget no good answer\b": "requests through the gateway are failing",
    r"\bno pool has most\b": "neither pool has a majority of the traffic",
    r"\bno release is recorded\b": "there is no release record",
    r"\bunder way\b": "in progress",
    r"\blets? go\b": "its Lease expires in 40 s",
    r"\bto take over from it\b": "To take over, pass ...",
    r"\bis not the one that\b": "This run lost the Lease of X (A took over)",
    r"\b[Nn]othing more is changed\b": "makes no further changes",
    r"\bis written to\b": "another client keeps updating it",
    r"\bsee who (does|holds)\b": "find out which client",
    r"\b(by somebody else|somebody else (changed|writes|released))\b": "another client, or its name",
    r"\bmeanwhile: ": "Conflict, modified by another client: ...",
    r"\bnobody releases\b": "no release in progress",
    r"\bpermitted to look\b": "skipped: no permission",
    r"\bdo without\b": "continuing without: list events (...)",
    r"\b[Mm]end\b": "Fix the new version",
    r"\bmay not bear\b": "may break clients",
    r"\bfailed, traffic is on\b": "v1.2.1 was rolled back; all traffic is on blue (v1.1.5) again. Cause: ...",
    r"\bbetter to have\b": "optional",
    r"\bis what\b.*\btells\b": "the active voice, with its subject",
    r"\b(can't|cannot) be meant\b": "is not valid",
    r"\ball is over\b": "ended after 6 s",
    # Persons
    r"\b[Ww]e\b": "who does it, by its name",
    r"\b[Oo]urs?\b|\bus\b": "whose it is, by its name",
}

# What others say, word for word.
QUOTED = {"the server rejected our request due to an error in our request"}

# The first word of a task's name.
VERBS = frozenset(
    """
    Add Announce Assert Begin Break Build Bypass Call Change Check Choose Collect Compare Continue Copy Create Delete
    Deploy Discover End Evaluate Expire Fail Find Give Go Handle Install Leave List Make Measure Move Pause Plan Post
    Prepare Probe Publish Push Query Read Record Refuse Rehearse Release Remember Remove Replay Report Restore Retry
    Return Roll Run Scale Scan Send Shift Show Silence Skip Start Stop Take Try Update Validate Verify Wait Warn Watch
    Write
    """.split()  # noqa: SIM905
)


def texts_of(source: str) -> list[tuple[int, str]]:
    """Return line and text of all string literals of a Python file that are neither docstrings nor documentation."""
    tree = ast.parse(source)
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            left_out.add(node.value)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in DOCUMENTATION:
            left_out.add(node.value)
        if isinstance(node, ast.JoinedStr):
            left_out.update(one for one in node.values if isinstance(one, ast.Constant))
    found = []
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.JoinedStr):
            halves = (str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
            found.append((node.lineno, "".join(halves)))
    return found


def tasks_of(loaded: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield all plays, blocks and tasks of a loaded file."""
    for one in loaded or ():
        yield one
        for key in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from tasks_of(one.get(key))


def shown_by(task: dict[str, t.Any]) -> t.Iterator[str]:
    """Yield what a task says: msg, fail_msg and success_msg; of a template, its string literals."""
    for arguments in task.values():
        if isinstance(arguments, dict):
            for key in ("msg", "fail_msg", "success_msg"):
                if isinstance(text := arguments.get(key), str):
                    yield text


def all_messages() -> list[tuple[str, str]]:
    """Return where each message stands, and its text."""
    found = [
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in PLUGINS
        for line, text in texts_of(path.read_text(encoding="utf-8"))
    ]
    for path in (*PLAYBOOKS, *ROLES):
        tasks = tasks_of(yaml.safe_load(path.read_text(encoding="utf-8")))
        found += [(str(path.relative_to(ROOT)), text) for task in tasks for text in shown_by(task)]
    return [(where, text) for where, text in dict.fromkeys(found) if " " in text.strip() and text not in QUOTED]


MESSAGES = all_messages()


def test_messages_are_found_where_they_are_written() -> None:
    source = """
DOCUMENTATION = "not this"
def reason(x):
    "Not this."
    return f"pool {x} is {'bad' if x else 'good as gold'}"
def run(task):
    said = "put together " + f"{1}"
    raise Failure(said, evidence="this too")
"""
    found = [text for _line, text in texts_of(source)]
    assert set(found) == {"pool {} is {}", "bad", "good as gold", "put together ", "{}", "this too"}
    tasks = list(tasks_of([{"block": [{"ansible.builtin.fail": {"msg": "a b"}}], "rescue": [{"name": "c"}]}]))
    assert [text for task in tasks for text in shown_by(task)] == ["a b"] and tasks[-1] == {"name": "c"}
    assert len(MESSAGES) > 700


@pytest.mark.parametrize("pattern", BAD)
def test_no_message_says(pattern: str) -> None:
    bad = [f"{where}: {text}" for where, text in MESSAGES if re.search(pattern, text)]
    assert not bad, f"say: {BAD[pattern]}\n" + "\n".join(bad)


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("Pool green of X gets no more traffic: Service S has 1 ready endpoints, planned are 2", 1),
        ("held for 600 s by what does not pass and is not bad either:", 3),
        ("past the limit of 5 % for 130 s, (120 s may be)", 2),
        ("7 requests are too few to tell by, 20 are enough", 2),
        ("5 blocks of time don't tell yet", 1),
        ("more answers fail than the new pool gives: so the live one's do, too", 1),
        ("looking on for 117 s", 1),
        ("The weights of X are written (...), but it is not verified that traffic follows them", 2),
        ("clients get no good answer now (...)", 1),
        ("No rollback of X: no release is recorded and no pool has most of the traffic", 1),
        ("A release of X is under way; it lets go in 40 s by itself; to take over from it, say so", 3),
        ("This run is not the one that releases X any more: A took over. Nothing more is changed by it.", 2),
        ("it is written to all the time; see who does that", 2),
        ("Changed by somebody else meanwhile: ...", 2),
        ("The check of the nodes was skipped: we are not permitted to look.", 2),
        ("we do without list events (the reasons why ...)", 1),
        ("in 2 ways that clients may not bear: ... Mend the new version, or accept ...", 2),
        ("nobody releases now", 1),
    ],
)
def test_the_patterns_find_what_was_said_before(text: str, patterns: int) -> None:
    found = [pattern for pattern in BAD if re.search(pattern, text)]
    assert len(found) >= patterns, found


@pytest.mark.parametrize(
    "text",
    [
        "Refusing to give pool green of X more traffic: Service S has 1 of 2 ready endpoints.",
        "inconclusive after waiting 600 s: errors",
        "above the limit of 5 % for 130 s (120 s allowed)",
        "only 7 requests, 20 needed",
        "5 time blocks: not conclusive yet",
        "more requests fail than the new pool serves: the live pool is failing too",
        "still checking, 117 s left",
        "Weights of X were written (...), but traffic has not been confirmed to follow",
        "Cannot roll back X: there is no release record and neither pool has a majority of the traffic",
        "This run lost the Lease of X (A took over) and makes no further changes.",
        "Conflict, modified by another client: ...",
        'Check "nodes" skipped: no permission.',
        "in 2 ways that may break clients: ... Fix the new version, or accept ...",
        "Without Prometheus (mcp_prometheus) nobody watches these triggers: latency.",
        "the web answers",
    ],
)
def test_the_patterns_leave_alone_what_is_said_instead(text: str) -> None:
    assert [pattern for pattern in BAD if re.search(pattern, text)] == []


def names() -> list[tuple[str, str]]:
    found = []
    for path in (*PLAYBOOKS, *ROLES):
        found += [
            (str(path.relative_to(ROOT)), one.get("name", "")) for one in tasks_of(yaml.safe_load(path.read_text()))
        ]
    for path in (
        *(ROOT / "plugins" / "modules").glob("*.py"),
        *(ROOT / "plugins" / "filter").glob("*.py"),
        *(ROOT / "plugins" / "lookup").glob("*.py"),
    ):
        examples = next(
            (
                node.value.value
                for node in ast.parse(path.read_text()).body
                if isinstance(node, ast.Assign)
                and getattr(node.targets[0], "id", "") == "EXAMPLES"
                and isinstance(node.value, ast.Constant)
            ),
            "",
        )
        found += [(str(path.relative_to(ROOT)), one.get("name", "")) for one in tasks_of(yaml.safe_load(examples))]
    return found


@pytest.mark.parametrize(("where", "name"), names())
def test_a_task_is_named_by_an_imperative_with_an_object(where: str, name: str) -> None:
    words = name.split()
    assert len(words) >= 2 and words[0] in VERBS, f"{where}: {name!r}"
    # "Announce it" says nothing to somebody who reads this line only
    assert words[1:] not in (["it"], ["them"], ["that"]), f"{where}: {name!r}"
