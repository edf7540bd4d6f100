# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The MCP request that a load test repeats: its server's era, its sessions, and one answer to it that was looked at."""

from __future__ import annotations

import itertools
import json
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import with_user_agent
from ansible_collections.mcp.server.plugins.module_utils._load import vegeta
from ansible_collections.mcp.server.plugins.module_utils._load.options import Plan
from ansible_collections.mcp.server.plugins.module_utils._load.vegeta import Target
from ansible_collections.mcp.server.plugins.module_utils._mcp import calls, jsonrpc, listing, protocol
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Client, Legacy
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import Connections, ready_client
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import Trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import JSON_POST, Streamable
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

OPENING, STEP, CLEANUP = 20.0, 5.0, 1.0  # seconds to open one session, for a step of it, and to end it
# Requests that get an id of their own, as a session's requests must; of more, an id comes again long after its answer.
UNIQUE = 20_000
PING, LIST, CALL = "ping", "tools/list", "tools/call"


@dataclass(frozen=True)
class Request:
    """What is repeated. headers: beside those of each session."""

    method: str
    params: dict[str, t.Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Ready:
    """A server that is ready for the load."""

    url: str
    era: str
    session_mode: str  # modern, stateless, stateful
    request: Request
    clients: t.Sequence[Client]  # one for each session; one for a server without
    credentials: t.Mapping[str, str] = field(repr=False)

    def targets(self, plan: Plan) -> t.Iterator[bytes]:
        """Yield the lines for vegeta, which begins anew at their end."""
        count = min(plan.requests, UNIQUE) if self.session_mode == "stateful" else 1
        for number, client in zip(range(count), itertools.cycle(self.clients), strict=False):
            yield self.target(client, number + 1000).line()  # after the ids of the handshake

    def target(self, client: Client, number: int) -> Target:
        params, headers = client.prepared(self.request.method, self.request.params, self.request.headers)
        body = json.dumps(jsonrpc.request(number, self.request.method, params)).encode()
        shown = {name: str(value) for name, value in with_user_agent({}).items()}
        return Target(self.url, {**shown, **JSON_POST, **self.credentials, **headers}, body)


@contextmanager
def ready(
    endpoint: Endpoint,
    url: str,
    era: str,
    plan: Plan,
    credentials: t.Mapping[str, str],
    wanted: dict[str, t.Any] | None,
) -> t.Iterator[Ready]:
    """Yield the server after its handshake, with as many sessions as planned where it keeps them. All are ended.

    Raise Failure, and CannotMeasure when no load can be made of its requests.
    """
    headers = dict(credentials)
    with ExitStack() as sessions:
        client = sessions.enter_context(_client(endpoint, era, headers))
        if not isinstance(client.transport, Streamable):
            raise CannotMeasure(
                "The server speaks HTTP+SSE, in which answers do not come on the connection of their requests: load "
                "tools can't measure that. Use k6 with a script of your own."
            )
        request = _request(client, wanted)
        clients = [client]
        mode = client.transport.session_mode if isinstance(client, Legacy) else "modern"
        if mode == "stateful":
            clients += sessions.enter_context(_more(endpoint, headers, plan.sessions - 1))
        authority = {} if url.partition("://")[2].split("/")[0] == endpoint.authority else {"Host": endpoint.authority}
        yield Ready(url, client.era, mode, request, clients, {**authority, **headers})


@contextmanager
def _client(endpoint: Endpoint, era: str, headers: dict[str, str]) -> t.Iterator[Client]:
    steps = Trace(OPENING, STEP, CLEANUP)
    with ExitStack() as stack:
        connections = closing(Connections(endpoint, endpoint.connection(), steps, headers, late=CLEANUP))
        yield stack.enter_context(ready_client(stack.enter_context(connections), era))


@contextmanager
def _more(endpoint: Endpoint, headers: dict[str, str], number: int) -> t.Iterator[list[Client]]:
    """Open more sessions, and end them, each at the same time as the others: an interruption has few seconds."""
    if not number:
        yield []
        return
    stacks, ends = [ExitStack() for _number in range(number)], threading.Event()

    def opened(stack: ExitStack) -> Client:
        client = stack.enter_context(_client(endpoint, protocol.LEGACY, headers))
        if ends.is_set():  # another one failed meanwhile, and this stack was closed before its session was open
            _close(stack)
        return client

    with ThreadPoolExecutor(number) as threads:
        try:
            yield list(threads.map(opened, stacks))
        finally:
            ends.set()
            list(threads.map(_close, stacks))


def _close(stack: ExitStack) -> None:
    with suppress(Failure):
        stack.close()


def _request(client: Client, wanted: dict[str, t.Any] | None) -> Request:
    """Return what to repeat, which the server has answered well once. Raise Failure."""
    bound = Deadline(STEP)
    if wanted:
        name, arguments = wanted["tool"], wanted["arguments"] or {}
        try:
            tools = listing.whole(client.request, listing.KINDS["tools"], bound)
            calls.make(calls.Call(name, arguments), client, tools, bound)
        except Fault as fault:
            raise Failure(f"tools/call {name} {fault.msg}") from None
        schema = next(tool.get("inputSchema") for tool in tools if tool["name"] == name)
        return Request(CALL, {"name": name, "arguments": arguments}, calls.parameter_headers(schema, arguments))
    problems = []
    for method in (LIST, PING) if client.era == protocol.LEGACY else (LIST,):
        try:
            client.request(method, {}, bound)
        except Fault as fault:
            problems.append(f"{method} {fault.msg}")
        else:
            return Request(method, {}, {})
    raise Failure("; ".join(problems))


def sample(endpoint: Endpoint, prepared: Ready, seconds: float) -> tuple[str, bytes]:
    """Return type and body of one whole answer to exactly what is repeated. Raise Failure.

    The whole one, as load tools wait for its end: an event stream that stays open looks slow to them.
    """
    target = prepared.target(prepared.clients[0], 999)
    headers = {name: value for name, value in target.headers.items() if name != "Host"}
    bound = Deadline(min(seconds, STEP))
    with closing(endpoint.connection()) as connection:
        try:
            with connection.request("POST", endpoint.mcp_path, bound, headers, target.body) as response:
                reply = response.read()
        except Fault as fault:
            raise CannotMeasure(
                f"One {prepared.request.method} before the load {fault.msg}. A load tool waits for the end of each "
                "answer: does the server end its event stream after the answer, as it should?"
            ) from None
    body = reply.text.encode()
    problem = f"HTTP status {reply.status}" if reply.status != 200 else vegeta.problem_of(body)
    if problem:
        raise Failure(f"{prepared.request.method} was answered with {problem}")
    return reply.content_type, body


def without_values(target: Target, url: str) -> Target:
    """Return a request of the same size for another server, without the values of its headers: they may be secrets."""
    kept = {*JSON_POST, "User-Agent"}
    filled = {
        name: value if name in kept else "x" * len(value) for name, value in target.headers.items() if name != "Host"
    }
    return replace(target, url=url, headers=filled)
