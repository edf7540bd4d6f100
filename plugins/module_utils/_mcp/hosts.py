# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Host header of requests to pods: the public one, or localhost where that is refused.

A port-forward reaches a pod over loopback. There the Go SDK refuses each Host but loopback's, whatever clients may use.
The defaults of the Python, TypeScript and Rust SDKs refuse each other Host on any way.
"""

from __future__ import annotations

import threading
import typing as t
from contextlib import ExitStack, contextmanager

from ansible_collections.mcp.server.plugins.module_utils._http.connection import (
    Connection,
    Cures,
    Dial,
    Headers,
    Late,
    Permanent,
    Reply,
    Response,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp import reasons
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, without_part_of_secrets


def candidates(public: str | None, port: int) -> tuple[str, ...]:
    """Return the Hosts to try, in this order. public: None without a public address.

    By default the SDKs accept localhost with a port, Python's only with one; a list of exact values may have another.
    """
    loopback = (f"localhost:{port}", f"127.0.0.1:{port}", "localhost")
    return tuple(dict.fromkeys((public, *loopback) if public else loopback))


class Hosts:
    """The Hosts that some pods may accept, and what was learnt of them. Thread-safe.

    pods: what to call them, such as "Pool green". note: a sentence once another Host than the first one is used.
    told: whether a person has seen it.
    """

    def __init__(self, pods: str, names: t.Sequence[str]) -> None:
        self.pods = pods
        self.names = tuple(names)
        self.note = ""
        self.told = False
        self._accepted = self.names[0]
        self._refusing: set[tuple[str, str]] = set()  # pods and paths that refused all Hosts when last asked
        self._lock = threading.Lock()

    def in_order(self) -> list[str]:
        """Return the Hosts to try, the accepted one first."""
        first = self._accepted  # another thread may change it
        return [first, *(name for name in self.names if name != first)]

    def to_try(self, pod: str, path: str) -> list[str]:
        """Return the Hosts to try on a path of a pod: only the first one where all were refused.

        A server may open a session for each request that it refuses, and a wait asks again and again.
        """
        with self._lock:
            if (pod, path) in self._refusing:
                return [self.names[0]]
        return self.in_order()

    def refuses_all(self, pod: str, path: str) -> None:
        """Remember that a path of a pod refused all Hosts."""
        with self._lock:
            self._refusing.add((pod, path))

    def answers(self, pod: str, path: str) -> None:
        """Forget that a path of a pod refused all Hosts, as it has answered."""
        with self._lock:
            self._refusing.discard((pod, path))

    def accepts(self, name: str, refusals: t.Mapping[str, Reply]) -> None:
        """Remember a Host that was accepted after the refusals of others."""
        with self._lock:
            self._accepted = name
            if not self.note and (first := refusals.get(self.names[0])):
                # A server may repeat credentials, and the quotation end within them.
                self.note = without_part_of_secrets(used_instead(self.pods, self.names[0], name, first))


# By namespace, pods, port and Hosts. A process has one task, so this is what a run has learnt.
_LEARNT: dict[tuple[t.Any, ...], Hosts] = {}


def of(namespace: str, pods: str, port: int, names: tuple[str, ...]) -> Hosts:
    """Return what this run knows of the Hosts of some pods, such as those of a pool."""
    return _LEARNT.setdefault((namespace, pods, port, names), Hosts(pods, names))


def notes() -> list[str]:
    """Return a sentence for each group of pods that was asked under another Host than the first one."""
    return sorted(hosts.note for hosts in list(_LEARNT.values()) if hosts.note)


def news() -> list[str]:
    """Return the notes that this run has not told yet."""
    untold = [hosts for hosts in list(_LEARNT.values()) if hosts.note and not hosts.told]
    for hosts in untold:
        hosts.told = True
    return sorted(hosts.note for hosts in untold)


def used_instead(pods: str, refused: str, used: str, reply: Reply) -> str:
    """Return the note on a Host that is used instead of another. Pure."""
    advice = " If it refuses that Host to clients too, allow it in the server's settings."
    if refused.startswith("localhost:"):  # there is no public one
        advice = ""
    return (
        f"{pods} refuses the Host {refused} over the port-forward ({reply.status} {reasons.quote(reply.text)}) and is "
        f"asked as {used}.{advice}"
    )


def all_refused(reply: Reply, names: t.Sequence[str]) -> Permanent:
    """Return the Fault of pods that accept none of the Hosts. reply: to one of them. Pure."""
    return Permanent(
        f"returned {reply.status} ({reasons.quote(reply.text)}): the pod accepts none of the Hosts that were tried "
        f"({', '.join(names)}); allow the first one in the server's settings (transport_security), or set "
        "endpoint.pods.host to one that it accepts",
        status=reply.status,
    )


class PodConnection(Connection):
    """A connection to a pod, which tries one Host after the other until one is accepted.

    A path that has answered under a Host is not tried under others: what it refuses later, it refuses for another
    reason. Neither is a path that has refused them all, nor by later connections until it answers.
    """

    def __init__(self, dial: Dial, pod: str, hosts: Hosts, cures: Cures) -> None:
        super().__init__(dial, hosts.in_order()[0], cures=cures)
        self._pod = pod
        self._hosts = hosts
        self._settled: dict[str, str] = {}  # the only Host of each path from now on

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        bound: Deadline,
        headers: Headers | None = None,
        body: bytes | None = None,
        late: Late | None = None,
    ) -> t.Iterator[Response]:
        refusals: dict[str, Reply] = {}
        for name in self._to_try(path):
            self.authority = name
            with ExitStack() as stack:
                response = stack.enter_context(super().request(method, path, bound, headers, body, late))
                if not self._is_refused(path, response, refusals):
                    yield response
                    return
                if late is not None:
                    late[1](response)  # a server may have opened a session nevertheless
        raise self._all_refused(path, refusals)

    def begin(self, method: str, path: str, bound: Deadline, headers: Headers | None = None) -> Response:
        refusals: dict[str, Reply] = {}
        for name in self._to_try(path):
            self.authority = name
            response = super().begin(method, path, bound, headers)
            with self.bounded(bound):
                if not self._is_refused(path, response, refusals):
                    return response
            self.close()
        raise self._all_refused(path, refusals)

    def _to_try(self, path: str) -> list[str]:
        path = path.partition("?")[0]
        settled = self._settled.get(path)
        return [settled] if settled else self._hosts.to_try(self._pod, path)

    def _all_refused(self, path: str, refusals: dict[str, Reply]) -> Permanent:
        """Return the Fault. What follows, such as ending a session, asks under one Host only."""
        path = path.partition("?")[0]
        self._settled[path] = self._hosts.names[0]
        self._hosts.refuses_all(self._pod, path)
        return all_refused(next(iter(refusals.values())), self._hosts.names)

    def _is_refused(self, path: str, response: Response, refusals: dict[str, Reply]) -> bool:
        """Return whether a response refuses the Host, which is then among the refusals."""
        path = path.partition("?")[0]
        if path in self._settled:
            return False
        if response.status in reasons.HOST_REFUSALS and response.content_type != "text/event-stream":
            reply = response.peek()
            if reasons.refuses_host(reply):
                refusals[self.authority] = reply
                return True
        self._settled[path] = self.authority
        self._hosts.answers(self._pod, path)
        if refusals:
            self._hosts.accepts(self.authority, refusals)
        return False
