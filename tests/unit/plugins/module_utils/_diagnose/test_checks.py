# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._diagnose import checks
from ansible_collections.mcp.server.plugins.module_utils._diagnose.checks import Check, judged
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
PASSWORD = "planted-hunter2"


@pytest.fixture(autouse=True)
def nothing_concealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_task, "_SECRETS", set())


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def token(subject: str) -> str:
    parts = [{"alg": "none"}, {"sub": subject}]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts), "c2ln"]
    )


def workload(*keys: str) -> dict[str, t.Any]:
    env = [{"name": key, "valueFrom": {"secretKeyRef": {"name": "db", "key": key}}} for key in keys]
    return {"spec": {"template": {"spec": {"containers": [{"name": "mcp", "env": env}]}}}}


def secret(**data: str) -> dict[str, t.Any]:
    return {"/api/v1/namespaces/prod/secrets/db": {"data": {key: encoded(value) for key, value in data.items()}}}


def keys_of(api: ApiServer, *wanted: str) -> tuple[list[Check], list[Finding]]:
    return checks.secret_keys(api, SERVER, Sources(workloads={"blue": workload(*wanted), "green": workload()}))


def test_only_the_keys_of_secrets_are_told() -> None:
    url = f"postgresql://mcp:{PASSWORD}@db:5432/mcp"
    (check,), problems = keys_of(ApiServer(secret(url=url, name="mcp-blue")), "url")
    assert (check.ok, check.said, problems) == (True, "its keys: name, url", [])
    hidden = _task.without_secrets({"a": f"connect with {PASSWORD}", "b": url, "c": encoded(url), "d": "mcp-blue"})
    # The name of a workload stays readable, whatever a Secret has.
    assert PASSWORD not in json.dumps(hidden) and encoded(url) not in json.dumps(hidden) and hidden["d"] == "mcp-blue"


@pytest.mark.parametrize(
    ("objects", "ok", "said", "found"),
    [
        (secret(other="x"), False, "its keys: other", ["has no key url"]),
        ({}, False, "it does not exist", ["does not exist"]),
    ],
)
def test_what_a_secret_lacks_is_found(objects: dict[str, t.Any], ok: bool, said: str, found: list[str]) -> None:
    (check,), problems = keys_of(ApiServer(objects), "url")
    assert (check.ok, check.said, [one.said for one in problems]) == (ok, said, found)
    assert all(one.cause == "configuration" and one.confirmed for one in problems)


def test_without_the_right_nothing_is_said_of_a_secret() -> None:
    api = ApiServer(secret(url="x"))
    api.refused.add("get secrets")
    (check,), problems = keys_of(api, "url")
    assert (check.ok, problems) == (None, []) and "no right" in check.said


class Reviewer:
    """An API server that reviews tokens."""

    def __init__(self, status: dict[str, t.Any] | Exception) -> None:
        self.status, self.asked = status, list[t.Any]()

    def create(self, path: str, body: t.Any, **_query: str) -> dict[str, t.Any]:
        self.asked.append((path, body["spec"]["token"]))
        if isinstance(self.status, Exception):
            raise self.status
        return {"status": self.status}


@pytest.mark.parametrize(
    ("status", "ok", "said"),
    [
        ({"authenticated": True, "user": {"username": "system:serviceaccount:prod:mcp"}}, True, "serviceaccount:prod"),
        ({"authenticated": False, "error": "token has expired"}, False, "token has expired"),
        ({}, False, "does not authenticate"),
        (Forbidden("no"), None, "no right to create tokenreviews"),
    ],
)
def test_a_token_is_reviewed(status: t.Any, ok: bool | None, said: str) -> None:
    reviewer = Reviewer(status)
    check = checks.token_review(t.cast(t.Any, reviewer), token("system:serviceaccount:prod:mcp"))
    assert check.ok is ok and said in check.said and len(reviewer.asked) == 1


@pytest.mark.parametrize("given", ["opaque", token("user@example.com"), "a.b.c", "..", "a.W10.c"])
def test_the_token_of_another_issuer_is_not_sent_to_the_api_server(given: str) -> None:
    reviewer = Reviewer({"authenticated": True})
    check = checks.token_review(t.cast(t.Any, reviewer), given)
    assert check.ok is None and reviewer.asked == []


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("database-prod:5432", ("prod", "database-prod")),
        ("database.data:5432", ("data", "database")),
        ("database.data.svc:5432", ("data", "database")),
        ("http://database.data.svc.cluster.local:80/x", ("data", "database")),
        ("database-prod.cluster-xyz.internal:5432", None),
        ("example.com:443", None),
        ("10.0.0.1:5432", None),
        ("", None),
    ],
)
def test_the_service_that_a_host_names(target: str, service: tuple[str, str] | None) -> None:
    assert checks.service_of(target, "prod") == service


def test_the_endpoints_of_what_the_server_needs() -> None:
    def slices(name: str, ready: bool) -> dict[str, t.Any]:
        path = f"/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices/{name}-1"
        labels = {"kubernetes.io/service-name": name}
        target = {"kind": "Pod", "uid": "u"}
        one = {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": target}
        return {path: {"metadata": {"labels": labels}, "endpoints": [one]}}

    api = ApiServer({**slices("up", True), **slices("down", False)})
    found = checks.target_endpoints(api, SERVER, ["up:1", "down:1", "nowhere:1", "up:2", "example.com:443"])
    assert [(one.asked.rpartition("/")[2], one.ok) for one in found] == [
        ("up", True),
        ("down", False),
        ("nowhere", None),
    ]


def finding(cause: str) -> Finding:
    return Finding(cause, "log", "is so")


@pytest.mark.parametrize(
    ("cause", "made", "confirmed"),
    [
        ("database", [("tcp", False)], True),
        ("database", [("dns", True), ("tcp", True)], False),
        ("database", [("dns", True), ("tcp", False)], True),
        ("database", [("tcp", None)], None),
        ("database", [("endpoints", True)], None),
        ("database", [("endpoints", False), ("tcp", True)], True),
        ("database", [], None),
        ("name_resolution", [("dns", False)], True),
        ("authentication", [("token_review", False)], True),
        ("authentication", [("token_review", True)], False),
        ("authentication", [("secret_keys", True)], None),
        ("memory", [("tcp", False)], None),
    ],
)
def test_what_checks_say_of_a_cause(cause: str, made: list[tuple[str, bool | None]], confirmed: bool | None) -> None:
    (found,) = judged([finding(cause)], [Check(name, "x", ok, "") for name, ok in made])
    assert found.confirmed is confirmed


def test_the_service_without_endpoints_is_what_to_look_at_next() -> None:
    down = Check("endpoints", "Endpoints of Service data/db", False, "0 ready", "kubectl -n data describe service db")
    (found,) = judged([finding("database")], [down, Check("tcp", "TCP db:1", False, "refused")])
    assert found.facts == {"check": "TCP db:1: FAILED (refused)", "next": "kubectl -n data describe service db"}


def test_a_failed_check_is_a_cause_without_a_line_of_a_log() -> None:
    made = [
        Check("endpoints", "Endpoints of Service prod/db", False, "0 ready", "kubectl describe"),
        Check("dns", "DNS db", True, ""),
        Check("tcp", "TCP db:5432", False, "the connection was refused"),
        Check("tcp", "DNS and TCP", None, "no image"),
        Check("token_review", "TokenReview", False, "it does not authenticate"),
    ]
    database, token = checks.alone([], made)
    assert (database.cause, database.where) == ("database", "a check made now, TCP db:5432")
    assert database.said == "the connection was refused" and database.facts == {"next": "kubectl describe"}
    assert (token.cause, token.confirmed) == ("authentication", True)
    assert [one.cause for one in checks.alone([Finding("database", "log", "x")], made)] == ["authentication"]
