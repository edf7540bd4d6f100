# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When each item of the guide was checked last, with what result, and what is overdue. Pure."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from ansible_collections.mcp.server.plugins.module_utils import _results, _times
from ansible_collections.mcp.server.plugins.module_utils._guide import headings
from ansible_collections.mcp.server.plugins.module_utils._guide.headings import Item
from ansible_collections.mcp.server.plugins.module_utils._guide.review import MONTH
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._results import Result

ANNOTATION = "mcp.server/last-guide"
A_DAY = timedelta(days=1)  # by which clocks of API servers may differ

# What the results of the parts are: by part, each as in RETURN of mcp_verdict.
Found = t.Mapping[str, t.Sequence[Result]]


class Stamp(t.NamedTuple):
    """When an item was checked last. verdict: one of _results.VERDICTS, never skipped. required: as of a result."""

    at: datetime
    verdict: str
    required: bool = True

    @property
    def day(self) -> str:
        return f"{self.at:%Y-%m-%d}"


def read(document: Object) -> dict[str, Stamp]:
    """Return the stamps of a note, by item. What somebody broke is no stamp."""
    found = {}
    for item in headings.ITEMS:
        note = mapping(document, item.id)
        at, verdict = _times.parse(note.get("at")), note.get("verdict")
        if at and verdict in _results.VERDICTS and verdict != _results.SKIPPED:
            found[item.id] = Stamp(at, verdict, note.get("required") is not False)
    return found


def written(stamps: t.Mapping[str, Stamp]) -> Object:
    """Return the note of these stamps."""
    return {
        name: {
            "at": _times.iso(one.at, "seconds"),
            "verdict": one.verdict,
            **({} if one.required else {"required": False}),
        }
        for name, one in stamps.items()
    }


class Last(t.TypedDict):
    """When the newest stamp of a server is from, ISO 8601, None without one; and how many items failed.

    What only warned is not counted: a staging server without clients, for example, warns of its latency each month.
    """

    at: str | None
    failed: int


def last(document: Object) -> Last:
    """Return what a note says of the last run."""
    known = read(document).values()
    newest = max((one.at for one in known), default=None)
    at = _times.iso(newest, "seconds") if newest else None
    return {"at": at, "failed": sum(one.required and one.verdict != _results.PASSED for one in known)}


def stamped(found: Found, now: datetime) -> dict[str, Stamp]:
    """Return the stamps of what these results check."""
    made = {item.id: _made(item, found) for item in headings.ITEMS}
    worst = {name: _worst(results) for name, results in made.items() if results}
    return {name: Stamp(now, one["verdict"], one["ok"] or one["required"]) for name, one in worst.items()}


def rows(found: Found, before: t.Mapping[str, Stamp], now: datetime) -> list[Result]:
    """Return a result for each item of the guide, in its order, and for each failure that belongs to none.

    before: the stamps from earlier runs.
    """
    return [*(_row(item, found, before.get(item.id), now) for item in headings.ITEMS), *_beside(found)]


def overdue(item: Item, stamp: Stamp | None, now: datetime) -> str:
    """Return in a sentence why an item must be checked again; empty when it need not."""
    if item.because:
        return ""
    if stamp is None:
        return "It was never checked on this server."
    if stamp.at > now + A_DAY:
        return f"Its note says {stamp.day}, which is not yet: somebody edited it."
    if (now - stamp.at).days > item.due:
        span = "a month" if item.due == MONTH else "a quarter"
        return f"It was checked last on {stamp.day}, more than {span} ago."
    if stamp.verdict != _results.PASSED:
        return f"It was checked last on {stamp.day}, and did not pass."
    return ""


def _of(item: Item, found: Found) -> list[Result]:
    return [one for part, results in found.items() for one in results if headings.meant(item, part, str(one["id"]))]


def _beside(found: Found) -> list[Result]:
    """Return what failed and belongs to no item, such as a quota, or a part that ended before its checks.

    The guide has no heading for it, but a part that fails by itself must not pass here.
    """
    rows = []
    for part, results in found.items():
        by = headings.PARTS[part].name
        for one in results:
            check_id, name = str(one["id"]), str(one["name"])
            if _results.problems([one]) and not any(headings.meant(item, part, check_id) for item in headings.ITEMS):
                title = name if name == by else f"{by}: {name}"
                rows.append({**one, "id": f"{part}.{check_id}", "name": title})
    return rows


def _made(item: Item, found: Found) -> list[Result]:
    return [one for one in _of(item, found) if not one["skipped"]]


def _worst(results: t.Sequence[Result]) -> Result:
    """Return the worst of them: what fails a play before what only warns."""
    return min(results, key=lambda one: (one["ok"] or not one["required"], _results.VERDICTS.index(one["verdict"])))


def _row(item: Item, found: Found, stamp: Stamp | None, now: datetime) -> Result:
    name = f"{item.heading}: {item.title}"
    made = _made(item, found)
    if made:
        worst = _worst(made)
        bad = list(dict.fromkeys(str(one["message"]) for one in made if not one["ok"]))
        passed = f"{len(made)} {'check' if len(made) == 1 else 'checks'} passed."
        by = " and ".join(headings.PARTS[part].name for part in found if _made(item, {part: found[part]}))
        seconds = round(sum(float(one["seconds"]) for one in made), 3)
        return _results.result(
            item.id,
            name,
            worst["verdict"],
            f"{by}: {' '.join(bad) or passed}",
            seconds=seconds,
            required=worst["required"],
        )
    if item.because:
        targets = f" ({', '.join(item.tests)})" if item.tests else ""
        message = f"{item.playbook}.yml, not run on staging: {item.because}{targets}."
        return _results.result(item.id, name, _results.SKIPPED, message, required=False)
    why = _why_not(item, found)
    if problem := overdue(item, stamp, now):
        return _results.result(item.id, name, _results.FAILED, f"{problem} {why}", required=False)
    day = stamp.day if stamp else ""
    return _results.result(item.id, name, _results.SKIPPED, f"Passed on {day}. {why}", required=False)


def _why_not(item: Item, found: Found) -> str:
    """Return in a sentence why it was not checked now."""
    skipped = [str(one["message"]) for one in _of(item, found) if one["skipped"]]
    if skipped:
        return skipped[0]
    for part in dict.fromkeys(name.partition(".")[0] for name in item.checks):
        if any(one["id"] == part and not one["ok"] for one in found.get(part, ())):
            return f"Not checked now: {headings.PARTS[part].name} failed."
    needs = headings.needs(item)
    return f"Not checked now: {' or '.join(needs)}." if needs else "Not checked now."
