# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes API server, spoken to by path.

Without the library C(kubernetes), whose import takes longer than an emergency's request, and which reads kubeconfigs
by rules of its own (_kubernetes/kubeconfig.py). Without discovery: we know the few paths that we need. What is left
to the library is a port-forward's protocol.
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

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.client import Answer, Client, NoAnswer, Refusal
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.clock import Clock
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection_line import announce
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.locate import locate
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict, Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, conceal
from ansible_collections.mcp.server.plugins.module_utils._text import printable

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
FIELD_MANAGER = "mcp.server"
# What an API server, or the load balancer before it, answers when it can't serve for now
OVERLOADED = (429, 502, 503, 504)
# What it says when etcd can't serve for now: no leader, no space, too slow
ETCD = ("etcdserver: ", "rpc error: code = ", "context deadline exceeded")
# What it says when a JSON patch does not fit the object, as one of its tests fails
UNPATCHED = "the server rejected our request due to an error in our request"
PROTOCOL = "v4.channel.k8s.io"  # of a port-forward
LONGEST = (
    7 * 86400
)  # seconds that a request, or an outage, may be given: what is longer is no number that anybody meant
STARTING = 20.0  # seconds for which refusals of everything are put down to that


def connect(params: dict[str, t.Any]) -> Cluster:
    """Return the cluster that a task names by its options, a kubeconfig, the environment, or by the pod that it runs in.

    Raises Failure. Nothing is sent yet, but for a login to OpenShift.
    """
    timeout, patience = params["api_timeout"], params["api_retry_timeout"]
    if not (0 < timeout <= LONGEST and 0 <= patience <= LONGEST):  # also when one is no number at all (nan)
        raise Failure(
            f"api_timeout has to be above 0, api_retry_timeout 0 or more, and both at most {LONGEST} (seconds); correct them."
        )
    access = locate(params, os.environ)
    announce(access.sentence())
    if access.user.logs_in:
        located = access
        access = outage.patiently(lambda: _logged_in(located, timeout), patience, outage.current())
    return Cluster(access, timeout, patience)


class Cluster:
    """Requests to one API server. Objects are plain dicts; every request is bounded by C(timeout) seconds.

    patience: seconds that an API server which is away is waited for, see outage.py.
    """

    def __init__(self, access: Access, timeout: float = 10.0, patience: float = 0.0) -> None:
        self.access = access
        self.timeout = timeout
        self.patience = patience
        self._waiting = outage.current()
        self._refused: Deadline | None = None
        self._clock = Clock()
        self._served = False  # something that takes a right: it has read the Roles
        self._client = Client(access, timeout)

    @property
    def host(self) -> str:
        return self.access.host

    def now(self) -> datetime:
        """The API server's time, for ages of its objects; ours as long as no answer has told it."""
        return self._clock.at(time.time())

    def server_time(self) -> datetime | None:
        """now(), for what our own clock must not decide; None as long as no answer has told it."""
        return self.now() if self._clock.known else None

    def limited(self, patience: float, timeout: float = math.inf) -> Cluster:
        """The same API server, by the same connections, with no more patience and no more time for a request than that."""
        same = copy.copy(self)
        same.patience, same.timeout = min(self.patience, patience), min(self.timeout, timeout)
        return same

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        """One object, or a list of them. Raises NotFound, Forbidden, Unreachable, Failure."""
        return self._request("GET", path, query=query)

    def create(self, path: str, body: dict[str, t.Any], **query: str) -> dict[str, t.Any]:
        return self._request("POST", path, body, query=query, stores="dryRun" not in query)

    def patch(
        self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False, **query: str
    ) -> dict[str, t.Any]:
        """Patch as C(kind), a key of PATCH_TYPES; C(apply) is a server-side apply by our field manager.

        With dry_run the API server does all but store the result (dryRun=All).
        """
        query = {"fieldManager": FIELD_MANAGER, **query, **({"dryRun": "All"} if dry_run else {})}
        return self._request("PATCH", path, body, content_type=PATCH_TYPES[kind], query=query, stores=not dry_run)

    def delete(self, path: str, *, dry_run: bool = False, **query: str) -> dict[str, t.Any]:
        return self._request("DELETE", path, query={**query, **({"dryRun": "All"} if dry_run else {})})

    def may(self, namespace: str, verb: str, group: str, resource: str, name: str = "") -> bool:
        """Whether we may do this (SelfSubjectAccessReview, which everybody may ask). resource: C(pods/portforward)."""
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
        """A socket to a port of a pod, through the API server. The caller closes it."""
        return outage.patiently(lambda: self._port_forward(namespace, pod, port), self.patience, self._waiting)

    def _port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        try:
            from kubernetes.stream.ws_client import PortForward  # lazy: emergency path
        except ImportError:
            raise Failure(missing_required_lib("kubernetes"), exception=traceback.format_exc()) from None

        try:
            opened = self.websocket(f"{paths.pods(namespace, pod)}/portforward", [("ports", str(port))], PROTOCOL)
        except Refusal as refusal:
            if refusal.answer.status in OVERLOADED and not _is_status(
                refusal.answer
            ):  # what stands between us and the API server
                raise self._unreachable(
                    NoAnswer(f"a port-forward got {refusal.answer.status} {_said(refusal.answer)}")
                ) from None
            raise Failure(
                f"No port-forward to {namespace}/{pod} port {port} through {self.host}: {_said(refusal.answer)}; "
                "the Role needs create and get on pods/portforward, and the pod must run."
            ) from None
        return PortForward(opened, [port]).socket(port)

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
            raise Unanswered(f"{failure.msg} Whether {method} {path} was done is not known.") from None

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
        """ready: it is known to have read the Roles."""
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
                    return self._send(
                        method, path, body, content_type, query, ready=True
                    )  # when it refused, it may not have been
                failure = Unreachable(failure.msg)
            raise failure
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):  # of whatever stands between us and it, or a part of an answer
            raise self._unreachable(NoAnswer("what came is no JSON object"))
        self._served = True
        return document

    def _exchange(self, method: str, path: str, **more: t.Any) -> Answer:
        """The answer. Its Date is noted, also that of a refusal."""
        sent = time.time()
        answer = self._client.send(method, path, self.timeout, **more)
        self._clock.see(answer.headers.get("Date"), sent, time.time())
        return answer

    def _is_starting(self) -> bool:
        """Whether it says so itself. Until it has read the Roles it refuses everybody, and that question too: believed for STARTING seconds.

        Not once it has served us something, beside or before that: then a right is missing.
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
        # What is wrong with a certificate does not mend while we wait: that is no outage.
        cure = (
            "check our client certificate" if none.final else "check the address, the network and the cluster's state"
        )
        return (Failure if none.final else Unreachable)(
            f"The API server {self.host} does not answer ({none.reason}); {cure}."
        )


def _logged_in(access: Access, seconds: float) -> Access:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes.openshift_login import (
        token,
    )  # lazy: an optional library

    user = access.user
    conceal(user.password)
    bearer = token(access.host, user.username, user.password, access.verify, access.ca, seconds)
    return replace(access, user=User(user.name, token=bearer))


def _api_failure(error: t.Any, method: str, path: str, host: str) -> Failure:
    said = _said(error)
    where = f"{method} {path} on {host}"
    if error.status == 401:
        return Failure(
            f"The API server {host} does not accept our credentials ({said}); renew the token or the kubeconfig."
        )
    if error.status == 403:
        return Forbidden(f"The API server refuses: {said}; grant the Role in the collection's README to this user.")
    if error.status == 404:
        return NotFound(f"Not in the cluster: {said} ({where}).")
    if error.status == 409:
        return Conflict(f"Changed by somebody else meanwhile: {said} ({where}).")
    if error.status == 422 and method == "PATCH" and said == UNPATCHED:
        return Conflict(f"Changed by somebody else meanwhile: the object is not as it was read ({where}).")
    if 300 <= error.status < 400:
        return Failure(
            f"The API server answered {error.status} to {where}: {said}; correct the server's URL (host, or server in the kubeconfig)."
        )
    failure = Failure(f"The API server answered {error.status} to {where}: {said}.")
    retry_after = (error.headers or {}).get("Retry-After", "")
    if error.status in OVERLOADED or retry_after or (error.status == 500 and any(words in said for words in ETCD)):
        failure = Unreachable(failure.msg)
        failure.again_in = (
            min(max(outage.PAUSE, float(retry_after)), outage.LONGEST) if retry_after.isdecimal() else outage.PAUSE
        )
    return failure


def _said(answer: t.Any) -> str:
    """Return the message of an answer that is a Status, or what else there is."""
    if 300 <= answer.status < 400:
        return (
            f"it redirects to {_place(answer.headers)}, which is not followed, as our credentials are not meant for it"
        )
    try:
        said = json.loads(answer.body)["message"]
    except (TypeError, ValueError, KeyError, RecursionError):
        said = answer.reason or http.client.responses.get(answer.status, "no reason given")
    return printable(str(said), 1000)


def _is_status(answer: Answer) -> bool:
    """Whether an API server said it."""
    try:
        return json.loads(answer.body)["kind"] == "Status"
    except (TypeError, ValueError, KeyError, RecursionError):
        return False


def _place(headers: t.Mapping[str, str]) -> str:
    """Return where a redirect leads to, without what may be secret in it."""
    location = headers.get("Location") or headers.get("location") or ""
    try:
        url = urllib.parse.urlsplit(location)
    except ValueError:
        return "what is no URL"
    there = url.netloc.rpartition("@")[2]
    return printable(f"{url.scheme}://{there}" if there else url.path, 200) or "nowhere"
