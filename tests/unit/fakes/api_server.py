# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server in memory, with the interface of connection.Cluster and the failures that it raises.

It does what our requests need of a real one: resourceVersion, generation, managedFields, optimistic locking, the
kinds of patches, selectors, dry runs and rights. http_api_server.py serves the same over HTTP. That it answers as a
real one is tested by api_contract_cases.py.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import socket
import threading
import time
import typing as t
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes import managed_fields
from ansible_collections.mcp.server.tests.unit.fakes.managed_fields import LIST_KEYS

Object = dict[str, t.Any]
Log = bytes | t.Callable[[], t.Iterable[bytes]]

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "Timeout",
}
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
PATCH_REFUSED = "the server rejected our request due to an error in our request"
UNKNOWN_PATH = "the server could not find the requested resource"
UNKNOWN_FORMAT = "the body of the request was in an unknown format"
# Groups whose types the API server knows. It has no strategic merge for custom resources.
BUILT_IN = (
    "",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "policy",
)
# Of what has a spec, the API server counts no generations for these.
UNCOUNTED = ("horizontalpodautoscalers", "leases", "namespaces", "services")
# In the metadata, nothing is not kept.
NOT_EMPTY = ("annotations", "finalizers", "labels", "ownerReferences")
NOBODY = "nobody"  # the field manager of whom managedFields tell nothing
VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}
ACCESS_REVIEWS = "selfsubjectaccessreviews"
LOCAL_REVIEWS = "localsubjectaccessreviews"
REVIEWS = (ACCESS_REVIEWS, "selfsubjectreviews")  # which everybody may ask for


class StatusError(Exception):
    """An answer that is a Status object. It has the attributes of the kubernetes library's exceptions."""

    def __init__(self, status: int, message: str, *, reason: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason or REASONS[status]
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def body(self) -> str:
        document = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        return json.dumps({**document, "code": self.status})


class Place(t.NamedTuple):
    """What a path names: an object, or a collection when it has no name."""

    group: str
    namespace: str
    resource: str
    name: str
    subresource: str

    @property
    def qualified(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


PLACE = re.compile(r"/(?:api/v1|apis/([^/]+)/[^/]+)(?:/namespaces/([^/]+))?/([^/]+)(?:/([^/]+))?(?:/(.+))?")


@functools.cache
def place_of(path: str) -> Place | None:
    """Return what the path names, or None for a path such as /version."""
    found = PLACE.fullmatch(path)
    return Place(*(part or "" for part in found.groups())) if found else None


class Request(t.NamedTuple):
    method: str
    path: str
    body: t.Any = None
    kind: str = ""
    query: t.Mapping[str, str] = MappingProxyType({})

    @property
    def dry_run(self) -> bool:
        return self.query.get("dryRun") == "All"

    @property
    def manager(self) -> str:
        """Whom managedFields name. Without one it is what User-Agent begins with, and our client's is that."""
        return self.query.get("fieldManager") or connection.FIELD_MANAGER

    @property
    def stores(self) -> bool:
        return self.method != "GET" and not self.dry_run and not self.path.endswith(REVIEWS)

    def matches(self, method: str, part: str) -> bool:
        return method in ("", self.method) and part in self.path


class Right(t.NamedTuple):
    """What a request takes. name: empty for a verb that has none."""

    verb: str
    group: str
    resource: str
    name: str


def right_of(request: Request) -> Right | None:
    """Return what the request takes, or None when everybody may do it."""
    place = place_of(request.path)
    if place is None or place.resource in REVIEWS:
        return None
    verb = VERBS.get(request.method) or ("get" if place.name else "list")
    return Right(verb, place.group, "/".join(filter(None, (place.resource, place.subresource))), place.name)


def grants(rule: dict[str, list[str]], right: Right) -> bool:
    """Return whether the rule of a Role grants this."""
    named = "resourceNames" not in rule or right.name in rule["resourceNames"]
    return (
        named
        and right.group in rule["apiGroups"]
        and right.resource in rule["resources"]
        and right.verb in rule["verbs"]
    )


@dataclass(eq=False)
class Rule:
    """What is done to the next requests of a method whose path has a part; "" stands for all of them."""

    method: str
    part: str
    act: t.Callable[[], t.Any]
    times: float
    after: bool


class ApiServer:
    """Objects by path. Tests may read and change them.

    log: every request that a client made. refused: "verb resource" that the client may not do. role: the rules of
    the Role that the client has, None for all rights. roles_of_others: the same of other users, by their names.
    clock: gives the time.
    logs, previous_logs: of containers, by C(POD/CONTAINER): the log, or a function that yields its pieces.
    ahead: seconds by which its time differs from that, None when the client has not been told its time.
    rules: the faults that are still to come; clear() ends them. ports: where pods listen on this machine, by name.
    controllers: called with the path of each object that was stored.
    """

    host = "https://cluster"
    user = "releaser"
    timeout = 10.0
    patience = 0.0  # it is never waited for: the client's own tests do that over HTTP
    ahead: float | None = 0.0

    def __init__(self, objects: dict[str, Object] | None = None) -> None:
        self.objects: dict[str, Object] = {"/version": {"gitVersion": "v1.35.4"}, "/readyz": {}}
        self.log: list[Request] = []
        self.rules: list[Rule] = []
        self.refused: set[str] = set()
        self.role: list[dict[str, list[str]]] | None = None
        self.roles_of_others: dict[str, list[dict[str, list[str]]]] = {}
        self.ports: dict[str, int] = {}
        self.logs: dict[str, Log] = {}
        self.previous_logs: dict[str, Log] = {}
        self.controllers: list[t.Callable[[str], t.Any]] = []
        self.clock: t.Callable[[], datetime] = lambda: datetime.now(UTC)
        self._versions = itertools.count(1001)
        self._lock = threading.RLock()
        for path, body in (objects or {}).items():
            self.put(path, body)

    # The interface of connection.Cluster

    def get(self, path: str, **query: str) -> Object:
        return self._ask(Request("GET", path, query=query))

    def stream(self, path: str, *, seconds: float, max_bytes: int, **query: str) -> t.Iterator[bytes]:
        log = self._ask(Request("GET", path, query=query))
        for piece in [log] if isinstance(log, bytes) else t.cast(t.Iterable[bytes], log):
            yield piece[:max_bytes]
            max_bytes -= len(piece)
            if max_bytes <= 0:
                return

    def create(self, path: str, body: Object, **query: str) -> Object:
        return self._ask(Request("POST", path, body, query=query))

    def patch(self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False, **query: str) -> Object:
        query = {"fieldManager": connection.FIELD_MANAGER, **query, **({"dryRun": "All"} if dry_run else {})}
        return self._ask(Request("PATCH", path, body, kind, query))

    def delete(self, path: str, *, dry_run: bool = False, **query: str) -> Object:
        return self._ask(Request("DELETE", path, query={**query, **({"dryRun": "All"} if dry_run else {})}))

    def may(self, namespace: str, verb: str, group: str, resource: str, name: str = "") -> bool:
        resource, _slash, subresource = resource.partition("/")
        attributes = {
            "namespace": namespace,
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "name": name,
        }
        review = {"spec": {"resourceAttributes": attributes}}
        return self.create(f"/apis/authorization.k8s.io/v1/{ACCESS_REVIEWS}", review)["status"]["allowed"]

    def port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        self._ask(Request("GET", f"{paths.pods(namespace, pod)}/portforward", query={"ports": str(port)}))
        if pod not in self.ports:
            raise Failure(f"Cannot forward a port to {namespace}/{pod}.")
        return socket.create_connection(("127.0.0.1", self.ports[pod]))

    def now(self) -> datetime:
        return self.clock() + timedelta(seconds=self.ahead or 0.0)

    def server_time(self) -> datetime | None:
        return None if self.ahead is None else self.now()

    def limited(self, patience: float, timeout: float = math.inf) -> ApiServer:
        return self

    # What a test arranges

    def put(self, path: str, body: Object) -> None:
        """Have this object, whatever was there. Metadata that a test does not care about is filled in."""
        stored, place = _plain(body), place_of(path)
        if place:
            metadata = {**stored.get("metadata", {})}
            metadata = {"name": place.name, "uid": path, "resourceVersion": self._next_version(), **metadata}
            if place.namespace:
                metadata.setdefault("namespace", place.namespace)
            if _has_generations(place, stored):
                metadata.setdefault("generation", 1)
            stored["metadata"] = metadata
        self._store(path, stored)

    def change(self, path: str, body: t.Any, kind: str = "merge", manager: str = NOBODY) -> Object:
        """Patch as another client: neither logged, nor refused, nor hit by faults. manager: whom managedFields tell of
        it.
        """
        return self._answer(Request("PATCH", path, _plain(body), kind, {"fieldManager": manager}))

    def touch(self, path: str) -> None:
        """Give the object another version, as a controller does that writes its status."""
        with self._lock:
            self.objects[path]["metadata"]["resourceVersion"] = self._next_version()

    def fail(
        self,
        error: Exception,
        method: str = "",
        part: str = "",
        *,
        times: float = 1,
        after: bool = False,
    ) -> Rule:
        """Answer the next requests with this error. after: the request is done, and its answer is lost."""

        def act() -> None:
            raise error

        return self.call(act, method, part, times=times, after=after)

    def call(
        self,
        act: t.Callable[[], t.Any],
        method: str = "",
        part: str = "",
        *,
        times: float = 1,
        after: bool = False,
    ) -> Rule:
        """Call this before the next requests, or after they were done and before they are answered."""
        self.rules.append(Rule(method, part, act, times, after))
        return self.rules[-1]

    def slow(self, seconds: float, method: str = "", part: str = "", *, times: float = math.inf) -> Rule:
        return self.call(lambda: time.sleep(seconds), method, part, times=times)

    def asked(self, method: str = "", part: str = "") -> list[tuple[str, str]]:
        """Return method and path of the requests that were made."""
        return [(request.method, request.path) for request in self.log if request.matches(method, part)]

    def writes(self, part: str = "") -> list[Request]:
        """Return the requests to store something, whether they succeeded or not."""
        return [request for request in self.log if request.stores and part in request.path]

    # Requests

    def serve(self, request: Request) -> t.Any:
        """Answer a client's request, with an object or with a log. Raises StatusError, or what a rule raises."""
        request = request._replace(body=_plain(request.body))
        with self._lock:
            self.log.append(request)
        self._follow_rules(request, after=False)
        self._check_right(request)
        answer = self._answer(request)
        self._follow_rules(request, after=True)
        return answer

    def _ask(self, request: Request) -> t.Any:
        try:
            return self.serve(request)
        except StatusError as error:
            raise connection._api_failure(error, request.method, request.path, self.host) from None
        except OSError as error:
            raise Unreachable(f"The API server {self.host} does not answer ({error}); check the address.") from None

    def _follow_rules(self, request: Request, *, after: bool) -> None:
        """Do what the rules say, in their order. One that raises leaves the later ones for the next request."""
        for rule in list(self.rules):
            with self._lock:
                if rule not in self.rules or rule.after is not after or not request.matches(rule.method, rule.part):
                    continue
                rule.times -= 1
                if rule.times <= 0:
                    self.rules.remove(rule)
            rule.act()

    def refusals(self) -> list[str]:
        """Return what was asked for and is not permitted now, as method and path."""
        return [f"{request.method} {request.path}" for request in self.log if not self._is_permitted(request)]

    def _is_permitted(self, request: Request) -> bool:
        right = right_of(request)
        return right is None or self._allows(right)

    def _check_right(self, request: Request) -> None:
        place = place_of(request.path)
        if place is None or self._is_permitted(request):
            return
        verb, _group, resource, _name = t.cast(Right, right_of(request))
        what = f'{place.qualified} "{place.name}"' if place.name else place.qualified
        where = f'in the namespace "{place.namespace}"' if place.namespace else "at the cluster scope"
        right = f'{verb} resource "{resource}" in API group "{place.group}" {where}'
        raise StatusError(403, f'{what} is forbidden: User "{self.user}" cannot {right}')

    def _allows(self, right: Right) -> bool:
        refused = f"{right.verb} {right.resource}" in self.refused
        return not refused and (self.role is None or any(grants(rule, right) for rule in self.role))

    def _answer(self, request: Request) -> t.Any:
        place = place_of(request.path)
        with self._lock:
            if place is None:
                return _plain(self._existing(request.path))
            if place.resource == ACCESS_REVIEWS:
                wanted = request.body["spec"]["resourceAttributes"]
                resource = "/".join(filter(None, (wanted["resource"], wanted.get("subresource"))))
                allowed = self._allows(Right(wanted["verb"], wanted["group"], resource, wanted.get("name", "")))
                return {**request.body, "status": {"allowed": allowed}}
            if place.resource == LOCAL_REVIEWS:
                return {**request.body, "status": self._review(request.body["spec"])}
            if request.method == "GET" and place.subresource == "log":
                return self._log(place, self._existing(request.path.removesuffix("/log")), request.query)
            if request.method == "GET" and place.name:
                return _plain(self._existing(request.path.removesuffix(f"/{place.subresource}")))
            if request.method == "GET":
                return self._list(request.path, place, request.query)
            if request.method == "POST" and place.resource == "selfsubjectreviews":
                raise StatusError(404, UNKNOWN_PATH)  # as before Kubernetes 1.28
            if request.method == "POST" and not place.name:
                return self._create(request, place)
            if request.method == "PATCH" and place.name:
                return self._patch(request, place)
            if request.method == "DELETE" and place.name:
                gone = self._existing(request.path)
                if not request.dry_run:
                    del self.objects[request.path]
                    self._collect(gone, orphan=request.query.get("propagationPolicy") == "Orphan")
                return {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Success",
                    "details": {"name": place.name},
                }
        raise StatusError(405, "the server does not allow this method on the requested resource")

    def _review(self, spec: Object) -> Object:
        """Return whether another user may do something. The answer names the binding, as RBAC's does."""
        wanted = spec["resourceAttributes"]
        resource = "/".join(filter(None, (wanted["resource"], wanted.get("subresource"))))
        right = Right(wanted["verb"], wanted["group"], resource, wanted.get("name", ""))
        if not any(grants(rule, right) for rule in self.roles_of_others.get(spec["user"], [])):
            return {"allowed": False}
        binding = f'RoleBinding "theirs/{wanted["namespace"]}" of Role "theirs"'
        return {"allowed": True, "reason": f"RBAC: allowed by {binding} to ServiceAccount"}

    def _log(self, place: Place, pod: Object, query: t.Mapping[str, str]) -> t.Any:
        """Return the log of a container. It has no times, so that C(sinceSeconds) leaves out nothing."""
        spec = pod.get("spec", {})
        names = [one["name"] for one in (*spec.get("containers", []), *spec.get("ephemeralContainers", []))]
        name = query.get("container", "")
        if not name and len(names) > 1:
            choice = " ".join(names)
            raise StatusError(
                400, f"a container name must be specified for pod {place.name}, choose one of: [{choice}]"
            )
        name = name or names[0]
        if name not in names:
            raise StatusError(400, f"container {name} is not valid for pod {place.name}")
        is_previous = query.get("previous") == "true"
        log = (self.previous_logs if is_previous else self.logs).get(f"{place.name}/{name}")
        if log is None and is_previous:
            raise StatusError(400, f'previous terminated container "{name}" in pod "{place.name}" not found')
        statuses = pod.get("status", {}).get("containerStatuses") or []
        waits = [
            one["state"]["waiting"] for one in statuses if one["name"] == name and "waiting" in one.get("state", {})
        ]
        if log is None and waits:
            why = waits[0].get("reason")
            raise StatusError(400, f'container "{name}" in pod "{place.name}" is waiting to start: {why}')
        if not isinstance(log, bytes):
            return log() if log is not None else b""
        tail = int(query.get("tailLines", "-1"))
        lines = log.splitlines(keepends=True)
        return b"".join(lines[-tail:] if tail > 0 else [] if tail == 0 else lines)[
            : int(query.get("limitBytes", "-1")) if "limitBytes" in query else None
        ]

    def _existing(self, path: str) -> Object:
        place = place_of(path)
        if path in self.objects:
            return self.objects[path]
        raise StatusError(404, f'{place.qualified} "{place.name}" not found' if place else UNKNOWN_PATH)

    def _list(self, path: str, place: Place, query: dict[str, str]) -> Object:
        def listed(one: str) -> bool:
            its = place_of(one)
            if its is None:
                return False
            if place.namespace:
                return one.rpartition("/")[0] == path
            return (its.group, its.resource) == (place.group, place.resource)

        for selector in ("labelSelector", "fieldSelector"):
            if not SELECTOR.fullmatch(query.get(selector, "")):
                raise StatusError(400, f"unable to parse requirement: {query[selector]}")
        found = [
            obj
            for one, obj in sorted(self.objects.items())
            if listed(one)
            and selected(query.get("labelSelector", ""), (obj["metadata"].get("labels") or {}).get)
            and selected(query.get("fieldSelector", ""), functools.partial(_field, obj))
        ]
        metadata = {"resourceVersion": self._next_version()}
        return _plain({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": found})

    def _create(self, request: Request, place: Place) -> Object:
        name = request.body["metadata"]["name"]
        path = f"{request.path}/{name}"
        if path in self.objects:
            raise StatusError(409, f'{place.qualified} "{name}" already exists', reason="AlreadyExists")
        created = {
            **request.body,
            "metadata": {**request.body["metadata"], "uid": str(uuid.uuid4()), "creationTimestamp": self._timestamp()},
        }
        created.pop("status", None)
        if place.namespace:
            created["metadata"]["namespace"] = place.namespace
        if _has_generations(place, created):
            created["metadata"]["generation"] = 1
        created = _tidied(created)
        nothing = {"metadata": {}}
        if request.kind == "apply":
            _obj, managers = managed_fields.applied(
                nothing, request.body, created, request.manager, self._timestamp(), force=True
            )
        else:
            managers = managed_fields.updated(nothing, created, request.manager, "", self._timestamp())
        created["metadata"]["managedFields"] = managers
        if request.dry_run:
            return created
        created["metadata"]["resourceVersion"] = self._next_version()
        return self._store(path, created)

    def _patch(self, request: Request, place: Place) -> Object:
        path = request.path.removesuffix("/status").removesuffix("/ephemeralcontainers")
        if request.kind == "apply" and "fieldManager" not in request.query:
            raise StatusError(
                422, "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch"
            )
        if request.kind == "apply" and path not in self.objects:
            return self._create(request._replace(path=path.rpartition("/")[0]), place)
        before = self._existing(path)
        if request.kind == "strategic" and place.group not in BUILT_IN:
            raise StatusError(415, UNKNOWN_FORMAT)
        after = _tidied(patched(before, request.body, request.kind))
        version = before["metadata"]["resourceVersion"]
        if after["metadata"].get("resourceVersion") not in (None, version):
            raise StatusError(409, f'Operation cannot be fulfilled on {place.qualified} "{place.name}": {MODIFIED}')
        if place.subresource == "status":
            stored = {**before, "status": after.get("status")}
            if place.resource == "deployments":  # whose controller writes its revision so
                kept = {key: value for key, value in before["metadata"].items() if key != "annotations"}
                noted = {key: value for key, value in after["metadata"].items() if key == "annotations"}
                stored["metadata"] = {**kept, **noted}
        else:
            stored = {
                **after,
                "status": before.get("status"),
                "metadata": {**after["metadata"], "resourceVersion": version},
            }
        if stored["status"] is None:
            del stored["status"]
        stored, managers = self._managed(before, stored, request, place)
        if stored == before and managed_fields.same(managers, before["metadata"].get("managedFields", [])):
            return _plain(before)
        stored["metadata"] = {**stored["metadata"], **({"managedFields": managers} if managers else {})}
        if (
            "generation" in before["metadata"]
            and place.subresource != "status"
            and _counted(place, stored) != _counted(place, before)
        ):
            stored["metadata"]["generation"] = before["metadata"]["generation"] + 1
        if request.dry_run:
            return _plain(stored)
        stored["metadata"]["resourceVersion"] = self._next_version()
        return self._store(path, stored)

    def _managed(self, before: Object, after: Object, request: Request, place: Place) -> tuple[Object, list[Object]]:
        """Return what is to be stored, and its managedFields."""
        if request.manager == NOBODY:
            return after, after["metadata"].get("managedFields", [])
        if request.kind != "apply":
            return after, managed_fields.updated(before, after, request.manager, place.subresource, self._timestamp())
        force = request.query.get("force") == "true"
        try:
            return managed_fields.applied(before, request.body, after, request.manager, self._timestamp(), force=force)
        except managed_fields.Refused as refused:
            raise StatusError(409, str(refused)) from None

    def _collect(self, gone: Object, *, orphan: bool) -> None:
        """Delete what belonged to an object that is gone, or let it be nobody's."""
        for path, obj in list(self.objects.items()):
            owners = obj.get("metadata", {}).get("ownerReferences") or []
            others = [owner for owner in owners if owner.get("uid") != gone["metadata"]["uid"]]
            if others == owners:
                continue
            if others or orphan:
                self.change(path, {"metadata": {"ownerReferences": others}})
            else:
                del self.objects[path]
                self._collect(obj, orphan=False)

    def _store(self, path: str, obj: Object) -> Object:
        answer = _plain(obj)
        with self._lock:
            self.objects[path] = obj
            for follow in self.controllers:
                follow(path)
        return answer

    def _next_version(self) -> str:
        return str(next(self._versions))

    def _timestamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(document: t.Any) -> t.Any:
    """Return a copy, as JSON would carry it."""
    return json.loads(json.dumps(document))


def _tidied(obj: Object) -> Object:
    """Return the object without what is empty in its metadata."""
    metadata = {key: value for key, value in obj["metadata"].items() if value or key not in NOT_EMPTY}
    return {**obj, "metadata": metadata}


def _has_generations(place: Place, obj: Object) -> bool:
    return "spec" in obj and place.resource not in UNCOUNTED


def _counted(place: Place, obj: Object) -> Object:
    """Return what has another generation when it changes."""
    counted = {part: value for part, value in obj.items() if part not in ("metadata", "status")}
    if place.resource == "deployments":
        counted["annotations"] = obj["metadata"].get("annotations")
    return counted


def _field(obj: Object, path: str) -> str | None:
    value: t.Any = obj
    for step in path.split("."):
        value = (value or {}).get(step)
    return value


REQUIREMENT = re.compile(r"\s*(!?)([\w./-]+)\s*(?:(==?|!=)\s*([\w.-]*)|(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)")
# Which is several of them, and nothing else
SELECTOR = re.compile(rf"(?:{REQUIREMENT.pattern})*")


def selected(selector: str, value_of: t.Callable[[str], str | None]) -> bool:
    """Return whether values meet a label or field selector."""
    for absent, key, operator, value, membership, values in REQUIREMENT.findall(selector):
        found = value_of(key)
        if membership:
            met = (found in [one.strip() for one in values.split(",")]) is (membership == "in")
        elif operator:
            met = (found == value) is (operator != "!=")
        else:
            met = (found is None) is bool(absent)
        if not met:
            return False
    return True


def patched(obj: Object, patch: t.Any, kind: str) -> Object:
    """Return what the object is after a patch of this kind; C(apply) removes nothing."""
    if kind == "json":
        result = _plain(obj)
        for operation in patch:
            _operate(result, operation)
        return result
    return _merged(obj, patch, LIST_KEYS if kind in ("strategic", "apply") else {})


def _merged(old: t.Any, new: t.Any, list_keys: dict[str, str]) -> t.Any:
    if not isinstance(new, dict):
        return new
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        elif key in list_keys and isinstance(value, list):
            result[key] = _merged_list(result.get(key) or [], value, list_keys[key], list_keys)
        else:
            result[key] = _merged(result.get(key), value, list_keys)
    return result


def _merged_list(old: list[Object], new: list[Object], by: str, list_keys: dict[str, str]) -> list[Object]:
    """Return the items of both. The new ones are in their own order, and none of the old ones comes before one that it
    followed.
    """
    before, patches = {one[by]: one for one in old}, {one[by]: one for one in new}
    merged = {key: _merged(before.get(key), patch, list_keys) for key, patch in patches.items()}
    places, result = list(before), []
    for key in [key for key in before if key not in patches]:
        for one in list(merged):
            if one in before and places.index(one) > places.index(key):
                break
            result.append(merged.pop(one))
        result.append(before[key])
    return [*result, *merged.values()]


def _operate(document: t.Any, operation: dict[str, t.Any]) -> None:
    """Do one operation of a JSON patch."""
    op, value = operation["op"], operation.get("value")
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
    try:
        place = document
        for step in steps:
            place = place[int(step) if isinstance(place, list) else step]
        key: t.Any = last
        if isinstance(place, list):
            key = len(place) if last == "-" else int(last)
        if op == "add" and isinstance(place, list):
            if key > len(place):
                raise IndexError(key)
            place.insert(key, value)
        elif op in ("add", "replace"):  # also what is not in a dictionary is replaced, as on a real API server
            place[key] = value
        elif op == "remove":
            del place[key]
        elif op == "test":
            # A key that is missing equals null, as on a real API server
            found = place.get(key) if isinstance(place, dict) else place[key]
            if json.dumps(found, sort_keys=True) != json.dumps(value, sort_keys=True):
                raise ValueError(found)
        else:
            raise StatusError(400, f"Unexpected kind: {op}")
    except (LookupError, TypeError, ValueError, AttributeError):
        raise StatusError(422, PATCH_REFUSED) from None
