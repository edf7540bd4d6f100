# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, options
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_gate
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.metrics import EVERY, answers
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, serving


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.setattr(connect, "memory_limit", lambda *_arguments: None)


def run(url, check_mode=False, **params):
    lines, warnings = [], []
    defaults = {name: sub.get("default") for name, sub in mcp_gate.SPEC.options.items()}
    prometheus = {name: sub.get("default") for name, sub in options.OPTION["options"].items()} | {
        "url": url,
        "source": ["app"],
    }
    params = {**defaults, "namespace": "prod", "server": "mcp", "pool": "green", "prometheus": prometheus, **params}
    result = mcp_gate.run(Task(params, check_mode, progress=lines.append, warn=warnings.append))
    return result | {"lines": lines, "warnings": warnings}


def errors(share, seconds=200):
    scrapes = int(seconds / EVERY)
    series = answers([100 - share] * scrapes, [share] * scrapes, start=time.time() - seconds)
    return Fake(serving(lambda: series, time.time))


ONLY = {name: {"enabled": False} for name in ("latency", "database", "memory", "error_burst")}


def test_pass():
    with errors(0) as fake:
        found = run(fake.url, gates=ONLY)
    assert (found["verdict"], found["changed"], [gate["verdict"] for gate in found["gates"]]) == (
        "pass",
        False,
        ["pass"],
    )
    assert found["lines"] == ["errors: pass, 0.0 % of 100 requests, limit 5 %"]


def test_breach():
    with (
        errors(20) as fake,
        pytest.raises(
            Failure, match=r"^Pool green of prod/mcp does not pass: errors breach \(20.0 %\): past the limit"
        ) as failure,
    ):
        run(fake.url, gates=ONLY)
    assert failure.value.evidence["verdict"] == "breach"
    with errors(20) as fake:
        assert run(fake.url, gates=ONLY, fail_on="never")["verdict"] == "breach"


def test_inconclusive():
    """Only the errors are known."""
    with errors(0) as fake:
        assert run(fake.url)["verdict"] == "inconclusive"
        with pytest.raises(Failure, match="latency no data: .*memory no data: none of the sources tells memory"):
            run(fake.url, fail_on="inconclusive")


def test_several_sets():
    """Two gates of the same name: 3 % is above the limit of a step, and below the one of the trigger."""
    changes = {
        name: {"enabled": False}
        for name in ("latency", "database", "memory", "error_burst", "latency_rise", "mcp_errors", "lost_sessions")
    }
    with errors(3) as fake, pytest.raises(Failure) as failure:
        run(fake.url, checks=["shift", "triggers"], gates=changes)
    found = failure.value.evidence["gates"]
    assert [(gate["gate"], gate["window"], gate["outcome"]) for gate in found] == [
        ("errors", None, "breach"),
        ("errors", 120, "pass"),
    ]


def test_check_mode_shows_what_is_asked():
    with errors(20) as fake:
        found = run(fake.url, check_mode=True, gates=ONLY)
    assert found["verdict"] == "breach"
    assert found["lines"][1].startswith('2 series, 82 samples: {__name__=~"mcp_server_database_errors_total|')
    assert len(found["queries"]) == 1


def test_nothing_answers():
    found = run("http://127.0.0.1:9")
    assert (found["verdict"], found["at"]) == ("inconclusive", None)
    assert {gate["verdict"] for gate in found["gates"]} == {"cannot_measure"}
    assert len(found["warnings"]) == 1


def test_credentials(monkeypatch, tmp_path):
    monkeypatch.setenv("PLANTED", "planted.token")
    token = tmp_path / "token"
    token.write_text("filed.token\n")
    with errors(0) as fake:
        for option in ({"token_env": "PLANTED"}, {"token_file": str(token)}, {"username": "user", "password": "word"}):
            params = {name: sub.get("default") for name, sub in options.OPTION["options"].items()} | {
                "url": fake.url,
                **option,
            }
            connect.connect({"prometheus": params}).now()
        seen = [headers["Authorization"] for _path, _parameters, headers in fake.seen]
    assert seen == ["Bearer planted.token", "Bearer filed.token", "Basic dXNlcjp3b3Jk"]
    params = {name: sub.get("default") for name, sub in options.OPTION["options"].items()} | {
        "url": "http://127.0.0.1:9",
        "token_file": "/nowhere",
    }
    with pytest.raises(Failure, match="prometheus.token_file /nowhere cannot be read"):
        connect.connect({"prometheus": params})


@pytest.mark.parametrize(
    ("params", "words"),
    [({"seconds": 0.0}, "seconds is 0"), ({"gates": {"error": {"limit": 1}}}, "gates.error is none of")],
)
def test_bad_input(params, words):
    with pytest.raises(Failure, match=words):
        run("http://127.0.0.1:9", **params)
