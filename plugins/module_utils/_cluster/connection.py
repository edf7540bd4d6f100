# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes API server, spoken to by path.

Only C(DynamicClient.request) of the C(kubernetes) library is used, and no
discovery: we know the few paths that we need, and discovery costs an emergency
three round trips. The library's typed API is never touched (in v37 its first
use costs a second).
"""

from __future__ import annotations

import functools
import json
import os
import socket
import ssl
import time
import traceback
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils._cluster import outage
from ansible_collections.mcp.server.plugins.module_utils._cluster.outage import Conflict, Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, bounded

try:
    import kubernetes.client
    import kubernetes.config
    import urllib3.exceptions
    from kubernetes.dynamic import DynamicClient
    from kubernetes.dynamic.exceptions import DynamicApiError

    KUBERNETES_ERROR = None
except ImportError:
    KUBERNETES_ERROR = traceback.format_exc()


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
STARTING = 20.0  # seconds for which refusals of everything are put down to that


class NotFound(Failure):
    """The API server says that there is no such object."""


class Forbidden(Failure):
    """The API server knows us and refuses."""


def connect(params: dict[str, t.Any]) -> Cluster:
    """The cluster that the options name, or else the first of: kubeconfig files, the pod that we run in.

    Raises Failure when nothing tells where the cluster is. Nothing is sent yet.
    """
    if KUBERNETES_ERROR is not None:
        raise Failure(missing_required_lib("kubernetes"), exception=KUBERNETES_ERROR)
    configuration = kubernetes.client.Configuration()
    if bool(params["username"]) is not bool(params["password"]):
        raise Failure("username and password log in to OpenShift together: give both or none.")
    if not (params["host"] and (params["api_key"] or params["username"])):
        _load(configuration, params)
    if params["host"]:
        configuration.host = params["host"]
    if params["api_key"]:
        configuration.api_key = {"BearerToken": f"Bearer {params['api_key']}", "authorization": f"Bearer {params['api_key']}"}
    if params["validate_certs"] is not None:
        configuration.verify_ssl = params["validate_certs"]
    for option, attribute in (("ca_cert", "ssl_ca_cert"), ("client_cert", "cert_file"), ("client_key", "key_file"), ("proxy", "proxy")):
        if params[option]:
            setattr(configuration, attribute, params[option])
    if params["username"]:
        _log_in(configuration, params)
    configuration.retries = False
    return Cluster(configuration, params["api_timeout"], params["api_patience"])


def _log_in(configuration: t.Any, params: dict[str, t.Any]) -> None:
    from ansible_collections.mcp.server.plugins.module_utils._cluster.openshift_login import token

    place = (configuration.verify_ssl, configuration.ssl_ca_cert)
    bearer = f"Bearer {token(configuration.host, params['username'], params['password'], *place, params['api_timeout'])}"
    configuration.api_key = {"BearerToken": bearer, "authorization": bearer}


def _load(configuration: t.Any, params: dict[str, t.Any]) -> None:
    config = kubernetes.config
    try:
        config.load_kube_config(config_file=params["kubeconfig"], context=params["context"], client_configuration=configuration, persist_config=False)
    except (config.ConfigException, OSError, TypeError, ValueError) as error:
        if params["kubeconfig"] is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)
        elif not params["host"]:
            searched = params["kubeconfig"] or os.environ.get("KUBECONFIG") or "~/.kube/config"
            context = f", context {params['context']}" if params["context"] else ""
            raise Failure(
                f"No cluster to talk to: kubeconfig {searched}{context} could not be used ({str(error).rstrip('.')}); "
                "set kubeconfig (or KUBECONFIG, K8S_AUTH_KUBECONFIG), or host and api_key."
            ) from None


class _NoDiscovery:
    """Stands in for the library's discoverer, which asks the API server three questions at start."""

    def __init__(self, client: t.Any, cache_file: str | None) -> None:
        self.version = None


class Cluster:
    """Requests to one API server. Objects are plain dicts; every request is bounded by C(timeout) seconds.

    patience: seconds that an API server which is away is waited for, see outage.py.
    """

    def __init__(self, configuration: t.Any, timeout: float = 10.0, patience: float = 0.0) -> None:
        self.configuration = configuration
        self.timeout = timeout
        self.patience = patience
        self._waiting = outage.current()
        self._refused: Deadline | None = None
        self._served = False  # something that takes a right: it has read the Roles
        self._client = DynamicClient(kubernetes.client.ApiClient(configuration), discoverer=_NoDiscovery)

    @property
    def host(self) -> str:
        return self.configuration.host

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        """One object, or a list of them. Raises NotFound, Forbidden, Unreachable, Failure."""
        return self._request("GET", path, query=query)

    def create(self, path: str, body: dict[str, t.Any], **query: str) -> dict[str, t.Any]:
        return self._request("POST", path, body, query=query, stores="dryRun" not in query)

    def patch(self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False, **query: str) -> dict[str, t.Any]:
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
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}},
        )
        return bool(review["status"]["allowed"])

    def port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """A socket to a port of a pod, through the API server. The caller closes it."""
        return outage.patiently(lambda: self._port_forward(namespace, pod, port), self.patience, self._waiting)

    def _port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        from kubernetes.stream.ws_client import portforward_call

        url = f"{self.host}{pod_path(namespace, pod)}/portforward"
        headers = dict(self._client.client.default_headers)
        token = self.configuration.get_api_key_with_prefix("authorization") or self.configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["authorization"] = token
        call = functools.partial(portforward_call, self.configuration, "GET", url, query_params=[("ports", str(port))], headers=headers)
        try:
            forward = bounded(call, self.timeout)
        except TimeoutError as error:
            raise self._unreachable(error) from None
        except kubernetes.client.ApiException as error:
            if isinstance(error.__context__, OSError):
                raise self._unreachable(error.__context__) from None
            raise Failure(
                f"No port-forward to {namespace}/{pod} port {port} through {self.host}: {_handshake(error.reason)}; "
                "the Role needs create and get on pods/portforward, and the pod must run."
            ) from None
        return forward.socket(port)

    def _request(
        self, method: str, path: str, body: t.Any = None, *, content_type: str | None = None, query: dict[str, str] | None = None, stores: bool = False
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

    def _send(self, method: str, path: str, body: t.Any, content_type: str | None, query: dict[str, str] | None, *, ready: bool = False) -> dict[str, t.Any]:
        """ready: it is known to have read the Roles."""
        try:
            response = self._client.request(
                method,
                path,
                body=body,
                content_type=content_type,
                query_params=list((query or {}).items()),
                header_params={},
                serialize=False,
                _request_timeout=(min(3.05, self.timeout), self.timeout),
            )
            data = response.data  # the body is read now
        except DynamicApiError as error:
            failure = _api_failure(error, method, path, self.host)
            if self.patience and error.status in (401, 403) and not ready:
                if not self._is_starting():
                    return self._send(method, path, body, content_type, query, ready=True)  # when it refused, it may not have been
                failure = Unreachable(failure.msg)
            raise failure from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from None
        try:
            answer = json.loads(data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):  # of whatever stands between us and it, or a part of an answer
            raise self._unreachable(ValueError("what came is no JSON object"))
        self._served = True
        return answer

    def _is_starting(self) -> bool:
        """Whether it says so itself. Until it has read the Roles it refuses everybody, and that question too: believed for STARTING seconds.

        Not once it has served us something, beside or before that: then a right is missing.
        """
        if self._served:
            return False
        try:
            self._client.request("GET", "/readyz", header_params={}, serialize=False, _request_timeout=(min(3.05, self.timeout), self.timeout))
        except DynamicApiError as error:
            if error.status in (401, 403):
                self._refused = self._refused or Deadline(STARTING)
                return bool(self._refused.left)
            return error.status >= 500
        except (urllib3.exceptions.HTTPError, OSError):
            return True
        return False

    def _unreachable(self, error: Exception) -> Failure:
        self._refused, self._served = None, False
        # A certificate that is wrong does not mend while we wait: that is no outage
        wrong = any(isinstance(part, ssl.SSLCertVerificationError) for part in (error, *error.args))
        return (Failure if wrong else Unreachable)(
            f"The API server {self.host} does not answer ({_first_line(error)}); check the address, the network and the cluster's state."
        )


def _api_failure(error: t.Any, method: str, path: str, host: str) -> Failure:
    try:
        said = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        said = _first_line(error.reason or error)
    where = f"{method} {path} on {host}"
    if error.status == 401:
        return Failure(f"The API server {host} does not accept our credentials ({said}); renew the token or the kubeconfig.")
    if error.status == 403:
        return Forbidden(f"The API server refuses: {said}; grant the Role in the collection's README to this user.")
    if error.status == 404:
        return NotFound(f"Not in the cluster: {said} ({where}).")
    if error.status == 409:
        return Conflict(f"Changed by somebody else meanwhile: {said} ({where}).")
    if error.status == 422 and method == "PATCH" and said == UNPATCHED:
        return Conflict(f"Changed by somebody else meanwhile: the object is not as it was read ({where}).")
    failure = Failure(f"The API server answered {error.status} to {where}: {said}.")
    retry_after = (error.headers or {}).get("Retry-After", "")
    if error.status in OVERLOADED or retry_after or (error.status == 500 and any(words in said for words in ETCD)):
        failure = Unreachable(failure.msg)
        failure.again_in = min(max(outage.PAUSE, float(retry_after)), outage.LONGEST) if retry_after.isdecimal() else outage.PAUSE
    return failure


def _handshake(reason: str) -> str:
    """What the API server said, out of the WebSocket library's dump of its whole answer."""
    try:
        return json.loads(reason.rpartition("-+-+-")[2])["message"]
    except (ValueError, KeyError, TypeError):
        return _first_line(reason)


def _first_line(error: t.Any) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def pod_path(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/pods" + (f"/{name}" if name else "")
