# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vegeta: its command, its targets, and its results. It is the user's, and has to be on PATH. Pure.

vegeta attack sends the requests; vegeta encode makes a line of JSON of each result. Credentials are in the targets,
which go through a pipe, and never in a command line.
"""

from __future__ import annotations

import array
import base64
import json
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._load.judge import Figures, p95
from ansible_collections.mcp.server.plugins.module_utils._load.options import Plan
from ansible_collections.mcp.server.plugins.module_utils._mcp import sse
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BODY = 64 * 1024  # bytes of an answer that are read, if most answers are not longer
OF_LONG = 4 * 1024  # and if they are: an error is short
MAX_KINDS = 50  # of failures that are counted one by one
MAX_KNOWN = 200  # answers whose judgement is kept
# Of a request that this machine could not send, in Go's sentences about it.
OWN_FAILURES = ("too many open files", "cannot assign requested address", "no buffer space available")
NO_TARGETS = "no targets to attack"  # what vegeta calls the end of its targets


@dataclass(frozen=True)
class Target:
    """One request, to be repeated."""

    url: str
    headers: t.Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def line(self) -> bytes:
        """Return it as a line of vegeta's format json."""
        return (
            json.dumps(
                {
                    "method": "POST",
                    "url": self.url,
                    "header": {name: [value] for name, value in self.headers.items()},
                    "body": base64.b64encode(self.body).decode(),
                }
            ).encode()
            + b"\n"
        )


@dataclass(frozen=True)
class Way:
    """How the server is reached. No secrets: these are in the command line."""

    connect_to: str = ""  # what is connected to in place of the URL's host and port, as HOST:PORT:OTHER:PORT
    ca_cert: str = ""
    client_cert: str = ""
    client_key: str = ""
    validate_certs: bool = True


def commands(executable: str, plan: Plan, way: Way, max_body: int) -> list[list[str]]:
    """Return the commands of the pipe."""
    # HTTP/1.1, as MCP clients speak; no redirects, which lead elsewhere.
    attack = [
        executable,
        "attack",
        "-format=json",
        "-targets=stdin",
        f"-rate={plan.rate}/1s",
        f"-duration={plan.seconds}s",
        f"-timeout={plan.answer_timeout:g}s",
        f"-workers={min(10, plan.workers)}",
        f"-max-workers={plan.workers}",
        f"-max-body={max_body}",
        "-redirects=-1",
        "-http2=false",
        "-keepalive=true",
    ]
    if way.connect_to:
        attack.append(f"-connect-to={way.connect_to}")
    if way.ca_cert:
        attack.append(f"-root-certs={way.ca_cert}")
    if way.client_cert:
        attack += [f"-cert={way.client_cert}", f"-key={way.client_key or way.client_cert}"]
    if not way.validate_certs:
        attack.append("-insecure")
    return [attack, [executable, "encode", "-to=json"]]


class Reading:
    """Reads the lines of results one by one, and keeps only figures."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._latencies = array.array("d")  # ms
        self._begin = self._end = 0.0
        self._failed = self._unread = self._own = 0
        self._problems: Counter[str] = Counter()
        self._known: dict[str, tuple[str, bool]] = {}

    def line(self, line: bytes) -> None:
        """Read one result. What is none counts as a failed request."""
        try:
            found = json.loads(line)
            latency = found["latency"] / 1e6
            begin = seconds_of(found["timestamp"])
            code, error, body = found["code"], found["error"], found["body"] or ""
            if not (isinstance(code, int) and isinstance(error, str) and isinstance(body, str) and 0 <= latency < 1e9):
                raise ValueError
            data = base64.b64decode(body) if code == 200 and body not in self._known else b""
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
            self._count("vegeta wrote a result that is none")
            return
        if error == NO_TARGETS:
            return
        self._latencies.append(latency)
        self._begin = min(self._begin or begin, begin)
        self._end = max(self._end, begin + latency / 1000)
        self._own += not code and any(own in error for own in OWN_FAILURES)
        if code != 200:
            reason = f"HTTP status {code}" if code else f"no answer ({printable(without_address(error), 100)})"
            self._count(reason)
            return
        reason, unread = self._judged(body, data)
        self._unread += unread
        if reason:
            self._count(reason)

    def too_long(self) -> None:
        """Count a result that is too long to be read."""
        self._count("an answer with headers of more than 1 MiB")

    def _judged(self, body: str, data: bytes) -> tuple[str, bool]:
        """Return why an answer counts as failed, and whether its end is not known. body: the data in base64."""
        if (known := self._known.get(body)) is not None:
            return known
        unread = len(data) >= self._max_body
        judged = (problem_of_beginning(data) if unread else problem_of(data)), unread
        if len(self._known) < MAX_KNOWN:
            self._known[body] = judged
        return judged

    def _count(self, reason: str) -> None:
        self._failed += 1
        self._problems[reason if reason in self._problems or len(self._problems) < MAX_KINDS else "other reasons"] += 1

    def figures(self) -> Figures:
        sent = max(len(self._latencies), self._failed)
        seconds = self._end - self._begin
        return Figures(
            sent,
            self._failed,
            seconds,
            p95(self._latencies),
            sum(self._latencies) / 1000 / seconds if seconds > 0 else 0.0,
            dict(self._problems),
            self._unread,
            self._own,
        )


def problem_of(body: bytes) -> str:
    """Return why an answer with status 200 is none that a client can use, as a clause; empty when it is."""
    text = body.decode("utf-8", errors="replace")
    try:
        if text.lstrip()[:1] == "{":
            return _problem_of_message(json.loads(text))
        for event in sse.Decoder().feed(body if body.endswith(b"\n\n") else body + b"\n\n"):
            message = json.loads(event.data)
            if isinstance(message, dict) and "method" not in message:
                return _problem_of_message(message)
        return "an answer that is not JSON-RPC"
    except (ValueError, RecursionError, Fault):
        return "an answer that is not JSON-RPC"


def problem_of_beginning(body: bytes) -> str:
    """Return the same for the beginning of a long answer: of one that is an error only if its head says so."""
    text = body.decode("utf-8", errors="replace")
    head = text.partition('"result"')[0]
    return "a JSON-RPC error" if '"error"' in head else ""


def _problem_of_message(message: t.Any) -> str:
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return "an answer that is not JSON-RPC"
    if isinstance(error := message.get("error"), dict):
        code = error.get("code")
        return f"JSON-RPC error {code}" if isinstance(code, int) and abs(code) < 2**31 else "a JSON-RPC error"
    result = message.get("result")
    if not isinstance(result, dict):
        return "an answer that is not JSON-RPC"
    return "the tool says that it failed (isError)" if result.get("isError") else ""


def without_address(error: str) -> str:
    """Return Go's sentence about a failed request without the request: Post "URL": dial tcp 10.0.0.1:80: REASON."""
    return error.rpartition('": ')[2]


def seconds_of(timestamp: str) -> float:
    """Return a time of vegeta (RFC 3339 with up to nine digits) in seconds since the epoch. Raise ValueError."""
    head, dot, rest = timestamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    zone = rest[len(digits) :] if dot else ""
    if not dot:
        head, zone = (head[:-1], "Z") if head.endswith("Z") else (head[:-6], head[-6:])
    moment = datetime.fromisoformat(head + ("+00:00" if zone == "Z" else zone))
    whole = moment.astimezone(UTC).timestamp()
    return whole + (float(f"0.{digits}") if digits else 0.0)


def max_body(sample: int) -> int:
    """Return how many bytes of an answer are read, where one of so many bytes came before the load."""
    return MAX_BODY if sample <= MAX_BODY // 2 else OF_LONG
