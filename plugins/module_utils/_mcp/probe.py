# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe one server: connection, health document, handshake, lists, calls; then end every session."""

from __future__ import annotations

import typing as t
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import NONE, Credentials
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, calls, listing, protocol, stability, trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.eras import Client, Declined, Legacy, Modern
from ansible_collections.mcp.server.plugins.module_utils._mcp.handshake import (
    AUTO,
    Connections,
    accept_refusal,
    initialized,
    problem_of_revision,
    ready_client,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import (
    fetch_health,
    kept,
    version_problem,
    version_text,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.trace import Trace
from ansible_collections.mcp.server.plugins.module_utils._mcp.transport import SESSION, Streamable
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import SHORTEST, hide
from ansible_collections.mcp.server.plugins.module_utils._versions import HEALTH, SERVER_INFO

# The part of a probe's time, and at most how many seconds, that are reserved for ending sessions: one half to learn of
# a session that a server opens too late, the other half to end it.
CLEANUP = (0.25, 4.0)

# Connections.legacy or Connections.sse
Handshake: t.TypeAlias = t.Callable[..., AbstractContextManager[Legacy | Declined]]


@dataclass(frozen=True)
class Settings:
    """What a probe checks."""

    era: str | None  # one of ERAS; None to check the health path only
    timeout: float  # seconds
    step_timeout: float  # seconds
    health: bool = False  # whether the health path is asked, where the endpoint has one
    # That the health document must report, or serverInfo where there is no document; None for any.
    expect_version: str | None = None
    compared: t.Sequence[str] | None = None  # in which of them instead, as _versions.COMPARE
    lists: t.Sequence[str] = ("tools",)  # keys of KINDS
    calls: t.Sequence[calls.Call] = ()
    stability: stability.Rounds | None = None
    credentials: Credentials = NONE
    expect_401: bool = False  # check only that the server refuses clients without a token
    ping: bool = False  # whether a ping has to be answered, in the era that has it
    offer: bool = False  # also collect what a contract consists of


def probe(endpoint: Endpoint, settings: Settings) -> dict[str, t.Any]:
    """Return one element of mcp_health's RV(servers). Never raise Failure: an unhealthy server has a reason.

    With Settings.offer there is one more key, C(offer): the input of _contract.normalise, or None.
    """
    cleanup = min(CLEANUP[0] * settings.timeout, CLEANUP[1]) / 2
    steps = Trace(settings.timeout - 2 * cleanup, settings.step_timeout, cleanup)
    found: dict[str, t.Any] = {
        "target": endpoint.name,
        "healthy": False,
        "reason": None,
        "level": None,
        "health": None,
        "version": None,
        "version_compared": None,
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
    headers = dict(settings.credentials.headers)
    with closing(Connections(endpoint, endpoint.connection(), steps, headers, late=cleanup)) as connections:
        try:
            with steps.step("transport", "connection") as bound:
                connections.main.open(bound)
            if settings.health and endpoint.health_path is not None:
                with steps.step("health", f"GET {endpoint.health_path}") as bound:
                    _check_health(connections.main, endpoint, settings, found, bound)
            if settings.expect_401:
                _check_guarded(connections, found)
            elif settings.era is not None:
                _check_mcp(connections, settings, found)
            found["healthy"] = True
        except Failure as failure:
            found["reason"], found["level"] = failure.msg, steps.failed_level()
    found |= {
        "host": connections.main.authority,
        "requests": connections.requests,
        "seconds": round(steps.deadline.elapsed, 4),
        "levels": trace.by_level(steps.steps),
        "steps": steps.steps,
    }
    # Servers often repeat what they were sent.
    secrets = [secret for secret in settings.credentials.secrets if len(secret) >= SHORTEST]
    if found["reason"]:
        found["reason"] = hide(found["reason"], secrets)  # where a quotation may end within one
    return remove_values(found, secrets) if secrets else found


def _check_health(
    connection: Connection, endpoint: Endpoint, settings: Settings, found: dict[str, t.Any], bound: Deadline
) -> None:
    answering = endpoint.answering
    document: t.Any = None
    try:
        document = fetch_health(connection, t.cast(str, answering.health_path), bound, answering.health_checks)
    except Failure as failure:
        document = failure.evidence.get("health")
        raise
    finally:
        if isinstance(document, dict):
            found["health"] = kept(document)
            keys = {"version": "version", "instance_id": "instance_id", "pool": answering.pool_key}
            found.update({name: version_text(document.get(key)) for name, key in keys.items()})
    if settings.expect_version is None or HEALTH not in (settings.compared or [HEALTH]):
        return
    if isinstance(document, dict):
        found["version_compared"] = HEALTH
        if problem := version_problem(document.get("version"), settings.expect_version):
            raise Fault(problem)
    elif settings.compared or settings.era is None:
        raise Fault(f"is answered without a document that reports version {settings.expect_version}")


def _check_guarded(connections: Connections, found: dict[str, t.Any]) -> None:
    """Check that the server refuses clients without a token, and tells them where to get one. More is not checked."""
    with connections.trace.step("handshake", "server/discover") as bound:
        reply, _answer = connections.streamable.request("server/discover", {}, {}, bound)
        if reply.status != 401:
            raise Fault(f"returned {reply.status} to a client without credentials, expected 401")
        found["authorization_servers"] = auth.authorization_servers(
            connections.main, reply, connections.endpoint.mcp_path, bound
        )


def _check_mcp(connections: Connections, settings: Settings, found: dict[str, t.Any]) -> None:
    """Do the handshake, then list and call. A server of both eras is read in the modern one."""
    era = t.cast(str, settings.era)
    with ready_client(connections, era) as client:
        found["session_mode"] = "modern" if isinstance(client, Modern) else client.transport.session_mode
        found["session_mark"] = _session_mark(client)
        found.update(era=client.era, protocol_version=client.revision)
        found.update(server_info=client.offer.server_info, capabilities=client.offer.capabilities)
        # Of its own accord only where no document has told.
        by_default = () if found["version_compared"] else (SERVER_INFO,)
        if settings.expect_version is not None and SERVER_INFO in (settings.compared or by_default):
            found["version_compared"] = SERVER_INFO
            reported = client.offer.server_info.get("version")
            problem = version_problem(reported, settings.expect_version)
            with connections.trace.step("handshake", "serverInfo"):
                if problem:
                    raise Fault(problem)
        if settings.ping and isinstance(client, Legacy):
            with connections.trace.step("handshake", "ping") as bound:
                client.request("ping", {}, bound)
        wanted = {*settings.lists, *(["tools"] if settings.calls else [])}
        lists = {
            name: _list_all(connections, client, kind, settings.offer)
            for name, kind in listing.KINDS.items()
            if name in wanted
        }
        found.update({name: [item[listing.KINDS[name].id] for item in items] for name, items in lists.items()})
        for call in settings.calls:
            with connections.trace.step("call", f"tools/call {call.tool}") as bound:
                calls.make(call, client, lists["tools"], bound)
        if settings.stability:
            with connections.trace.rounds() as bound:
                stability.run(client, settings.stability, found, bound, settings.step_timeout)
    revisions = [version for version in client.offer.versions if version not in protocol.revisions(protocol.LEGACY)]
    if isinstance(client, Modern) and era == AUTO:
        # Only this tells whether a modern server serves legacy clients too, and in sessions.
        with connections.legacy(accept_refusal) as other:
            if isinstance(other, Legacy):
                found["session_mode"], found["session_mark"] = other.transport.session_mode, _session_mark(other)
                revisions.append(other.revision)
                if settings.stability and found["session_mode"] == "stateful":
                    _stable_session(connections, other, settings, found)
    elif isinstance(client, Legacy):
        revisions.append(client.revision)
    if settings.offer:
        if era != protocol.MODERN:
            handshake = connections.sse if found["session_mode"] == "sse" else connections.legacy
            revisions += _legacy_revisions(handshake, revisions)
        found["offer"] = {
            "protocol_versions": sorted(set(revisions)),
            "session_mode": found["session_mode"],
            "capabilities": found["capabilities"],
            "instructions": client.offer.instructions,
            **lists,
        }


def _stable_session(connections: Connections, client: Legacy, settings: Settings, found: dict[str, t.Any]) -> None:
    """Run the rounds in a legacy session: modern requests have no session that a wrong pod could break."""
    initialized(connections, client)
    with connections.trace.rounds() as bound:
        stability.run(client, t.cast(stability.Rounds, settings.stability), found, bound, settings.step_timeout)


def _session_mark(client: Client) -> str | None:
    """Return the pool whose name begins the id of the client's session, or None (docs/sessions.md)."""
    session = client.transport.session_headers.get(SESSION, "") if isinstance(client.transport, Streamable) else ""
    return next((pool for pool in POOLS if session.startswith(f"{pool}-")), None)


def _list_all(connections: Connections, client: Client, kind: listing.Kind, ask: bool) -> list[dict[str, t.Any]]:
    """Return the items. Without the capability, tools are asked for as clients do; other kinds only with C(ask)."""
    is_declared = kind.capability in client.offer.capabilities
    if not (is_declared or ask or kind is listing.KINDS["tools"]):
        return []
    with connections.trace.step("list", kind.method) as bound:
        try:
            return listing.whole(client.request, kind, bound)
        except Fault:
            if is_declared:
                raise
            return []


def _legacy_revisions(handshake: Handshake, known: t.Sequence[str]) -> list[str]:
    """Return the revisions, besides the known ones, that legacy clients get when they ask: servers do not list them."""
    accepted = []
    if any(revision in known for revision in protocol.revisions(protocol.LEGACY)):
        for revision in protocol.revisions(protocol.LEGACY):
            if revision not in known:
                with handshake(problem_of_revision, revision) as other:
                    if isinstance(other, Legacy) and other.revision == revision:
                        accepted.append(revision)
    return accepted
