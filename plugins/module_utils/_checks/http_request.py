# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A check that sends one HTTP request."""

from __future__ import annotations

import re
import typing as t
from contextlib import closing
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import Limit
from ansible_collections.mcp.server.plugins.module_utils._checks.messages import as_text, hide
from ansible_collections.mcp.server.plugins.module_utils._errors import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

# Characters of the body in which the expression is searched: a search can't be interrupted,
# and its time may grow with their square.
SEARCHED = 256 * 1024
# What the connection itself sets.
FRAMING = ("content-length", "transfer-encoding", "connection", "accept-encoding")

_URL = re.compile(r"[\x21-\x7e]+")


def address(url: str) -> tuple[str, str]:
    """Return scheme and host, and the path with its query. Raises ValueError with the second half of a sentence."""
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
    headers = {"Host" if name.lower() == "host" else name: as_text(value) for name, value in options["headers"].items()}
    origin, path = address(options["url"])
    try:
        # Without the query, where many put a key.
        with subject(f"{options['method']} {origin}{path.partition('?')[0]}"):
            reply = _send(options, origin, path, headers, limit)
            complaint = complaint_about(reply, options["status"], options["expect"])
            if complaint:
                raise Fault(complaint)
    except Failure as failure:
        return Verdict(hide(_in_our_words(failure.msg), headers.values()))
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


def complaint_about(reply: Reply, statuses: t.Sequence[int], expect: str | None) -> str:
    """Return what is wrong with an answer, as the second half of a sentence, or nothing."""
    if reply.status not in statuses:
        expected = f"expected is {' or '.join(map(str, statuses))}"
        if 300 <= reply.status < 400:
            return f"is redirected ({reply.status}), which is not followed; {expected}"
        return f"is answered {reply.status} ({reasons.start(reply.text)}), {expected}"
    if expect is not None and not re.search(expect, reply.text[:SEARCHED]):
        where = f"in the first {SEARCHED >> 10} KiB of the answer" if len(reply.text) > SEARCHED else "in the answer"
        return f"is answered {reply.status}, but {expect!r} is not found {where} ({reasons.start(reply.text)})"
    return ""


def _in_our_words(message: str) -> str:
    """Return a message of _mcp without advice that names options which a check does not have."""
    return re.sub(r"[;:] [^;:]*\bendpoint\.(?!ca_cert)\w+", "", message).replace("endpoint.ca_cert", "http.ca_cert")
