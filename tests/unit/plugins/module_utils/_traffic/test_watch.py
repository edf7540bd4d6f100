# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import watch
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._mcp.servers.scripted import Scripted


def answers(status=200):
    document = json.dumps({"status": "HEALTHY", "version": "1.2.0", "pool": "green"})
    return {"GET": lambda handler, _message: handler.answer(status, document)}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ((100, 0, 1.0, 20), "pass"),
        ((100, 1, 1.0, 20), "pass"),
        ((100, 2, 1.0, 20), "breach"),
        ((20, 1, 0.0, 20), "breach"),
        ((19, 19, 1.0, 20), "no data"),
    ],
)
def test_verdict(given, verdict):
    assert watch.verdict(*given) == verdict


def run(url, check_mode=False, lines=None, **params):
    option = {name: sub.get("default") for name, sub in endpoint.OPTION["options"].items()}
    defaults = {"pool_key": "pool", "seconds": 0.5, "rate": 200.0, "max_failed_percent": 1.0, "min_answers": 5, "label": ""}
    progress = (lines if lines is not None else []).append
    return watch.run(Task({"lock": None, "endpoint": {**option, "url": url}, **defaults, **params}, check_mode, progress=progress))


def test_good(monkeypatch):
    monkeypatch.setattr(watch, "EVERY", 0.1)
    lines = []
    with Scripted(answers()) as server:
        found = run(server.url, lines=lines, label="canary")
    assert (found["verdict"], found["blue"], found["green"], found["failed"], found["changed"]) == ("pass", 0.0, 100.0, 0, False)
    assert 5 <= found["answers"] <= 110
    assert found["p95"] > 0
    assert lines[0].startswith("canary 0 of 0 s: ")


def test_a_breach_ends_it():
    with Scripted(answers(503)) as server, pytest.raises(Failure, match=r"ended with breach: (\d+) of \1 answers failed .* answered 503") as failure:
        run(server.url, seconds=30)
    assert failure.value.evidence["seconds"] < 5


def test_too_few_answers():
    with Scripted(answers()) as server, pytest.raises(Failure, match="no data: .*too few answers"):
        run(server.url, seconds=0.2, min_answers=1000)


def test_check_mode_asks_nothing():
    with Scripted(answers()) as server:
        assert run(server.url, check_mode=True)["verdict"] == "no data"
        assert server.seen == []


@pytest.mark.parametrize("params", [{"rate": 0.0}, {"rate": -1.0}, {"seconds": 0.0}])
def test_bad_input(params):
    ((option, value),) = params.items()
    with pytest.raises(Failure, match=f"{option} is {value:g}: it must be more than 0"):
        run("http://127.0.0.1:9", **params)
