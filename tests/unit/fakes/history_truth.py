# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth about a history: how long its violations lasted, and between what bounds its scrapes show that.

It is the trigger's definition (docs/gates.md), and shares no code with the collection.
"""

from __future__ import annotations

import bisect
import math
import typing as t
from dataclasses import dataclass
from itertools import accumulate

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import BREACH, INCONCLUSIVE, PASS
from ansible_collections.mcp.server.tests.unit.fakes.histories import LEAD, History, Scrape, Scraped

GAP = 3.5  # scrapes: of a longer time without one nothing is known
LONGEST = 60  # seconds that one value is computed from
ROUNDING = 1e-3  # seconds

Span = tuple[float, float]  # seconds of the watch, from and until


@dataclass(frozen=True)
class Truth:
    """How many seconds the longest violation of a watch lasted."""

    window: float  # of the trigger
    lasted: float  # by what the pods really did; a good value that no scrape shows ends none
    at_least: float  # by the scrapes that there are, however the requests came between them
    at_most: float
    lately: float  # at most, of those violations that may have gone on in the last seconds, as many as were meant

    @property
    def verdict(self) -> str:
        """Return what really happened."""
        return BREACH if self.lasted >= self.window else PASS

    @property
    def shown(self) -> str:
        """Return what the scrapes show. Inconclusive: nobody can decide, as they allow both."""
        if self.at_least >= self.window - ROUNDING:
            return BREACH
        return INCONCLUSIVE if self.lately > self.window + ROUNDING else PASS

    @property
    def is_over(self) -> bool:
        """Return whether a violation that nobody can decide was over before the last seconds: it counts no more."""
        return self.at_most > self.window >= self.lately


def truth(found: History, ended: float) -> Truth:
    """Return the truth about a watch that took so many seconds."""
    lasted, shortest, longest = (_of_memory if found.of_memory else _of_counters)(found, ended)
    lately = [span for span in longest if span[1] > ended - found.seconds]
    seconds = (_seconds(spans) for spans in (lasted, shortest, longest, lately))
    return Truth(found.trigger.window or 0.0, *seconds)


def _seconds(spans: t.Iterable[Span]) -> float:
    return max([0.0, *(end - max(0.0, begin) for begin, end in spans)])


class Entry(t.NamedTuple):
    """What the counters of a pod grew by between two scrapes. Times are seconds of the watch."""

    pod: int
    begin: float
    at: float
    total: float
    counted: float
    first: float  # when the first and the last of the counted requests came
    last: float


class Value(t.NamedTuple):
    """The share of counted requests at one time."""

    at: float
    begin: float  # of the first entry that it is computed from
    past: bool  # whether it is past the limit
    counted: t.Sequence[Entry]  # those with counted requests


When = t.Callable[[Entry], Span]  # when the counted requests of an entry began and ended


def _really(entry: Entry) -> Span:
    return entry.first, entry.last


def _shortest(entry: Entry) -> Span:
    return entry.at, entry.begin


def _longest(entry: Entry) -> Span:
    return entry.begin, entry.at


def _of_counters(found: History, ended: float) -> tuple[list[Span], list[Span], list[Span]]:
    due = _entries(found, [(one, one.due) for one in found.pods], ended, counted_on=True)
    stored = _entries(found, [(one, one.stored) for one in found.pods], ended, counted_on=False)
    gaps = [entry for entry in stored if _is_gap(entry, found.every)]
    known = [entry for entry in stored if not _is_gap(entry, found.every)]
    values = _values(found, known)
    longest = _violations(values, found.every, _longest, ended)
    return (
        [*_violations(_values(found, due), found.every, _really), *_violations(values, found.every, _really)],
        _violations(values, found.every, _shortest),
        _with_gaps(found, longest, _unseen(found, gaps, stored, values, ended)),
    )


def _entries(
    found: History, scraped: t.Iterable[tuple[Scraped, t.Sequence[Scrape]]], ended: float, counted_on: bool
) -> list[Entry]:
    """Return the entries of all pods, in order of time. counted_on: by counters that no restart sets to 0."""
    entries = []
    for one, scrapes in scraped:
        born = [Scrape(one.pod.begins, one.pod.begins)] if one.pod.begins > -LEAD else []
        total, counted = ([0, *accumulate(column)] for column in (one.pod.total, one.pod.counted))
        times = [*born, *scrapes]
        for before, scrape in zip(times, times[1:], strict=False):
            begin, end = math.floor(before.moment), math.floor(scrape.moment)
            restarts = [at for at in one.pod.restarts if begin < at <= end]
            since = begin if counted_on else max([begin, *restarts])
            # A request of a second is counted at its end.
            at = [second + 1 for second in range(since, end) if one.pod.counted[LEAD + second]]
            skew = scrape.stamp - scrape.moment
            first, last = (at[0] + skew, at[-1] + skew) if at else (scrape.stamp, scrape.stamp)
            entries.append(
                Entry(
                    one.pod.number,
                    before.stamp,
                    scrape.stamp,
                    total[LEAD + end] - total[LEAD + since],
                    counted[LEAD + end] - counted[LEAD + since],
                    first,
                    last,
                )
            )
    return sorted(
        (entry for entry in entries if entry.begin >= -found.every / 2 and entry.at <= ended),
        key=lambda entry: entry.at,
    )


def _is_gap(entry: Entry, every: float) -> bool:
    return entry.at - entry.begin > GAP * every


def _limit(found: History) -> float:
    return 0.05 if found.trigger.quantile else found.trigger.limit / 100


def _values(found: History, entries: t.Sequence[Entry]) -> list[Value]:
    """Return the values at the times of the entries: of the last of each pod, or of more, up to LONGEST, until these
    have enough good requests. Of these, the highest one counts.
    """
    required = max(1, found.trigger.min_requests)
    times = [entry.at for entry in entries]
    newest: dict[int, int] = {}
    start, values = 0, []
    for number, entry in enumerate(entries):
        if number and entry.at - times[number - 1] > GAP * found.every:
            start, newest = number, {}
        newest[entry.pod] = number
        latest = [one for one in newest.values() if entry.at - times[one] <= GAP * found.every]
        used, first, scrapes, shares = [entries[one] for one in latest], min(latest), 1, []
        while True:
            total, counted = sum(one.total for one in used), sum(one.counted for one in used)
            shares += [counted / total] if total >= required else []
            enough = total - counted >= found.trigger.min_requests
            if enough or first == start or scrapes * found.every >= LONGEST:
                break
            scrapes += 1
            back = bisect.bisect_right(times, entry.at - (scrapes - 0.5) * found.every)
            first = min(first, max(start, back))
            used = entries[first : number + 1]
        if shares:
            past = max(shares) > _limit(found)
            values.append(Value(entry.at, min(one.begin for one in used), past, [one for one in used if one.counted]))
    return values


def _violations(values: t.Iterable[Value], every: float, when: When, now: float = -math.inf) -> list[Span]:
    """Return from when until when the values are past the limit. now: until when the last one may go on."""
    found: list[Span] = []
    past, before = False, -math.inf
    for value in values:
        goes_on = past and value.at - before <= GAP * every
        past = value.past
        if past:
            # What came by the last good value was a part of that. Only its end may belong to this.
            begins = [when(entry)[0] if entry.at > before else before for entry in value.counted]
            end = max(when(entry)[1] for entry in value.counted)
            if goes_on:
                begin, until = found.pop()
                found.append((begin, max(until, end)))
            else:
                found.append((min(begins), end))
        before = value.at
    if past:
        found[-1] = (found[-1][0], max(found[-1][1], now))
    return found


class Unseen(t.NamedTuple):
    """A time in which a pod was not scraped, and how many seconds of it may have been a violation."""

    begin: float
    end: float
    seconds: float
    known: float  # values leave out what came in it until then


def _unseen(
    found: History, gaps: t.Iterable[Entry], stored: t.Sequence[Entry], values: t.Sequence[Value], ended: float
) -> list[Unseen]:
    spans: list[Span] = []
    for gap in sorted(gaps, key=lambda gap: gap.begin):
        if spans and gap.begin < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], gap.at))
        else:
            spans.append((gap.begin, gap.at))
    unseen = []
    for begin, end in spans:
        among = [entry for entry in stored if begin + ROUNDING < entry.at <= end + ROUNDING]
        total, counted = sum(entry.total for entry in among), sum(entry.counted for entry in among)
        # Requests are taken to come evenly, and those that are counted as thinly as a violation may have them.
        most = (end - begin) * min(1.0, counted / (_limit(found) * total)) if total else 0.0
        if most:
            known = next((value.at for value in values if value.begin >= end - ROUNDING), ended)
            unseen.append(Unseen(begin, end, most, known))
    return unseen


def _with_gaps(found: History, violations: t.Sequence[Span], unseen: t.Iterable[Unseen]) -> list[Span]:
    """Return how long violations may have been, as they may have begun, ended or gone on unseen."""
    near = found.every / 2
    possible = list(violations)
    for gap in unseen:
        before = [span for span in possible if gap.begin - near <= span[1] <= gap.end and span[0] < gap.begin + near]
        after = [span for span in violations if gap.begin <= span[0] <= gap.known + near and span[1] > gap.end - near]
        possible.append((gap.begin, gap.begin + gap.seconds))
        possible += [(begin, max(end, gap.begin + gap.seconds)) for begin, end in before]
        possible += [(min(begin, gap.end - gap.seconds), end) for begin, end in after]
        if gap.seconds >= gap.end - gap.begin - ROUNDING:
            possible += [(begin, end) for begin, _end in before for _begin, end in after]
    return possible


def _of_memory(found: History, ended: float) -> tuple[list[Span], list[Span], list[Span]]:
    lasted: list[Span] = []
    shortest: list[Span] = []
    longest: list[Span] = []
    for one in found.pods:
        levels = one.pod.level
        past = [level > found.trigger.limit for level in levels]
        skew = one.due[0].stamp - one.due[0].moment if one.due else 0.0
        lasted += [
            (begin - LEAD + skew, min(ended, end - LEAD + skew)) for begin, end in _runs(past) if begin - LEAD < ended
        ]
        samples = [(each.stamp, past[LEAD + math.floor(each.moment)]) for each in one.stored]
        samples = [sample for sample in samples if 0 <= sample[0] <= ended]
        shortest += _past(samples, found.every)
        longest += _maybe_past(samples, found.every, ended)
    return _joined(lasted), _joined(shortest), _joined(longest)


def _joined(spans: t.Iterable[Span]) -> list[Span]:
    """Return the spans with those that overlap made one: one pod is past the limit, or another."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _runs(past: t.Sequence[bool]) -> list[tuple[int, int]]:
    begins = [number for number, each in enumerate(past) if each and not (number and past[number - 1])]
    ends = [
        number + 1 for number, each in enumerate(past) if each and not (number + 1 < len(past) and past[number + 1])
    ]
    return list(zip(begins, ends, strict=True))


Sample = tuple[float, bool]


def _past(samples: t.Sequence[Sample], every: float) -> list[Span]:
    """Return from which sample until which a level is seen to be past the limit."""
    found: list[Span] = []
    before = -math.inf
    goes_on = False
    for at, past in samples:
        goes_on = goes_on and at - before <= GAP * every
        if past:
            found.append((found.pop()[0], at) if goes_on else (at, at))
        goes_on, before = past, at
    return found


def _maybe_past(samples: t.Sequence[Sample], every: float, ended: float) -> list[Span]:
    """Return when it may be past the limit: around each sample that is, and where samples are missing."""
    found: list[Span] = []
    since: float | None = None
    for (begin, was), (end, past) in zip(samples, samples[1:], strict=False):
        if was or past or end - begin > GAP * every:
            since = begin if since is None else since
            found.append((since, end))
        since = since if past else None
    if samples and samples[-1][1]:
        # A pod that is not scraped again is taken for one that is gone.
        at = samples[-1][0]
        found.append((at if since is None else since, min(ended, at + GAP * every)))
    if samples and samples[0][1]:
        found.append((samples[0][0] - every, samples[0][0]))
    return found
