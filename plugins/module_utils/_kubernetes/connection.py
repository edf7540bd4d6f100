# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to a Kubernetes API server by path (api.Api).

This module does without the library C(kubernetes), whose import takes longer than an emergency's request, and which
reads kubeconfigs by other rules than kubectl (kubeconfig.py). It does without discovery, as paths.py has the few paths
that are needed. Only the protocol of a port-forward is the library's.
"""

from __future__ import annotations

import copy
import http.client
import json
import math
import os
import socket
import time
import traceback
import typing as t
import urllib.parse
from dataclasses import replace
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import BadRequest, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.client import Answer, Client, NoAnswer, Refusal
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.clock import Clock
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection_line import announce
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.locate import locate
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, conceal, missing_library
from ansible_collections.mcp.server.plugins.module_utils._text import printable

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
FIELD_MANAGER = "mcp.server"
# Statuses of an API server, or of the load balancer before it, that cannot serve for now.
OVERLOADED = (429, 502, 503, 504)
# Beginnings of its messages when etcd cannot serve for now: no leader, no space, too slow.
ETCD = ("etcdserver: ", "rpc error: code = ", "context deadline exceeded")
# A part of its message when an admission webhook does not answer, and the write is refused for that.
WEBHOOK = "failed calling webhook"
REPAIR_WEBHOOK = (
    "repair what serves this webhook, or delete its configuration, which "
    "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations lists"
)
# A part of etcd's message while it takes no write, until an administrator has made room.
NO_SPACE = "database space exceeded"
MAKE_SPACE = "etcd is full: compact and defragment it, then disarm its alarm (etcdctl alarm disarm)"
# Its message when a test of a JSON patch fails.
UNPATCHED = "the server rejected our request due to an error in our request"
PROTOCOL = "v4.channel.k8s.io"  # of a port-forward
LONGEST = 7 * 86400  # seconds, the highest time-out that is accepted
STARTING = 20.0  # seconds for which refusals of everything may come from an API server that is starting


def connect(params: dict[str, t.Any]) -> Cluster:
    """Return the cluster of a task, by its options, a kubeconfig, the environment, or the pod that it runs in.

    Raises Failure. Sends nothing yet, except for a login to OpenShift.
    """
    timeout, patience = params["api_timeout"], params["api_retry_timeout"]
    if not (0 < timeout <= LONGEST and 0 <= patience <= LONGEST):  # nan too
        raise Failure(
            f"api_timeout must be above 0, api_retry_timeout must be 0 or more, and both at most {LONGEST} (seconds)."
        )
    access = locate(params, os.environ)
    announce(access.sentence())
    if access.user.logs_in:
        located = access
        access = outage.patiently(lambda: _logged_in(located, timeout), patience, outage.current())
    return Cluster(access, timeout, patience)


class Cluster:
    """Requests to one API server (api.Api), each bounded by C(timeout) seconds.

    patience: seconds for which a request waits for an API server that does not answer (outage.py).
    """

    def __init__(self, access: Access, timeout: float = 10.0, patience: float = 0.0) -> None:
        self.access = access
        self.timeout = timeout
        self.patience = patience
        self._waiting = outage.current()
        self._refused: Deadline | None = None
        self._clock = Clock()
        self._served = False  # whether it has granted a request, so that it has read the Roles
        self._client = Client(access, timeout)

    @property
    def host(self) -> str:
        return self.access.host

    def now(self) -> datetime:
        """Return the API server's time, for ages of its objects; this machine's until a response has told it."""
        return self._clock.at(time.time())

    def server_time(self) -> datetime | None:
        """Return now(), or None until a response has told it: for decisions that this machine's clock must not make."""
        return self.now() if self._clock.known else None

    def limited(self, patience: float, timeout: float = math.inf) -> Cluster:
        """Return the same API server, with the same connections and lower bounds."""
        same = copy.copy(self)
        same.patience, same.timeout = min(self.patience, patience), min(self.timeout, timeout)
        return same

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        """Return one object, or a list of them. Raises NotFound, Forbidden, Unreachable, Failure."""
        return self._request("GET", path, query=query)

    def stream(self, path: str, *, seconds: float, max_bytes: int, **query: str) -> t.Iterator[bytes]:
        """Yield an answer of any size as it arrives (api.Api). An outage is waited for only before it begins."""
        bound = Deadline(seconds)
        pieces: list[t.Iterator[bytes]] = []

        def begin() -> bytes:
            pieces[:] = [self._client.stream(path, bound, list(query.items()), max_bytes)]
            try:
                return next(pieces[0], b"")
            except Refusal as refusal:
                raise _api_failure(refusal.answer, "GET", path, self.host) from None
            except NoAnswer as none:
                raise self._unreachable(none) from None

        yield outage.patiently(begin, min(self.patience, seconds), self._waiting)
        try:
            yield from pieces[0]
        except NoAnswer as none:
            raise self._unreachable(none) from None

    def create(self, path: str, body: dict[str, t.Any], **query: str) -> dict[str, t.Any]:
        return self._request("POST", path, body, query=query, stores="dryRun" not in query)

    def patch(
        self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False, **query: str
    ) -> dict[str, t.Any]:
        """Patch an object. kind: a key of PATCH_TYPES; C(apply) is a server-side apply by FIELD_MANAGER.

        dry_run: the API server does everything but store the result (dryRun=All).
        """
        query = {"fieldManager": FIELD_MANAGER, **query, **({"dryRun": "All"} if dry_run else {})}
        return self._request("PATCH", path, body, content_type=PATCH_TYPES[kind], query=query, stores=not dry_run)

    def delete(self, path: str, *, dry_run: bool = False, **query: str) -> dict[str, t.Any]:
        return self._request("DELETE", path, query={**query, **({"dryRun": "All"} if dry_run else {})})

    def may(self, namespace: str, verb: str, group: str, resource: str, name: str = "") -> bool:
        """Return whether the user has this permission. resource: such as C(pods/portforward)."""
        resource, _slash, subresource = resource.partition("/")
        attributes = {
            "namespace": namespace,
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "name": name,
        }
        review = self._request(
            "POST",
            paths.ACCESS_REVIEWS,
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        status = review.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    def port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Return a socket to a port of a pod, through the API server. The caller closes it."""
        return outage.patiently(lambda: self._port_forward(namespace, pod, port), self.patience, self._waiting)

    def _port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        try:
            from kubernetes.stream.ws_client import PortForward  # lazy: emergency path
        except ImportError:
            raise Failure(missing_library("kubernetes"), exception=traceback.format_exc()) from None

        try:
            opened = self.websocket(f"{paths.pods(namespace, pod)}/portforward", [("ports", str(port))], PROTOCOL)
        except Refusal as refusal:
            answer = refusal.answer
            if answer.status in OVERLOADED and not _is_status(answer):  # of a load balancer
                raise self._unreachable(NoAnswer(f"a port-forward got {answer.status} {_message(answer)}")) from None
            raise Failure(
                f"Cannot forward a port to {namespace}/{pod} port {port} through {self.host}: {_message(answer)}; "
                "the Role needs create and get on pods/portforward, and the pod must run."
            ) from None
        return t.cast(socket.socket, PortForward(opened, [port]).socket(port))

    def websocket(self, path: str, query: t.Sequence[tuple[str, str]], protocol: str) -> t.Any:
        """Return an open WebSocket to the API server, which the caller closes. Raises Refusal, Unreachable, Failure."""
        try:
            return self._client.websocket(path, query, protocol, self.timeout)
        except NoAnswer as none:
            raise self._unreachable(none) from None

    def _request(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        *,
        content_type: str | None = None,
        query: dict[str, str] | None = None,
        stores: bool = False,
    ) -> dict[str, t.Any]:
        def send() -> dict[str, t.Any]:
            return self._send(method, path, body, content_type, query)

        if not (stores and self.patience):
            return outage.patiently(send, self.patience, self._waiting)
        try:
            return send()
        except Unreachable as failure:
            time.sleep(min(failure.again_in, self.patience))
            # A full etcd stores nothing, and its refusal is an answer.
            unknown = "" if NO_SPACE in failure.msg else f" It is unknown whether {method} {path} was done."
            raise Unanswered(f"{failure.msg}{unknown}") from None

    def _send(
        self,
        method: str,
        path: str,
        body: t.Any,
        content_type: str | None,
        query: dict[str, str] | None,
        *,
        ready: bool = False,
    ) -> dict[str, t.Any]:
        """Send once. ready: whether the API server has read the Roles for sure."""
        try:
            answer = self._exchange(
                method, path, body=body, content_type=content_type, query=list((query or {}).items())
            )
        except NoAnswer as none:
            raise self._unreachable(none) from None
        if not 200 <= answer.status <= 299:
            failure = _api_failure(answer, method, path, self.host)
            if self.patience and answer.status in (401, 403) and not ready:
                if not self._is_starting():
                    # It may have been starting when it refused.
                    return self._send(method, path, body, content_type, query, ready=True)
                failure = Unreachable(failure.msg)
            raise failure
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):  # of a load balancer, or only a part of an answer
            raise self._unreachable(NoAnswer("its answer is not a JSON object"))
        self._served = True
        return document

    def _exchange(self, method: str, path: str, **more: t.Any) -> Answer:
        """Return the answer, also a refusal. Note its Date."""
        sent = time.time()
        answer = self._client.send(method, path, self.timeout, **more)
        self._clock.see(answer.headers.get("Date"), sent, time.time())
        return answer

    def _is_starting(self) -> bool:
        """Return whether the API server is starting, by its readiness.

        Until it has read the Roles it refuses every request, the one for its readiness too; that is taken for a start
        for STARTING seconds. Once it has granted any request, a refusal means a missing permission.
        """
        if self._served:
            return False
        try:
            status = self._exchange("GET", "/readyz").status
        except NoAnswer:
            return True
        if status in (401, 403):
            self._refused = self._refused or Deadline(STARTING)
            return bool(self._refused.left)
        return status >= 500

    def _unreachable(self, none: NoAnswer) -> Failure:
        self._refused, self._served = None, False
        if none.final:  # a certificate that is refused does not become valid by waiting
            return Failure(f"The API server {self.host} does not answer ({none.reason}); check the client certificate.")
        return Unreachable(
            f"The API server {self.host} does not answer ({none.reason}); check the address, the network and the "
            "cluster."
        )


def _logged_in(access: Access, seconds: float) -> Access:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import openshift_login  # lazy: emergency path

    user = access.user
    conceal(user.password)
    bearer = openshift_login.token(access.host, user.username, user.password, access.verify, access.ca, seconds)
    return replace(access, user=User(user.name, token=bearer))


def _api_failure(error: t.Any, method: str, path: str, host: str) -> Failure:
    message = _message(error)
    where = f"{method} {path} on {host}"
    if error.status == 400:
        return BadRequest(f"The API server answered 400 to {where}: {message}.")
    if error.status == 401:
        return Failure(
            f"The API server {host} does not accept the credentials ({message}); renew the token or the kubeconfig."
        )
    if error.status == 403:
        return Forbidden(f"The API server refuses: {message}; grant this user the Role for this (docs/rights.md).")
    if error.status == 404:
        return NotFound(f"Not in the cluster: {message} ({where}).")
    if error.status == 409:
        return Conflict(f"Conflict, modified by another client: {message} ({where}).")
    if error.status == 422 and method == "PATCH" and message == UNPATCHED:
        return Conflict(f"Conflict, modified by another client: the object is not as it was read ({where}).")
    if 300 <= error.status < 400:
        return Failure(
            f"The API server answered {error.status} to {where}: {message}; "
            "correct the server's URL (host, or server in the kubeconfig)."
        )
    webhook = error.status == 500 and WEBHOOK in message
    advice = f"; {REPAIR_WEBHOOK}" if webhook else f"; {MAKE_SPACE}" if NO_SPACE in message else ""
    failure = Failure(f"The API server answered {error.status} to {where}: {message}{advice}.")
    retry_after = (error.headers or {}).get("Retry-After", "")
    etcd = error.status == 500 and not webhook and any(text in message for text in ETCD)
    if error.status in OVERLOADED or retry_after or etcd:
        failure = Unreachable(failure.msg)
        failure.again_in = (
            min(max(outage.PAUSE, float(retry_after)), outage.LONGEST) if retry_after.isdecimal() else outage.PAUSE
        )
    return failure


def _message(answer: t.Any) -> str:
    """Return the message of an answer, by its Status, or else by its HTTP status."""
    if 300 <= answer.status < 400:
        return f"it redirects to {_place(answer.headers)}, which is not followed, as it must not get the credentials"
    try:
        message = json.loads(answer.body)["message"]
    except (TypeError, ValueError, KeyError, RecursionError):
        message = answer.reason or http.client.responses.get(answer.status, "no reason given")
    return printable(str(message), 1000)


def _is_status(answer: Answer) -> bool:
    """Return whether the answer is an API server's own."""
    try:
        return bool(json.loads(answer.body)["kind"] == "Status")
    except (TypeError, ValueError, KeyError, RecursionError):
        return False


def _place(headers: t.Mapping[str, str]) -> str:
    """Return where a redirect leads to, without its parts that may be secret."""
    location = headers.get("Location") or headers.get("location") or ""
    try:
        url = urllib.parse.urlsplit(location)
    except ValueError:
        return "an invalid URL"
    there = url.netloc.rpartition("@")[2]
    return printable(f"{url.scheme}://{there}" if there else url.path, 200) or "nowhere"
