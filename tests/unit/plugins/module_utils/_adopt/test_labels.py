# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels of an idle pool, as tables: what may select its pods and what may not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._adopt import labels
from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import Choice, Selecting, choose
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.selectors import matches

NAME, INSTANCE, PART = "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of"
LIVE = {"app": "weather", "tier": "backend"}
CHART = {NAME: "weather", INSTANCE: "prod", PART: "forecasts"}


def by(**wanted: str) -> dict[str, t.Any]:
    return {"matchLabels": wanted}


def expressions(*found: tuple[str, str, list[str] | None]) -> dict[str, t.Any]:
    return {
        "matchExpressions": [
            {"key": key, "operator": operator, **({} if values is None else {"values": values})}
            for key, operator, values in found
        ]
    }


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        (by(app="weather"), True),
        (by(app="other"), False),
        (by(app="weather", missing="x"), False),
        (expressions(("app", "In", ["a", "weather"])), True),
        (expressions(("app", "In", ["a"])), False),
        (expressions(("app", "NotIn", ["a"])), True),
        (expressions(("app", "NotIn", ["weather"])), False),
        (expressions(("missing", "NotIn", ["a"])), True),
        (expressions(("app", "Exists", None)), True),
        (expressions(("missing", "Exists", None)), False),
        (expressions(("missing", "DoesNotExist", None)), True),
        (expressions(("app", "DoesNotExist", None)), False),
        (expressions(("app", "Unknown", None)), False),
        ({**by(app="weather"), **expressions(("tier", "In", ["frontend"]))}, False),
        ({"matchLabels": None, "matchExpressions": None}, True),
    ],
)
def test_a_selector_selects_as_kubernetes_has_it(selector: dict[str, t.Any] | None, expected: bool) -> None:
    assert matches(selector, LIVE) is expected


def chosen(live: dict[str, str], never: list[t.Any], *, budgets: t.Any = (), alike: t.Any = ()) -> Choice | list[str]:
    def named(selectors: t.Any) -> list[Selecting]:
        return [Selecting(f"object {number}", one) for number, one in enumerate(selectors)]

    return choose(live, named(never), named(budgets), named(alike))


@pytest.mark.parametrize(
    ("live", "never", "more", "expected"),
    [
        # The Service's label alone changes.
        (LIVE, [by(app="weather")], {}, {"app": "weather-green", "tier": "backend"}),
        # Of several, one is enough: an instance first.
        (CHART, [by(**{NAME: "weather", INSTANCE: "prod"})], {}, {**CHART, INSTANCE: "prod-green"}),
        # A broader Service, too.
        (LIVE, [by(app="weather"), by(tier="backend")], {}, {"app": "weather-green", "tier": "backend-green"}),
        # A label that nothing selects by stays.
        ({**LIVE, "version": "v1"}, [by(app="weather")], {}, {**LIVE, "app": "weather-green", "version": "v1"}),
        # The new value is another Service's already.
        (LIVE, [by(app="weather"), by(app="weather-green")], {}, {**LIVE, "app": "weather-mcp-green"}),
        # A NetworkPolicy goes on selecting both pools where that is possible.
        (CHART, [by(**{NAME: "weather", INSTANCE: "prod"})], {"alike": [by(**{INSTANCE: "prod"})]},
         {**CHART, NAME: "weather-green"}),
        # One of others does not begin to.
        (LIVE, [by(app="weather", tier="backend")], {"alike": [expressions(("app", "NotIn", ["weather"]))]},
         {"app": "weather", "tier": "backend-green"}),
        # A budget counts the live pods alone.
        (LIVE, [by(app="weather")], {"budgets": [by(tier="backend")]},
         {"app": "weather-green", "tier": "backend-green"}),
        # Expressions.
        (LIVE, [expressions(("app", "In", ["weather"]))], {}, {"app": "weather-green", "tier": "backend"}),
        (LIVE, [by(app="weather"), expressions(("tier", "Exists", None))], {},
         {"mcp.server/pool": "green"}),
    ],
)  # fmt: skip
def test_as_few_labels_as_needed_change(
    live: dict[str, str], never: list[t.Any], more: dict[str, t.Any], expected: dict[str, str]
) -> None:
    found = chosen(live, never, **more)
    assert isinstance(found, Choice) and found.labels == expected
    assert not any(matches(one, found.labels) for one in never)
    own = labels.own_selector({}, found)
    assert matches({"matchLabels": own}, found.labels) and not matches({"matchLabels": own}, live)


def test_what_labels_cannot_keep_out_is_named() -> None:
    assert chosen(LIVE, [by(app="weather"), expressions(("job", "DoesNotExist", None))]) == ["object 1"]
    found = chosen(LIVE, [by(app="weather")], budgets=[{}, by(app="weather")], alike=[by(app="weather"), {}])
    assert isinstance(found, Choice)
    assert (found.caught, found.lost, found.gained) == (("object 0",), ("object 0",), ())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("weather", "weather-green"), ("", "green"), ("a" * 63, "a" * 57 + "-green"), ("a" * 56 + "-" + "b" * 6, None)],
)
def test_a_value_stays_a_valid_one(value: str, expected: str | None) -> None:
    found = labels._longer(value, "green")
    assert len(found) <= 63 and found == (expected or "a" * 56 + "-green")


def test_a_selector_of_the_own_pods_is_rewritten_and_one_of_others_stays() -> None:
    found = chosen(LIVE, [by(app="weather")])
    assert isinstance(found, Choice)
    green = {"app": "weather-green"}
    assert labels.rewritten(by(app="weather"), LIVE, found) == {"matchLabels": green}
    assert labels.rewritten(by(app="cache"), LIVE, found) == by(app="cache")
    # Of a label that both pools have: the idle pool's pods keep away from each other, and not from the live ones.
    assert labels.rewritten(by(tier="backend"), LIVE, found) == {"matchLabels": {"tier": "backend", **green}}
    both = {**expressions(("app", "In", ["weather"]), ("tier", "Exists", None))}
    assert labels.rewritten(both, LIVE, found) == {"matchLabels": green, **expressions(("tier", "Exists", None))}
