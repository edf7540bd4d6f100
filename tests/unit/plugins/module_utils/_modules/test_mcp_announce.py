# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real requests to webhooks on loopback that answer well, badly and not at all."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._http import client
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_announce
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.records import RECORD, Store, listening, release

EMPTY = {"url": None, "url_env": None, "url_file": None, "format": "json", "ca_cert": None}


class Run:
    """One run of the module on a record. warnings: what it warned of."""

    def __init__(self, monkeypatch, store):
        self.warnings, self.store = [], store
        self.connect = lambda params: store

        def connect(params):
            return self.connect(params)

        monkeypatch.setattr(connection, "connect", connect)

    def __call__(self, *webhooks, check_mode=False, timeout=3.0, **more):
        params = {
            "namespace": "prod",
            "server": "mcp",
            "pool_name_format": "{server}-{pool}",
            "route": None,
            "container": None,
            "api_timeout": 10.0,
            "run_id": None,
            "webhooks": [{**EMPTY, **one} for one in webhooks],
            "event": "ended",
            "failure": None,
            "escalation": [{"name": "Kim", "contact": None, "when": None}],
            "kind": None,
            "timeout": timeout,
            **more,
        }
        self.warnings.clear()
        return mcp_announce.run(Task(params, check_mode, warn=self.warnings.append))


@pytest.fixture
def run(monkeypatch):
    return Run(monkeypatch, Store(release()))


def test_both_forms_once(run, monkeypatch, tmp_path):
    with listening(200) as generic, listening(200) as slack:
        monkeypatch.setenv("MCP_HOOK", generic.url)
        file = tmp_path / "hook"
        file.write_text(f"{slack.url}\n")
        hooks = ({"url_env": "MCP_HOOK"}, {"url_file": str(file), "format": "slack"})
        assert (
            not generic.got and run(*hooks, check_mode=True)["changed"] and not generic.got and not run.store.writes()
        )
        result = run(*hooks)
        assert (result["changed"], result["delivered"], run.warnings) == (True, 2, [])
        again = run(*hooks)
        assert (again["changed"], again["delivered"]) == (False, 0)
    assert [one["body"]["summary"] for one in generic.got] == ["prod/mcp: v1.2.0 is released, v1.1.5 was live before"]
    assert generic.got[0]["headers"]["Content-Type"] == "application/json"
    assert [block["type"] for block in slack.got[0]["body"]["blocks"]][0] == "header" and len(slack.got) == 1
    assert run.store.current["announced"] == "succeeded"
    assert "SECRET" not in json.dumps([result, run.store.data])


def test_what_ends_otherwise_later_is_announced_too(run):
    run.store.data["current"] = json.dumps(release("rolled_back", announced="succeeded"))
    with listening(200) as hook:
        assert run({"url": hook.url})["changed"]
        run.store.data["current"] = json.dumps(release("running"))
        assert not run({"url": hook.url})["changed"]
    assert len(hook.got) == 1


@pytest.mark.parametrize(
    ("found", "due"),
    [
        (None, False),
        (release("running"), False),
        (release("succeeded"), True),
        (release("succeeded", announced="succeeded"), False),
        (release("rolled_back", announced="succeeded"), True),
    ],
)
def test_when_an_end_is_to_be_announced(found, due):
    assert mcp_announce._is_due(found) is due


def test_an_announcement_that_is_not_recorded(run):
    run.store.fail(Failure("No permission."), "PATCH", RECORD)
    with listening(200) as hook:
        assert run({"url": hook.url})["delivered"] == 1
    assert run.warnings == ["The announcement could not be recorded and may be repeated. No permission."]


def test_a_failure_is_announced_whatever_the_record_says(run):
    run.store.data["current"] = json.dumps(release("rolled_back", announced="rolled_back"))
    with listening(200) as hook:
        assert run({"url": hook.url}, event="rollback_failed", failure="No rollback: no endpoint.")["delivered"] == 1
    assert (hook.got[0]["body"]["failure"], hook.got[0]["body"]["escalation"][0]["name"]) == (
        "No rollback: no endpoint.",
        "Kim",
    )
    assert run.store.writes() == []


def test_an_api_server_that_is_away(run):
    def away(params):
        assert params["api_timeout"] == mcp_announce.RECORD_SECONDS
        raise connection.Unreachable("The API server does not answer.")

    run.connect = away
    with listening(200) as hook:
        assert (
            run({"url": hook.url}, event="rollback_failed", failure="The API server does not answer.")["delivered"] == 1
        )
        assert run.warnings == ["Announcing without the release record. The API server does not answer."]
        assert run({"url": hook.url})["delivered"] == 0
    assert hook.got[0]["body"]["release"] is None


@pytest.mark.parametrize(
    ("statuses", "tries", "warning"),
    [
        ([503, 200], 2, None),
        ([429, 500, 200], 3, None),
        ([500], 3, "Not announced to webhook 1: it answered 500."),
        ([404], 1, "Not announced to webhook 1: it answered 404."),
        ([302], 1, "Not announced to webhook 1: it answered 302."),
    ],
)
def test_bad_answers(run, statuses, tries, warning):
    with listening(*statuses) as hook:
        result = run({"url": hook.url})
    assert len(hook.got) == tries
    assert run.warnings == ([warning] if warning else [])
    assert result["changed"] == (warning is None) and bool(run.store.writes()) == (warning is None)


def test_one_that_hangs_holds_up_nothing(run):
    with listening(0) as hangs, listening(200) as works:
        start = time.monotonic()
        result = run({"url": hangs.url}, {"url": works.url}, timeout=1.0)
        took = time.monotonic() - start
    assert took < 1.5
    assert result["delivered"] == 1
    assert len(run.warnings) == 1 and "webhook 1: no answer within" in run.warnings[0]


def test_one_that_answers_a_byte_now_and_then(run):
    """No time-out of the library ends this one."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            client, _address = server.accept()
            with client:
                for byte in b"HTTP/1.1 200 OK" + b"x" * 100:
                    time.sleep(0.2)
                    try:
                        client.sendall(bytes([byte]))
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        start = time.monotonic()
        run({"url": f"http://127.0.0.1:{server.getsockname()[1]}/SECRET"}, timeout=1.0)
    assert time.monotonic() - start < 1.5
    assert run.warnings == ["Not announced to webhook 1: no answer within 1 s."]


@pytest.mark.parametrize(
    ("option", "warning"),
    [
        ({"url_env": "MCP_NO_SUCH"}, "webhook 1 (environment variable MCP_NO_SUCH): it is empty or missing."),
        ({"url_file": "/no/such"}, "webhook 1 (file /no/such): it cannot be read (No such file or directory)."),
        ({"url": "SECRET"}, "webhook 1: it is not a URL."),
        ({"url": "http://[SECRET"}, "webhook 1: it is not a URL."),
        (
            {"url": "http://127.0.0.1:9/SECRET"},
            "webhook 1: it cannot be reached; check its URL, the network and the proxy.",
        ),
        (
            {"url": "https://hooks.example/SECRET", "ca_cert": "/no/such"},
            "webhook 1: it cannot be used; check its URL and ca_cert.",
        ),
        ({"url": "http://a..b/SECRET"}, "webhook 1: "),
    ],
)
def test_a_webhook_that_is_none(run, option, warning):
    assert run(option)["changed"] is False
    assert len(run.warnings) == 1 and run.warnings[0].startswith(f"Not announced to {warning}")
    assert "SECRET" not in run.warnings[0]


def test_without_webhooks_there_are_still_the_stats(run):
    result = run()
    assert (result["changed"], result["stats"]["to_version"], run.store.writes()) == (False, "v1.2.0", [])


def test_without_requests(run, monkeypatch):
    monkeypatch.setattr(client, "REQUESTS_ERROR", "ImportError")
    run({"url": "http://127.0.0.1:9/"})
    assert "requests" in run.warnings[0]


def test_a_bad_timeout(run):
    with pytest.raises(Failure, match="timeout is 0"):
        run(timeout=0)


def test_an_annotation_with_a_token(run, monkeypatch, tmp_path):
    """As Grafana's HTTP API asks for it: docs "Annotations HTTP API", POST /api/annotations."""
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_planted-1f2e3d")
    with listening(200) as grafana:
        hook = {"url": grafana.url, "format": "grafana", "token_env": "GRAFANA_TOKEN"}
        result = run(hook)
        assert result["delivered"] == 1
    (got,) = grafana.got
    assert got["headers"]["Authorization"] == "Bearer glsa_planted-1f2e3d"
    assert set(got["body"]) == {"time", "timeEnd", "tags", "text"}
    assert "planted" not in json.dumps([result, run.warnings, run.store.data])


@pytest.mark.parametrize("token", ["", "two words"])
def test_a_token_that_is_none_is_a_warning(run, monkeypatch, token):
    monkeypatch.setenv("GRAFANA_TOKEN", token)
    with listening(200) as grafana:
        assert run({"url": grafana.url, "format": "grafana", "token_env": "GRAFANA_TOKEN"})["delivered"] == 0
    assert not grafana.got
    (warning,) = run.warnings
    assert warning.startswith("Not announced to webhook 1: no bearer token in environment variable GRAFANA_TOKEN")
    assert "two words" not in warning and "SECRET" not in warning
