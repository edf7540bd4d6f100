# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One probe of one server: connection, health document, greeting, list, and leaving nothing behind."""

from __future__ import annotations

import typing as t
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._mcp import listing, protocol, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Legacy, Modern
from ansible_collections.mcp.server.plugins.module_utils._mcp.fault import Fault, subject
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions, fetch_health
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import Streamable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

AUTO = "auto"

# The part of a probe's time, and the most seconds of it, that are kept for leaving nothing behind:
# one half to hear of a session that a server opens too late, the other to end it.
FAREWELL = (0.25, 4.0)


@dataclass(frozen=True)
class Settings:
    """What is asked of each server. era: auto, modern, legacy, or None to leave MCP out. Times in seconds."""

    assertions: Assertions
    era: str | None
    timeout: float
    step_timeout: float


def probe(endpoint: Endpoint, settings: Settings) -> dict[str, t.Any]:
    """One element of mcp_health's RV(servers). Never raises Failure: an unhealthy server has a reason."""
    farewell = min(FAREWELL[0] * settings.timeout, FAREWELL[1]) / 2
    deadline = Deadline(settings.timeout - 2 * farewell)
    trace = _Trace(deadline, settings.step_timeout, farewell)
    found: dict[str, t.Any] = {
        "target": endpoint.name,
        "healthy": False,
        "reason": None,
        "health": None,
        "version": None,
        "instance_id": None,
        "pool": None,
        "era": None,
        "session_mode": None,
        "protocol_version": None,
        "server_info": None,
        "capabilities": None,
        "tools": None,
    }
    with closing(endpoint.connection()) as connection:
        try:
            with trace.step("transport", "connection") as bound:
                connection.open(bound)
            if settings.assertions.any():
                with trace.step("health", f"GET {endpoint.health_path}") as bound:
                    _health(connection, endpoint.health_path, settings.assertions, found, bound)
            if settings.era is not None:
                http = Streamable(connection, endpoint.mcp_path, late=farewell)
                try:
                    _converse(http, settings.era, trace, found)
                finally:
                    _end_sessions(http, trace)
            found["healthy"] = True
        except Failure as failure:
            found["reason"] = failure.msg
    return {**found, "seconds": round(deadline.elapsed, 3), "steps": trace.steps}


def _health(connection: t.Any, path: str, assertions: Assertions, found: dict[str, t.Any], bound: Deadline) -> None:
    try:
        found["health"] = fetch_health(connection, path, bound)
    except Failure as failure:
        found["health"] = failure.evidence.get("health")
        raise
    finally:
        found.update({key: (found["health"] or {}).get(key) for key in ("version", "instance_id", "pool")})
    complaint = assertions.complaint(found["health"])
    if complaint:
        raise Fault(complaint)


def _converse(http: Streamable, era: str, trace: _Trace, found: dict[str, t.Any]) -> None:
    """Greet the server and read its tools. One that speaks both eras is read in the modern one."""
    discovered = None
    if era != protocol.LEGACY:
        modern = Modern(http)
        with trace.step("handshake", "server/discover") as bound:
            discovered = modern.discover(bound)
            if discovered is None and era == protocol.MODERN:
                raise Fault("is unknown to this server, which is a legacy one: set era to legacy or auto")
    if discovered is not None:
        _note(found, protocol.MODERN, modern.revision, _object(discovered.get("_meta")).get(protocol.META + "serverInfo"), discovered)
        found["session_mode"] = "modern"
        _list_tools(modern, trace, found)
        if era == protocol.MODERN:
            return
    # The refusal of server/discover may have opened one.
    _end_sessions(http, trace)
    legacy = Legacy(http)
    with trace.step("handshake", "initialize") as bound:
        # Modern servers may serve legacy clients too, in sessions or not, and only this tells.
        offered = legacy.initialize(bound, optional=discovered is not None)
    if offered is None:
        return
    found["session_mode"] = legacy.session_mode
    if discovered is None:
        _note(found, protocol.LEGACY, legacy.revision, offered.get("serverInfo"), offered)
        with trace.step("handshake", "notifications/initialized") as bound:
            legacy.initialized(bound)
        _list_tools(legacy, trace, found)


def _note(found: dict[str, t.Any], era: str, revision: str, info: t.Any, offer: dict[str, t.Any]) -> None:
    found.update(era=era, protocol_version=revision, server_info=_object(info), capabilities=_object(offer.get("capabilities")))


def _list_tools(client: Modern | Legacy, trace: _Trace, found: dict[str, t.Any]) -> None:
    if "tools" not in found["capabilities"]:
        found["tools"] = []
        return
    with trace.step("list", "tools/list") as bound:
        found["tools"] = [tool["name"] for tool in listing.whole(client.ask, "tools/list", "tools", bound)]


def _end_sessions(http: Streamable, trace: _Trace) -> None:
    """A session that cannot be ended is seen in the steps, and does not make its server unhealthy."""
    for session in list(http.sessions):
        with suppress(Failure), trace.step("end", "DELETE") as bound:
            reply = http.end(session, bound)
            # 404: it is gone already. 405: this server does not let clients end sessions.
            if reply.status >= 300 and reply.status not in (404, 405):
                raise Fault(reasons.of_reply(reply))


def _object(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


class _Trace:
    """The steps that were taken, each within its own time and the probe's; those that end a session within the farewell's."""

    def __init__(self, deadline: Deadline, step_timeout: float, farewell: float) -> None:
        self._deadline = deadline
        self._step_timeout = step_timeout
        self._farewell = farewell
        self.steps: list[dict[str, t.Any]] = []

    @contextmanager
    def step(self, level: str, name: str) -> t.Iterator[Deadline]:
        """Turns a Fault of the step into a Failure that names it."""
        bound = Deadline(self._farewell if level == "end" else min(self._step_timeout, self._deadline.left))
        ok = False
        try:
            with subject(name):
                yield bound
            ok = True
        finally:
            self.steps.append({"level": level, "name": name, "ok": ok, "seconds": round(bound.elapsed, 3)})
