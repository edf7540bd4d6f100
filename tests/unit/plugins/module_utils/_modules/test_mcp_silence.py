# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_silence
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.records import ID, Store, release

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
MATCHERS = [{"name": "namespace", "value": "prod", "isRegex": False, "isEqual": True}]


def silence(number="1", release="R", ends=3600, state="active", **more):
    return {
        "id": number,
        "matchers": MATCHERS,
        "startsAt": NOW.isoformat(),
        "endsAt": (NOW + timedelta(seconds=ends)).isoformat(),
        "createdBy": "mcp.server",
        "comment": f"Release {release} of prod/mcp",
        "status": {"state": state},
        **more,
    }


@pytest.mark.parametrize(
    ("found", "is_mine"),
    [
        (silence(), True),
        (silence(state="pending"), True),
        (silence(state="expired"), False),
        (silence(createdBy="kim"), False),
        (silence(comment="Release R of prod/other-mcp"), False),
        (silence(comment="Maintenance of prod/mcp"), False),
        ({"id": "1"}, False),
    ],
)
def test_mine(found, is_mine):
    assert bool(mcp_silence.mine([found], SERVER)) is is_mine


WANTED = {key: value for key, value in silence(ends=900).items() if key not in ("id", "status")}
OLD_FORM = [{key: value for key, value in MATCHERS[0].items() if key != "isEqual"}]


@pytest.mark.parametrize(
    ("existing", "change"),
    [
        ([], WANTED),
        ([silence(release="other")], WANTED),
        ([silence(ends=600)], None),
        ([silence(ends=600, matchers=OLD_FORM)], None),
        ([silence(ends=599)], {**WANTED, "id": "1"}),
        ([silence(matchers=[])], {**WANTED, "id": "1"}),
    ],
)
def test_change(existing, change):
    """Wanted is one of 600 s and the slack."""
    assert mcp_silence.change(existing, WANTED, NOW + timedelta(seconds=600)) == change


def test_matchers():
    given = [
        {"name": "z", "value": "a|b", "regex": True, "equal": False},
        {"name": "a", "value": "x", "regex": False, "equal": True},
    ]
    assert mcp_silence.matchers(SERVER, given) == [
        {"name": "a", "value": "x", "isRegex": False, "isEqual": True},
        {"name": "z", "value": "a|b", "isRegex": True, "isEqual": False},
    ]


class Fake:
    """As much of Alertmanager's API v2 as is used. The integration target of mcp_silence asks a real one."""

    def __init__(self):
        self.silences, self.status, self.token, self.url = [], 200, None, ""

    def answer(self, method, path, body):
        if self.status != 200:
            return self.status, "no such thing <here>"
        if method == "GET":
            return 200, self.silences
        if method == "POST":
            number = body.get("id") or str(len(self.silences) + 1)
            self.silences = [one for one in self.silences if one["id"] != number] + [
                {**body, "id": number, "status": {"state": "active"}}
            ]
            return 200, {"silenceID": number}
        next(one for one in self.silences if path.endswith(f"/{one['id']}"))["status"]["state"] = "expired"
        return 200, None


@contextmanager
def alertmanager():
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            assert self.path.startswith("/prefix/api/v2/silence")
            fake.token = self.headers["Authorization"]
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, document = fake.answer(self.command, self.path, json.loads(body) if body else None)
            text = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}/prefix/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def run(url, check_mode=False, **more):
    params = {
        "namespace": "prod",
        "server": "mcp",
        "pool_name_format": "{server}-{pool}",
        "route": None,
        "container": None,
        "state": "present",
        "alertmanager": {
            "url": url,
            "ca_cert": None,
            "token_file": None,
            "token_env": None,
            **more.pop("alertmanager", {}),
        },
        "release_id": ID,
        "seconds": 600,
        "matchers": None,
        "timeout": 5.0,
        **more,
    }
    return mcp_silence.run(Task(params, check_mode))


def test_there_and_gone_again():
    with alertmanager() as fake:
        assert run(fake.url, check_mode=True)["changed"] and not fake.silences
        first = run(fake.url)
        assert (first["changed"], first["silence"], len(fake.silences)) == (True, "1", 1)
        made = fake.silences[0]
        lasts = datetime.fromisoformat(made["endsAt"]) - datetime.fromisoformat(made["startsAt"])
        assert (made["createdBy"], made["comment"], lasts.total_seconds()) == (
            "mcp.server",
            f"Release {ID} of prod/mcp",
            900,
        )
        assert (run(fake.url)["changed"], run(fake.url)["silence"]) == (False, "1")
        longer = run(fake.url, seconds=1200)
        assert (longer["changed"], longer["silence"], len(fake.silences)) == (True, "1", 1)
        foreign = silence("9", createdBy="kim")
        fake.silences.append(foreign)
        assert (
            run(fake.url, state="absent", check_mode=True)["changed"]
            and fake.silences[0]["status"]["state"] == "active"
        )
        gone = run(fake.url, state="absent")
        assert gone["changed"] and gone["diff"]["after"] == {"silences": []}
        assert [one["status"]["state"] for one in fake.silences] == ["expired", "active"]
        assert not run(fake.url, state="absent")["changed"]


def test_the_release_of_the_record(monkeypatch):
    monkeypatch.setattr(connection, "connect", lambda params: Store(release()))
    with alertmanager() as fake:
        run(fake.url, release_id=None)
        assert fake.silences[0]["comment"] == f"Release {ID} of prod/mcp"
    monkeypatch.setattr(connection, "connect", lambda params: Store(None))
    with alertmanager() as fake, pytest.raises(Failure, match="No release of prod/mcp is recorded"):
        run(fake.url, release_id=None)


def test_a_token(monkeypatch):
    monkeypatch.setenv("MCP_ALERTMANAGER", "secret-token")
    with alertmanager() as fake:
        run(fake.url, alertmanager={"token_env": "MCP_ALERTMANAGER"})
        assert fake.token == "Bearer secret-token"


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        (None, 404, r"^Alertmanager 127.0.0.1:\d+ answered 404 to GET silences: \"no such thing <here>\"\.$"),
        (None, 401, "answered 401"),
        ("http://kim:SECRET@127.0.0.1:9", 0, "^Alertmanager 127.0.0.1:9 does not answer as one"),
        ("nonsense", 0, "does not answer as one"),
    ],
)
def test_it_does_not_do(url, status, words):
    with alertmanager() as fake:
        fake.status = status
        with pytest.raises(Failure, match=words) as failure:
            run(url or fake.url)
        assert "SECRET" not in failure.value.msg


def test_bad_seconds():
    with alertmanager() as fake, pytest.raises(Failure, match="seconds is 0"):
        run(fake.url, seconds=0)
