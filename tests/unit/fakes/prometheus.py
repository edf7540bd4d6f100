# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Prometheus that says what a test tells it to."""

from __future__ import annotations

import json
import re
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series

Answer = t.Callable[[dict[str, str]], tuple[int, bytes]]


class Fake(ThreadingHTTPServer):
    """answer: from a query's parameters to a status and a body."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.seen: list[tuple[str, dict[str, str], dict[str, str]]] = []

    def __enter__(self) -> Fake:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc: t.Any) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Fake

    def log_message(self, *args: t.Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        parameters = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.seen.append((parts.path, parameters, dict(self.headers)))
        status, body = self.server.answer(parameters)
        self.send_response(status)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True


def said(kind: str, result: t.Any) -> tuple[int, bytes]:
    return 200, json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def serving(series: t.Callable[[], t.Sequence[Series]], now: t.Callable[[], float]) -> Answer:
    """Answers as one that has these series would, at a time of its own: C(time()), and range selectors by name and labels."""

    def answer(parameters: dict[str, str]) -> tuple[int, bytes]:
        query = parameters["query"]
        if query == "time()":
            return said("scalar", [0, str(now())])
        selector, _bracket, back = query.rpartition("[")
        patterns = dict(re.findall(r'(\w+)=~"([^"]*)"', selector))
        end = float(parameters["time"])
        begin = end - int(back.removesuffix("s]"))
        found = []
        for each in series():
            values = [[at, str(value)] for at, value in each.samples if begin < at <= end]
            if values and all(re.fullmatch(pattern, each.labels.get(label, "")) for label, pattern in patterns.items()):
                found.append({"metric": dict(each.labels), "values": values})
        return said("matrix", found)

    return answer
