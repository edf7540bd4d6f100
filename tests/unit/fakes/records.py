# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of announcements and reports have in common: a release, a ConfigMap for it, and a webhook on loopback."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
ID = "2026-11-24T05:00:00.000Z-v1.2.0"


def step(at: str, green: int, measured: float | None = None, **more: t.Any) -> dict[str, t.Any]:
    share = None if measured is None else {"blue": 100 - measured, "green": measured, "requests": 144, "failed": 0}
    return {
        "at": f"2026-11-24T{at}.000Z",
        "weights": {"blue": 100 - green, "green": green},
        "share": share,
        "seconds_to_follow": 0.026,
        "verdict": "followed",
        **more,
    }


def release(outcome: str = "succeeded", **more: t.Any) -> dict[str, t.Any]:
    return {
        "id": ID,
        "server": "mcp",
        "started": "2026-11-24T05:00:00.000Z",
        "by": "kim@runner",
        "reason": "",
        "from": {
            "pool": "blue",
            "image_ref": "x:v1.1.5",
            "digest": "sha256:aa",
            "version": "v1.1.5",
            "weights": {"blue": 100, "green": 0},
        },
        "to": {"pool": "green", "image_ref": "x:v1.2.0", "digest": "", "version": "v1.2.0"},
        "steps": [step("05:00:20", 10, 10.4), step("05:05:20", 100, 100.0)],
        "outcome": outcome,
        "ended": None if outcome == "running" else "2026-11-24T05:16:30.000Z",
        **more,
    }


def old(one: dict[str, t.Any]) -> dict[str, t.Any]:
    """The release as records from before 1.0.0 have it: share.answers, and verdicts with spaces."""
    steps = []
    for step_ in one["steps"]:
        share = step_["share"] and {
            ("answers" if key == "requests" else key): value for key, value in step_["share"].items()
        }
        steps.append(
            {
                **step_,
                "share": share,
                "verdict": {"inconclusive": "held"}.get(step_["verdict"], step_["verdict"].replace("_", " ")),
            }
        )
    return {**one, "steps": steps}


class Store(ApiServer):
    """An API server with the ConfigMap of a release record."""

    def __init__(self, current: dict[str, t.Any] | None, history: t.Sequence[t.Any] = ()) -> None:
        super().__init__({RECORD: {"data": {"current": json.dumps(current), "history": json.dumps(list(history))}}})

    @property
    def data(self) -> dict[str, str]:
        return self.objects[RECORD]["data"]

    @property
    def current(self) -> dict[str, t.Any]:
        return json.loads(self.data["current"])


class Hook:
    """A webhook that answers with each of the statuses in turn, and with the last one from then on; 0 is no answer at all."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.got: list[dict[str, t.Any]] = []
        self.url = ""

    def next(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def listening(*statuses: int) -> t.Iterator[Hook]:
    hook = Hook(*statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.got.append({"body": body, "path": self.path, "headers": dict(self.headers)})
            status = hook.next()
            if not status:
                time.sleep(5)
                return
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    hook.url = f"http://127.0.0.1:{server.server_port}/services/SECRET"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
