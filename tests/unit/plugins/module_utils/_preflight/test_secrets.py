# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import secrets
from ansible_collections.mcp.server.plugins.module_utils._preflight.secrets import Outline
from ansible_collections.mcp.server.plugins.module_utils._results import Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SERVER = Server("mcp-prod", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")
PATH = "/api/v1/namespaces/mcp-prod/secrets/database"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(days: int, *fields: str) -> dict[str, object]:
    at = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    return {"manager": "kubectl", "time": at, "fieldsV1": {field: {} for field in fields}}


def secret(created: int = 100, *entries: dict[str, object], **data: str) -> dict[str, object]:
    at = (NOW - timedelta(days=created)).isoformat().replace("+00:00", "Z")
    return {"metadata": {"creationTimestamp": at, "managedFields": list(entries)}, "data": data}


@pytest.mark.parametrize(
    ("found", "days"),
    [
        (secret(100), 100),
        (secret(100, written(30, "f:data")), 30),
        (secret(100, written(30, "f:data"), written(70, "f:data", "f:metadata")), 30),
        (secret(100, written(5, "f:metadata")), 100),  # a label is no new value
        (secret(100, {"manager": "x", "time": "nonsense", "fieldsV1": {"f:data": {}}}), 100),
        (secret(100, {"manager": "x", "fieldsV1": None}), 100),
    ],
)
def test_the_last_change_is_when_the_data_was_written(found, days):
    assert secrets.outline(found).changed == NOW - timedelta(days=days)


def test_an_outline_has_no_value():
    outline = secrets.outline(secret(1, KEY=encoded("planted-value"), BLANK=encoded(" \n"), EMPTY=""))
    assert outline.filled == {"KEY"}
    assert "planted" not in repr(outline) and encoded("planted-value") not in repr(outline)


@pytest.mark.parametrize(
    ("days", "limit", "is_old"),
    [(0, 0, False), (90, 90, False), (91, 90, True), (400, None, False), (-3, 0, False)],
)
def test_what_is_too_old(days, limit, is_old):
    at = NOW - timedelta(days=days)
    said = secrets.too_old("database", Outline(frozenset(), at, at), NOW, limit)
    assert bool(said) is is_old
    assert not said or "was last changed 91 days ago, and may be 90 days old: put new values into it" in said


def test_what_is_unknown_is_not_old():
    assert secrets.too_old("database", Outline(frozenset(), None, None), NOW, 1) == ""
    assert secrets.age("database", Outline(frozenset(), None, None), NOW) == "the age of Secret database is unknown"


@pytest.mark.parametrize(("days", "words"), [(-1, "today"), (0, "today"), (1, "1 day ago"), (2, "2 days ago")])
def test_ages_for_people(days, words):
    assert secrets.ago(NOW - timedelta(days=days), NOW) == words


def api(*, refused: str = "", found: dict[str, object] | None = None) -> ApiServer:
    cluster = ApiServer({})
    cluster.objects[PATH] = found or secret(100, written(40, "f:data"), KEY=encoded("x"))
    cluster.clock = lambda: NOW
    cluster.refused.update(filter(None, [refused]))
    return cluster


def wanted(**more: object) -> dict[str, object]:
    return {"required_secrets": [{"name": "database", "keys": ["KEY"], "max_age_days": None, **more}]}


def test_ages_are_told_and_one_that_is_too_old_fails():
    cluster = api()
    said = secrets.check_age(cluster, SERVER, wanted())
    assert said == "Secret database was created 100 days ago and last changed 40 days ago."
    with pytest.raises(Failure, match="last changed 40 days ago, and may be 39 days old"):
        secrets.check_age(cluster, SERVER, wanted(max_age_days=39))


def test_a_secret_that_cannot_be_read_is_the_other_checks_to_tell():
    with pytest.raises(Skipped, match="No Secret can be read"):
        secrets.check_age(api(refused="get secrets"), SERVER, wanted())
    with pytest.raises(Skipped):
        secrets.check_age(ApiServer({}), SERVER, wanted())
