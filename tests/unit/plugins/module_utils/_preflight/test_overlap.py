# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight.overlap import Pool, problem

Labels = dict[str, str]


def found(blue: tuple[Labels, Labels], green: tuple[Labels, Labels]) -> t.Any:
    return {
        "blue": Pool("Service p/b", blue[0], "Deployment p/blue", blue[1]),
        "green": Pool("Service p/g", green[0], "StatefulSet p/green", green[1]),
    }


A = {"app": "x", "track": "a"}
B = {"app": "x", "track": "b"}


@pytest.mark.parametrize(
    ("blue", "green", "of_blue", "of_green"),
    [
        ((A, A), (B, B), "", ""),
        (({"app": "weather"}, {"app": "weather"}), ({"app": "weather-green"}, {"app": "weather-green"}), "", ""),
        ((A, {**A, "more": "1"}), (B, {**B, "more": "1"}), "", ""),
        (
            ({"app": "x"}, A),
            (B, B),
            "Service p/b of pool blue selects app=x, and so also the pods of StatefulSet p/green. Add track=a to its "
            "selector.",
            "",
        ),
        (({"app": "x"}, A), ({"app": "x"}, B), "Add track=a to its selector.", "Add track=b to its selector."),
        (
            ({"app": "x"}, {"app": "x"}),
            (B, B),
            "Give the pod template of Deployment p/blue a label of its own, such as pool=blue, and add it to the "
            "selector once its pods have it.",
            "",
        ),
        (
            ({"app": "x"}, {"app": "x", "version": "1", "helm.sh/chart": "x-1"}),
            ({"app": "x", "version": "2"}, {"app": "x", "version": "2"}),
            "such as pool=blue",
            "",
        ),
        (({"app": "x"}, {**A, "a": "1"}), (B, B), "Add track=a to its selector.", ""),
        (
            (A, {"app": "x"}),
            (B, B),
            "Service p/b of pool blue selects app=x,track=a, which the pod template of Deployment p/blue does not have"
            ": its labels are app=x.",
            "",
        ),
        ((A, {}), (B, B), "its labels are none.", ""),
    ],
)
def test_each_service_selects_its_own_pods_alone(
    blue: tuple[Labels, Labels], green: tuple[Labels, Labels], of_blue: str, of_green: str
) -> None:
    for pool, says in (("blue", of_blue), ("green", of_green)):
        sentence = problem(found(blue, green), pool)
        assert says in sentence and bool(sentence) is bool(says)
