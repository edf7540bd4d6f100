# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a check that is a command in a pod, through the API server."""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import SLICE, Limit
from ansible_collections.mcp.server.plugins.module_utils._checks.messages import MAX_QUOTE, Tail, with_output
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.client import Refusal
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import OVERLOADED
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._mcp.targets import pods_of_pool
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

# Of the streams in one WebSocket, each frame of which begins with its number. Every version of Kubernetes supports it.
PROTOCOL = "v4.channel.k8s.io"
STDOUT, STDERR, STATUS = 1, 2, 3
MAX_STATUS = 64 * 1024  # bytes


def run(options: dict[str, t.Any], context: Context, limit: Limit) -> Verdict:
    """Run the command, and check its exit code. Raise Failure when it cannot be run."""
    cluster, server = context.cluster, context.server
    with limit.not_counted():
        pool = options["pool"] or context.pool
        pod = name_of(pods_of_pool(cluster, server, pool)[0])
        container = options["container"] or server.container
        if not container:
            container = server.container_in(cluster, cluster.get(server.workload_path(pool)), pool)
        query = [("container", container), ("stdout", "true"), ("stderr", "true")]
        query += [("command", part) for part in options["command"]]
        path = f"{paths.pods(server.namespace, pod)}/exec"
        sock = outage.patiently(lambda: _open(cluster, path, query), cluster.patience, outage.current())
    tail = Tail()
    try:
        status = _follow(sock, tail, limit)
    finally:
        sock.shutdown()  # not close(), which waits for an answer
    output = tail.text()
    if status:
        problem = exit_problem(status) or without(options["expect"], output)
    elif limit.over():
        problem = f"did not end within {limit.seconds:g} s (timeout)"
    else:
        problem = "was cut off before it ended"
    return Verdict(with_output(f"the command in pod {pod} {problem}", output) if problem else "", output)


def without(expect: str | None, output: str) -> str:
    """Return a predicate when a regular expression is not found in a command's output; empty when it is. Pure."""
    if expect is None or re.search(expect, output):
        return ""
    return f"ended well, but {expect!r} is not in the end of its output"


def exit_problem(status: bytes) -> str:
    """Return how a command failed, by the status channel, as a predicate; an empty text for exit code 0."""
    try:
        report = json.loads(status)
        if report["status"] == "Success":
            return ""
        causes = (report.get("details") or {}).get("causes") or []
        code = next((cause["message"] for cause in causes if cause.get("reason") == "ExitCode"), None)
        if code is not None:
            return f"ended with exit code {printable(str(code), 20)}"
        # Each layer of the container runtime puts its text before that of the layer below, which knows the cause.
        message = printable(str(report.get("message") or "no reason given"), MAX_STATUS)
        return f"could not be run ({message if len(message) <= MAX_QUOTE else '...' + message[-MAX_QUOTE:]})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"ended in an unknown way: the API server reported {printable(status, 100) or 'nothing'}"


def _follow(sock: t.Any, tail: Tail, limit: Limit) -> bytes:
    """Return the status of the command at its end; empty when the stream is cut off, or the check is over."""
    import websocket  # lazy: an optional library, for pods only

    while not limit.over():
        sock.settimeout(SLICE)
        try:
            opcode, frame = sock.recv_data_frame(True)
        except websocket.WebSocketTimeoutException:
            continue  # nothing is lost: the next call goes on in the middle of a frame
        except (websocket.WebSocketException, OSError):
            break
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
        if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY) and frame.data:
            channel, data = frame.data[0], bytes(frame.data[1:])
            if channel in (STDOUT, STDERR):
                tail.add(data)
            elif channel == STATUS and data:
                return data[:MAX_STATUS]
    return b""


def _open(cluster: Api, path: str, query: list[tuple[str, str]]) -> t.Any:
    """Return a WebSocket in which the command runs. Raise Unreachable, Failure."""
    try:
        return cluster.websocket(path, query, PROTOCOL)
    except Refusal as refused:
        raise refusal(refused.answer.status, refused.answer.body.encode(), cluster.host) from None


def refusal(status: int, body: bytes, host: str) -> Failure:
    """Return the exception for an answer of the API server that is not a WebSocket."""
    message = ""
    with suppress(ValueError, KeyError, TypeError):
        message = json.loads(body)["message"]
    message = printable(str(message) or body, 300).rstrip(".") or "no reason given"
    if status == 403:
        cure = "grant get and create on pods/exec in the Role"
        return Forbidden(f"the API server {host} refuses to run commands in pods ({message}); {cure}")
    if status == 500 or status in OVERLOADED:
        return Unreachable(f"the API server {host} answers {status} ({message})")
    return Failure(f"the API server {host} could not run the command in the pod: it answered {status} ({message})")
