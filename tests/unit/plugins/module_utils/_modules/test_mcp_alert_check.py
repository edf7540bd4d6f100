# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._alerts import testing
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_alert_check
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Task

CONFIG = {
    "route": {
        "receiver": "pager",
        "group_wait": "1s",
        "routes": [{"receiver": "ours", "matchers": ['mcp_test="true"'], "group_by": ["alertname"]}],
    },
    "receivers": [{"name": "ours", "webhook_configs": [{"url": "<secret>"}]}, {"name": "pager"}],
}
RULE = {"name": "Errors", "type": "alerting", "health": "ok", "lastEvaluation": "2026-11-28T02:00:00Z"}


class Fake:
    """Alertmanager, and Prometheus. notifies: what its counters rise by once it has an alert."""

    def __init__(self) -> None:
        self.config: t.Any = CONFIG
        self.looks = 0
        self.are_several = False
        self.configs: list[t.Any] = []  # that are shown before that
        self.receivers = ["ours"]
        self.state: dict[str, t.Any] = {"state": "active", "silencedBy": [], "inhibitedBy": []}
        self.notifies = {"alertmanager_notifications_total": 1, "alertmanager_notification_requests_total": 1}
        self.posted: list[dict[str, t.Any]] = []
        self.shows = True
        self.has_metrics = True
        self.peers = 0
        self.alertmanagers: list[dict[str, t.Any]] = [{"url": "http://am/api/v2/alerts"}]
        self.url = ""

    @property
    def firing(self) -> list[dict[str, t.Any]]:
        ended = {one["labels"]["mcp_test_id"] for one in self.posted if "endsAt" in one}
        return [one for one in self.posted if one["labels"]["mcp_test_id"] not in ended]

    def answer(self, path: str, query: dict[str, list[str]], body: t.Any) -> tuple[int, t.Any]:
        if path.startswith("/prometheus"):
            return 200, {"status": "success", "data": self.prometheus(path)}
        if path == "/metrics":
            risen = self.notifies if self.posted else {}
            lines = [f'{name}{{integration="webhook"}} {5 + risen.get(name, 0)}' for name in self.notifies]
            return (200, "\n".join(lines)) if self.has_metrics else (404, "")
        if path == "/api/v2/status":
            peers = [{"name": str(n), "address": "a"} for n in range(self.peers)]
            config = self.configs.pop(0) if self.configs else self.config
            # Of two behind one address, by turns.
            self.looks += 1
            started = str(self.looks % 2) if self.are_several else "0"
            return 200, {
                "cluster": {"peers": peers},
                "config": {"original": json.dumps(config)},
                "uptime": f"2026-11-28T01:00:0{started}Z",
            }
        assert path == "/api/v2/alerts", path
        if body is not None:
            self.posted += body
            return 200, None
        wanted = query["filter"][0]
        return 200, [
            {
                **one,
                "receivers": [{"name": name} for name in self.receivers],
                "status": self.state,
                "startsAt": "2026-11-28T02:00:00Z",
                "updatedAt": "2026-11-28T02:00:01Z",
            }
            for one in self.posted[:1]
            if self.shows and wanted == f'mcp_test_id="{one["labels"]["mcp_test_id"]}"'
        ]

    def prometheus(self, path: str) -> t.Any:
        if path.endswith("/rules"):
            return {"groups": [{"name": "mcp", "interval": 15, "rules": [RULE]}]}
        if path.endswith("/alertmanagers"):
            return {"activeAlertmanagers": self.alertmanagers, "droppedAlertmanagers": []}
        return {"resultType": "scalar", "result": [1795831200, "1795831200"]}


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, found = fake.answer(parts.path, parse_qs(parts.query), json.loads(body) if body else None)
            text = found if isinstance(found, str) else "" if found is None else json.dumps(found)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = handle_any

        def log_message(self, format: str, *args: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    monkeypatch.setattr(testing, "POLL", 0.02)
    monkeypatch.setattr(testing, "APPEARING", 0.2)
    monkeypatch.setattr(testing, "SPARE", -0.5)  # so that a wait is half a second
    with serving(Fake()) as one:
        yield one


def checked(fake: Fake, check: bool = False, **options: t.Any) -> dict[str, tuple[str, str]]:
    given = {
        "namespace": "prod",
        "server": "mcp",
        "alertmanager": {"url": fake.url},
        "prometheus": {"url": f"{fake.url}/prometheus"},
        "test_receiver": "ours",
        **options,
    }
    spec = mcp_alert_check.SPEC
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(
        {key: value for key, value in given.items() if value is not None}
    )
    assert not validated.error_messages
    try:
        found = mcp_alert_check.run(Task(validated.validated_parameters, check))["checks"]
    except Failure as failure:
        found = failure.evidence["checks"]
        bad = [one for one in found if not one["ok"]]
        assert bad and failure.msg == " ".join(one["message"] for one in bad)
    assert all(one["message"].isprintable() and one["message"].endswith(".") for one in found), found
    return {one["id"]: (one["verdict"], one["message"]) for one in found}


def test_an_alert_is_sent_seen_and_ended(fake: Fake) -> None:
    found = checked(fake, rules=["Errors"])
    assert [verdict for verdict, _message in found.values()] == ["passed"] * 4, found
    first, last = fake.posted
    assert first["labels"]["mcp_test"] == "true" and first["labels"]["mcp_server"] == "prod/mcp"
    assert "namespace" not in first["labels"] and "severity" not in first["labels"]
    assert "endsAt" not in first and last["endsAt"] == "2026-11-28T02:00:01Z", "by Alertmanager's clock"
    # Another one has a name of its own, so that it is in another group.
    checked(fake)
    assert len({one["labels"]["alertname"] for one in fake.posted}) == 2


def test_nothing_is_asked_for(fake: Fake) -> None:
    found = checked(fake, test_receiver=None, prometheus=None, alertmanager=None)
    assert {verdict for verdict, _message in found.values()} == {"skipped"}
    assert not fake.posted


def test_a_receiver_of_tests_by_their_name_will_do(fake: Fake) -> None:
    fake.config = routes({"receiver": "ours", "matchers": ['alertname=~"McpServerTest_.+"'], "group_by": ["alertname"]})
    assert checked(fake)["alert_notification"][0] == "passed"


def test_check_mode_sends_nothing(fake: Fake) -> None:
    found = checked(fake, check=True)
    assert found["alert_route"][0] == "passed" and found["alert_notification"][0] == "skipped" and not fake.posted


PAGED = {"receiver": "pager", "matchers": ['alertname=~"Mcp.*"']}


def routes(*found: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {**CONFIG, "route": {"receiver": "pager", "group_wait": "1s", "routes": list(found)}, **more}


@pytest.mark.parametrize(
    ("config", "verdict", "why"),
    [
        (routes(), "failed", "to pager and not to ours only"),
        (routes(PAGED), "failed", "to pager and not"),
        (routes({**CONFIG["route"]["routes"][0], "continue": True}, PAGED), "failed", "to ours, pager and not"),
        ({**CONFIG, "receivers": [{"name": "pager"}]}, "failed", "has no receiver ours"),
        ({**CONFIG, "receivers": [{"name": "ours"}]}, "failed", "notifies nobody"),
        (
            {**CONFIG, "inhibit_rules": [{"source_matchers": ['mcp_test="true"']}]},
            "failed",
            "would inhibit other alerts",
        ),
        # The receiver of everything else is none for tests, though the test alert reaches nobody else.
        (
            {**CONFIG, "route": {"receiver": "ours"}},
            "failed",
            "gets alerts that are no test",
        ),
        (routes({"receiver": "ours", "matchers": ['alertname=~"Mcp.+"']}), "failed", "would wake whom they wake"),
        (routes({"receiver": "ours", "matchers": ["what is this"]}), "cannot_measure", "is not certain"),
        ("nothing", "failed", "has no receiver"),
    ],
)
def test_nothing_is_sent_where_others_could_get_it(fake: Fake, config: t.Any, verdict: str, why: str) -> None:
    fake.config = config
    found = checked(fake)
    assert found["alert_route"][0] == verdict and why in found["alert_route"][1], found
    assert found["alert_notification"][0] == "skipped" and not fake.posted


def test_an_alert_that_is_routed_elsewhere_is_ended_at_once(fake: Fake) -> None:
    fake.receivers = ["ours", "pager"]
    verdict, message = checked(fake)["alert_notification"]
    assert verdict == "failed" and "to ours, pager and not to ours only; it was ended at once" in message
    assert not fake.firing


@pytest.mark.parametrize(
    ("change", "verdict", "why"),
    [
        ({"notifies": {"alertmanager_notifications_total": 0}}, "failed", "did not notify receiver ours"),
        (
            {
                "notifies": {
                    "alertmanager_notifications_total": 1,
                    "alertmanager_notification_requests_total": 2,
                    "alertmanager_notification_requests_failed_total": 2,
                }
            },
            "failed",
            "could not deliver",
        ),
        (
            {
                "notifies": {
                    "alertmanager_notifications_total": 2,
                    "alertmanager_notification_requests_total": 2,
                    "alertmanager_notification_requests_failed_total": 1,
                }
            },
            "cannot_measure",
            "do not say whose",
        ),
        ({"notifies": {"alertmanager_notifications_total": -3}}, "cannot_measure", "was restarted"),
        ({"state": {"silencedBy": ["s-1"], "inhibitedBy": []}}, "cannot_measure", "by silence s-1"),
        ({"state": {"silencedBy": [], "inhibitedBy": ["f-1"]}}, "cannot_measure", "by alert f-1"),
        ({"state": {"mutedBy": ["nights"]}}, "cannot_measure", "by time interval nights"),
        (
            {
                "notifies": {"alertmanager_notifications_total": 0},
                "config": {
                    **CONFIG,
                    "route": {
                        **CONFIG["route"],
                        "routes": [{**CONFIG["route"]["routes"][0], "active_time_intervals": ["days"]}],
                    },
                },
            },
            "cannot_measure",
            "has time intervals (days), which may mute it now",
        ),
        ({"shows": False}, "cannot_measure", "there may be several"),
        ({"has_metrics": False}, "cannot_measure", "no metrics of its notifications"),
    ],
)
def test_what_is_wrong_is_said(fake: Fake, change: dict[str, t.Any], verdict: str, why: str) -> None:
    if "state" in change or change.get("notifies", {}).get("alertmanager_notifications_total") != 1:
        fake.notifies = {"alertmanager_notifications_total": 0}
    for name, value in change.items():
        setattr(fake, name, value)
    found = checked(fake)["alert_notification"]
    assert found[0] == verdict and why in found[1], found
    assert not fake.firing or not fake.shows


@pytest.mark.parametrize("position", [1, 2, 3])
def test_another_configuration_behind_the_same_address_stops_the_alert(fake: Fake, position: int) -> None:
    """One that was changed meanwhile, or another Alertmanager's."""
    fake.configs = [CONFIG] * position + [routes(PAGED)]
    found = checked(fake)
    assert found["alert_route"][0] == "passed" and not fake.posted
    assert found["alert_notification"][0] == "cannot_measure" and "several behind" in found["alert_notification"][1]


def test_several_behind_one_address_get_no_alert(fake: Fake) -> None:
    """What one of them counts tells nothing of the other one."""
    fake.are_several = True
    found = checked(fake)["alert_notification"]
    assert found[0] == "cannot_measure" and "name one of them" in found[1] and not fake.posted


def test_no_alertmanager_cannot_be_measured(fake: Fake) -> None:
    found = checked(fake, alertmanager={"url": "http://127.0.0.1:1"})
    assert found["alert_route"][0] == "cannot_measure" and found["alert_notification"][0] == "skipped"
    assert checked(fake, alertmanager=None)["alert_route"][0] == "cannot_measure"


def test_rules_are_looked_for(fake: Fake) -> None:
    assert checked(fake, rules=["Errors", "None"])["alert_rules"][0] == "failed"
    assert checked(fake, rules=["Errors"], prometheus=None)["alert_rules"][0] == "cannot_measure"
    dead = checked(fake, rules=["Errors"], prometheus={"url": "http://127.0.0.1:1"})
    assert dead["alert_rules"][0] == "cannot_measure" and dead["alert_sender"][0] == "skipped"
    fake.alertmanagers = []
    assert checked(fake, rules=["Errors"])["alert_sender"][0] == "failed"


@pytest.mark.parametrize(
    ("config", "peers", "seconds"),
    [
        (CONFIG, 0, 1.0),
        (CONFIG, 3, 31.0),
        # An earlier test may have left its group.
        (routes({"receiver": "ours", "matchers": ['mcp_test="true"']}), 1, 300.0),
    ],
)
def test_how_long_is_waited(config: dict[str, t.Any], peers: int, seconds: float) -> None:
    status = {"cluster": {"peers": [{}] * peers}, "config": {"original": json.dumps(config)}}
    alert = testing.labels("prod/mcp", {"mcp_test": "true"})
    assert testing.plan(status, "ours", alert).seconds == seconds + 10


def test_an_interrupted_task_ends_its_alert(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: t.Any) -> None:
        raise Interrupted("SIGTERM")

    monkeypatch.setattr(testing, "_notified", interrupt)
    with pytest.raises(Interrupted):
        checked(fake)
    assert fake.posted and not fake.firing


@pytest.mark.parametrize(
    ("options", "why"), [({"receiver_listen": "here"}, "write HOST:PORT"), ({"timeout": 0}, "must be more than 0")]
)
def test_wrong_options_are_refused(fake: Fake, options: dict[str, t.Any], why: str) -> None:
    with pytest.raises(Failure, match=why):
        mcp_alert_check.run(
            Task(
                ArgumentSpecValidator(mcp_alert_check.SPEC.options)
                .validate({"namespace": "prod", "server": "mcp", **options})
                .validated_parameters
            )
        )
