# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a check that is one HTTP request."""

from __future__ import annotations

import re
import typing as t
from contextlib import closing
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import Limit
from ansible_collections.mcp.server.plugins.module_utils._checks.messages import as_text
from ansible_collections.mcp.server.plugins.module_utils._errors import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._http.connection import OWN_HEADERS, Connection, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import hide

# Characters of the body that are searched: a search cannot be interrupted, and its time may grow with their square.
MAX_SEARCHED = 256 * 1024
FRAMING = tuple(name for name in OWN_HEADERS if name != "host")  # headers that a check cannot set

_URL = re.compile(r"[\x21-\x7e]+")


def address(url: str) -> tuple[str, str]:
    """Return scheme and host, and the path with its query. Raise ValueError with a predicate."""
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and split.hostname and _URL.fullmatch(url) and (split.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("is not the URL of a page, such as https://shop.example.com/ready")
    if "@" in split.netloc:
        raise ValueError("must not carry credentials: put them into http.headers")
    return f"{split.scheme}://{split.netloc}", (split.path or "/") + (f"?{split.query}" if split.query else "")


def run(options: dict[str, t.Any], context: Context, limit: Limit) -> Verdict:
    """Send the request, and check the response."""
    headers = {"Host" if name.lower() == "host" else name: as_text(value) for name, value in options["headers"].items()}
    origin, path = address(options["url"])
    try:
        # Without the query, which may contain a key.
        with subject(f"{options['method']} {origin}{path.partition('?')[0]}"):
            reply = _send(options, origin, path, headers, limit)
            problem = problem_with(reply, options["status"], options["expect"])
            if problem:
                raise Fault(problem)
    except Failure as failure:
        return Verdict(hide(_without_mcp_advice(failure.msg), headers.values()))
    return Verdict()


def _send(options: dict[str, t.Any], origin: str, path: str, headers: dict[str, str], limit: Limit) -> Reply:
    given = {"url": origin, "validate_certs": options["validate_certs"], "ca_cert": options["ca_cert"]}
    public = endpoint.public({**endpoint.defaults(), **given})
    body = options["body"]
    if body is None and options["method"] in ("POST", "PUT", "PATCH"):
        body = ""  # so that its length is sent
    encoded = None if body is None else body.encode()
    with (
        closing(Connection(limit.dial(public.dial), public.authority)) as connection,
        connection.request(options["method"], path, Deadline(limit.seconds), headers, encoded) as response,
    ):
        return response.read()


def problem_with(reply: Reply, statuses: t.Sequence[int], expect: str | None) -> str:
    """Return the problem with a response as a predicate, or an empty text."""
    if reply.status not in statuses:
        expected = f"expected {' or '.join(map(str, statuses))}"
        if 300 <= reply.status < 400:
            return f"was redirected ({reply.status}), and redirects are not followed; {expected}"
        return f"returned {reply.status} ({reasons.quote(reply.text)}), {expected}"
    if expect is not None and not re.search(expect, reply.text[:MAX_SEARCHED]):
        where = (
            f"in the first {MAX_SEARCHED >> 10} KiB of the answer"
            if len(reply.text) > MAX_SEARCHED
            else "in the answer"
        )
        return f"returned {reply.status}, but {expect!r} is not found {where} ({reasons.quote(reply.text)})"
    return ""


def _without_mcp_advice(message: str) -> str:
    """Return a message of _mcp without advice on options that a check does not have."""
    return re.sub(r"[;:] [^;:]*\bendpoint\.(?!ca_cert)\w+", "", message).replace("endpoint.ca_cert", "http.ca_cert")
