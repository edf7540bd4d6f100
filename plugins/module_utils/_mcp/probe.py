# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One probe of one server: connection, health document, greeting, lists, calls, and leaving nothing behind."""

from __future__ import annotations

import typing as t
from contextlib import closing
from dataclasses import dataclass, field

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, calls, listing, protocol, stability, trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Client, Legacy, Modern
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import (
    AUTO,
    Line,
    anything_goes,
    initialized,
    shake_hands,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions, fetch_health
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import Trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import SESSION, Streamable
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# The part of a probe's time, and the most seconds of it, that are kept for leaving nothing behind:
# one half to hear of a session that a server opens too late, the other to end it.
FAREWELL = (0.25, 4.0)


@dataclass(frozen=True)
class Settings:
    """What is asked of each server. era: one of ERAS, or None to leave MCP out. Times in seconds.

    lists: keys of KINDS. offer: whether to gather what a contract is made of.
    """

    assertions: Assertions
    era: str | None
    timeout: float
    step_timeout: float
    lists: t.Sequence[str] = ("tools",)
    calls: t.Sequence[calls.Call] = ()
    stability: stability.Rounds | None = None
    token: str | None = field(default=None, repr=False)
    expect_401: bool = False
    offer: bool = False


def probe(endpoint: Endpoint, settings: Settings) -> dict[str, t.Any]:
    """One element of mcp_health's RV(servers). Never raises Failure: an unhealthy server has a reason.

    With Settings.offer there is one key more, C(offer): what _contract takes, or None.
    """
    farewell = min(FAREWELL[0] * settings.timeout, FAREWELL[1]) / 2
    steps = Trace(settings.timeout - 2 * farewell, settings.step_timeout, farewell)
    found: dict[str, t.Any] = {
        "target": endpoint.name,
        "healthy": False,
        "reason": None,
        "level": None,
        "health": None,
        "version": None,
        "instance_id": None,
        "pool": None,
        "era": None,
        "session_mode": None,
        "session_mark": None,
        "protocol_version": None,
        "server_info": None,
        "capabilities": None,
        **dict.fromkeys(listing.KINDS),
        "stability": None,
        "authorization_servers": None,
    }
    if settings.offer:
        found["offer"] = None
    headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
    with closing(Line(endpoint, endpoint.connection(), steps, headers, late=farewell)) as line:
        try:
            with steps.step("transport", "connection") as bound:
                line.connection.open(bound)
            if settings.assertions.any():
                with steps.step("health", f"GET {endpoint.health_path}") as bound:
                    _health(line.connection, endpoint.health_path, settings.assertions, found, bound)
            if settings.expect_401:
                _guarded(line, found)
            elif settings.era is not None:
                _converse(line, settings, found)
            found["healthy"] = True
        except Failure as failure:
            found["reason"], found["level"] = failure.msg, steps.failed_level()
    found |= {
        "requests": line.requests,
        "seconds": round(steps.deadline.elapsed, 4),
        "levels": trace.by_level(steps.steps),
        "steps": steps.steps,
    }
    # Servers like to repeat what they were sent.
    return remove_values(found, [settings.token]) if settings.token else found


def _health(connection: Connection, path: str, assertions: Assertions, found: dict[str, t.Any], bound: t.Any) -> None:
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


def _guarded(line: Line, found: dict[str, t.Any]) -> None:
    """Alive, and refuses clients without credentials, and tells them where to get some. That it works is not shown by this."""
    with line.trace.step("handshake", "server/discover") as bound:
        reply, _answer = line.streamable.ask("server/discover", {}, {}, bound)
        if reply.status != 401:
            raise Fault(f"is answered {reply.status} to a client without credentials, expected is 401")
        found["authorization_servers"] = auth.authorization_servers(
            line.connection, reply, line.endpoint.mcp_path, bound
        )


def _converse(line: Line, settings: Settings, found: dict[str, t.Any]) -> None:
    """Greet the server and read what it has. One that speaks both eras is read in the modern one."""
    era = t.cast(str, settings.era)
    with shake_hands(line, era) as client:
        found["session_mode"] = "modern" if isinstance(client, Modern) else client.transport.session_mode
        found["session_mark"] = _mark(client)
        found.update(era=client.era, protocol_version=client.revision)
        found.update(server_info=client.offer.server_info, capabilities=client.offer.capabilities)
        wanted = {*settings.lists, *(["tools"] if settings.calls else [])}
        lists = {name: _listed(line, client, kind) for name, kind in listing.KINDS.items() if name in wanted}
        found.update({name: [item[listing.KINDS[name].id] for item in items] for name, items in lists.items()})
        for call in settings.calls:
            with line.trace.step("call", f"tools/call {call.tool}") as bound:
                calls.make(call, client, lists["tools"], bound)
        if settings.stability:
            with line.trace.rounds() as bound:
                stability.run(client, settings.stability, found, bound, settings.step_timeout)
    revisions = [version for version in client.offer.versions if version not in protocol.revisions(protocol.LEGACY)]
    if isinstance(client, Modern) and era == AUTO:
        # Modern servers may serve legacy clients too, in sessions or not, and only this tells.
        with line.legacy(anything_goes) as other:
            if isinstance(other, Legacy):
                found["session_mode"], found["session_mark"] = other.transport.session_mode, _mark(other)
                revisions.append(other.revision)
                if settings.stability and found["session_mode"] == "stateful":
                    _stable_session(line, other, settings, found)
    elif isinstance(client, Legacy):
        revisions.append(client.revision)
    if settings.offer:
        if era != protocol.MODERN and found["session_mode"] != "sse":
            revisions += _legacy_revisions(line, revisions)
        found["offer"] = {
            "protocol_versions": sorted(set(revisions)),
            "session_mode": found["session_mode"],
            "capabilities": found["capabilities"],
            "instructions": client.offer.instructions,
            **lists,
        }


def _stable_session(line: Line, client: Legacy, settings: Settings, found: dict[str, t.Any]) -> None:
    """Modern requests have no session that could be lost on the way, and legacy clients of the same server do."""
    initialized(line, client)
    with line.trace.rounds() as bound:
        stability.run(client, t.cast(stability.Rounds, settings.stability), found, bound, settings.step_timeout)


def _mark(client: Client) -> str | None:
    """The pool with whose name the id of the client's session begins (docs/sessions.md)."""
    session = client.transport.session_headers.get(SESSION, "") if isinstance(client.transport, Streamable) else ""
    return next((pool for pool in POOLS if session.startswith(f"{pool}-")), None)


def _listed(line: Line, client: Client, kind: listing.Kind) -> list[dict[str, t.Any]]:
    if kind.capability not in client.offer.capabilities:
        return []
    with line.trace.step("list", kind.method) as bound:
        return listing.whole(client.ask, kind, bound)


def _legacy_revisions(line: Line, known: t.Sequence[str]) -> list[str]:
    """Those, beside the known ones, that legacy clients can ask for and get: nothing lists them."""
    accepted = []
    if any(revision in known for revision in protocol.revisions(protocol.LEGACY)):
        for revision in protocol.revisions(protocol.LEGACY):
            if revision not in known:
                with line.legacy(anything_goes, revision) as other:
                    if isinstance(other, Legacy) and other.revision == revision:
                        accepted.append(revision)
    return accepted
