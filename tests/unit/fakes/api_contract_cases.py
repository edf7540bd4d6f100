# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the contract of API servers, see api_contract.py. In texts {ns} is the namespace, {name} the case's own
name.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import UNPATCHED
from ansible_collections.mcp.server.tests.unit.fakes.api_contract import (
    MISSING,
    Case,
    Differs,
    Like,
    Object,
    Of,
    Other,
    Step,
)

MAPS = "/api/v1/namespaces/{ns}/configmaps"
PODS = "/api/v1/namespaces/{ns}/pods"
SERVICES = "/api/v1/namespaces/{ns}/services"
EVENTS = "/api/v1/namespaces/{ns}/events"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
SCALERS = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers"
JOBS = "/apis/batch/v1/namespaces/{ns}/jobs"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses"
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/{ns}/httproutes"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

VERSION = "/metadata/resourceVersion"
GENERATION = "/metadata/generation"
BACKENDS = "/spec/rules/0/backendRefs"
CONTAINERS = "/spec/template/spec/containers"

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
USER = "system:serviceaccount:{ns}:limited"
# What the limited user may do, in the namespace.
RULES = [
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"], "resourceNames": ["limited"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get", "create"]},
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": ["get"]},
]


def a_map(name: str = "{name}", data: t.Any = None, **metadata: t.Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": {"a": "1"} if data is None else data,
    }


def a_lease(**spec: t.Any) -> Object:
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 60, "renewTime": "2026-01-02T03:04:05.000006Z", **spec}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "{name}"}, "spec": spec}


def a_deployment(**metadata: t.Any) -> Object:
    """Return one without pods, which its controller leaves alone once it has seen it."""
    labels = {"app": "{name}"}
    containers = [
        {"name": "mcp", "image": "x:1", "env": [{"name": "A", "value": "1"}]},
        {"name": "sidecar", "image": "y:1"},
    ]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 0, "paused": True, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{name}", **metadata}, "spec": spec}


def a_route(**metadata: t.Any) -> Object:
    """Return one of no gateway, which no controller looks at."""
    spec = {"hostnames": ["{name}.example"], "rules": rules(100, 0)}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "{name}", **metadata},
        "spec": spec,
    }


def rules(blue: int, green: int) -> list[Object]:
    backends = [
        {"group": "", "kind": "Service", "port": 80, "name": name, "weight": weight}
        for name, weight in (("blue", blue), ("green", green))
    ]
    matches = [{"path": {"type": "PathPrefix", "value": "/"}}]
    return [{"matches": matches, "backendRefs": backends}]


def a_scaler() -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nothing"}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "{name}"},
        "spec": spec,
    }


def a_job() -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "guard", "image": "x:1"}]}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "{name}"}, "spec": spec}


def a_pod(*containers: str) -> Object:
    """Return one that no scheduler looks at."""
    spec = {"schedulerName": "nobody", "containers": [{"name": name, "image": "x:1"} for name in containers]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "{name}"}, "spec": spec}


def a_service() -> Object:
    spec = {"ports": [{"port": 80}], "selector": {"pool": "blue"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "{name}"}, "spec": spec}


def an_ingress() -> Object:
    backend = {"service": {"name": "blue", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "{name}"},
        "spec": {"defaultBackend": backend},
    }


def an_event(kind: str) -> Object:
    name, labels = f"{{name}}-{kind.lower()}", {"case": "{name}"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "labels": labels},
        "involvedObject": {"kind": kind, "namespace": "{ns}", "uid": f"{{name}}-{kind}"},
    }


def owners(pointer: str) -> str:
    """Return what names, in a step's expects, those who own a field."""
    return f"owners of {pointer}"


def get(path: str, expects: t.Any = None, **more: t.Any) -> Step:
    return Step("GET", path, expects=expects or {}, **more)


def create(path: str, body: Object, expects: t.Any = None, **more: t.Any) -> Step:
    return Step("POST", path, body, expects=expects or {}, **more)


def patch(path: str, body: t.Any, expects: t.Any = None, kind: str = "merge", **more: t.Any) -> Step:
    """Return a patch by our field manager, unless more has another query."""
    return Step("PATCH", path, body, kind, **{"query": {"fieldManager": "mcp.server"}, **more}, expects=expects or {})


def delete(path: str, expects: t.Any = None, **more: t.Any) -> Step:
    return Step("DELETE", path, expects=expects or {}, **more)


def failure(status: int, reason: str, message: t.Any = None) -> Object:
    """Return what a Status has that says so."""
    said = {} if message is None else {"/message": message}
    return {
        "status": status,
        "/kind": "Status",
        "/apiVersion": "v1",
        "/status": "Failure",
        "/code": status,
        "/reason": reason,
        **said,
    }


def not_found(what: str) -> Object:
    return failure(404, "NotFound", f"{what} not found")


def conflict(what: str) -> Object:
    return failure(409, "Conflict", f"Operation cannot be fulfilled on {what}: {MODIFIED}")


def is_as(name: str) -> Object:
    """Return that an object is as in an earlier answer."""
    return {"": Of(name, "")}


def locking(
    path: str, body: Object, what: str, kind: str, change: Object, pointer: str, value: t.Any, *, settles: bool = False
) -> Case:
    """Return a case of optimistic locking: change sets the field at pointer to value, with both versions."""

    def versioned(version: t.Any) -> t.Any:
        if kind == "json":
            return [
                {"op": "replace", "path": VERSION, "value": version},
                {"op": "replace", "path": pointer, "value": value},
            ]
        identity = {"apiVersion": body["apiVersion"], "kind": body["kind"]} if kind == "apply" else {}
        return {**identity, "metadata": {"name": "{name}", "resourceVersion": version}, **change}

    one, forced = (
        f"{path}/{{name}}",
        {"query": {"fieldManager": "mcp.server", **({"force": "true"} if kind == "apply" else {})}},
    )
    before = {"/status/observedGeneration": Of("made", GENERATION)} if settles else {}
    return Case(
        f"{kind} patch of {what.partition('.')[0]} with a resourceVersion",
        (
            create(path, body, name="made"),
            get(one, before, eventually=settles, name="old"),
            patch(
                one,
                {"metadata": {"labels": {"their": "label"}}},
                {VERSION: Other(Of("old", VERSION))},
                query={"fieldManager": "other"},
            ),
            patch(one, versioned(Of("old", VERSION)), conflict(f'{what} "{{name}}"'), kind, **forced),
            get(one, {pointer: Of("old", pointer), "/metadata/labels/their": "label"}, name="new"),
            patch(
                one, versioned(Of("new", VERSION)), {pointer: value, VERSION: Other(Of("new", VERSION))}, kind, **forced
            ),
        ),
        controllers=settles,
    )


def two_backends(blue: int, green: int) -> Object:
    return {"spec": {"rules": rules(blue, green)}}


LOCKING = tuple(
    locking(*arguments, settles=arguments[0] == DEPLOYMENTS)
    for arguments in (
        *(
            (MAPS, a_map(), "configmaps", kind, {"data": {"a": "2"}}, "/data/a", "2")
            for kind in ("merge", "strategic", "json", "apply")
        ),
        *(
            (
                LEASES,
                a_lease(),
                "leases.coordination.k8s.io",
                kind,
                {"spec": {"holderIdentity": "two"}},
                "/spec/holderIdentity",
                "two",
            )
            for kind in ("merge", "json")
        ),
        *(
            (
                DEPLOYMENTS,
                a_deployment(),
                "deployments.apps",
                kind,
                {"spec": {"minReadySeconds": 7}},
                "/spec/minReadySeconds",
                7,
            )
            for kind in ("merge", "strategic")
        ),
        *(
            (
                SCALERS,
                a_scaler(),
                "horizontalpodautoscalers.autoscaling",
                kind,
                {"spec": {"minReplicas": 3}},
                "/spec/minReplicas",
                3,
            )
            for kind in ("merge", "json")
        ),
        *(
            (
                ROUTES,
                a_route(),
                "httproutes.gateway.networking.k8s.io",
                kind,
                two_backends(90, 10),
                BACKENDS,
                rules(90, 10)[0]["backendRefs"],
            )
            for kind in ("merge", "json")
        ),
        (SERVICES, a_service(), "services", "json", {}, "/spec/selector/pool", "green"),
    )
)

OBJECTS = (
    Case(
        "what is created",
        (
            create(
                MAPS,
                a_map(labels={"x": "y"}),
                {
                    "status": 201,
                    "/kind": "ConfigMap",
                    "/apiVersion": "v1",
                    "/metadata/name": "{name}",
                    "/metadata/namespace": "{ns}",
                    "/metadata/labels": {"x": "y"},
                    "/metadata/uid": Like(r"[0-9a-f-]{36}"),
                    "/metadata/creationTimestamp": Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
                    VERSION: Like(r"\d+"),
                    GENERATION: MISSING,
                    "/data": {"a": "1"},
                },
                name="made",
            ),
            get(f"{MAPS}/{{name}}", {"status": 200, **is_as("made")}),
        ),
    ),
    Case(
        "what is there already is not created",
        (
            create(MAPS, a_map()),
            create(LEASES, a_lease()),
            create(MAPS, a_map(data={"b": "2"}), failure(409, "AlreadyExists", 'configmaps "{name}" already exists')),
            create(
                LEASES, a_lease(), failure(409, "AlreadyExists", 'leases.coordination.k8s.io "{name}" already exists')
            ),
            create(MAPS, a_map(), failure(409, "AlreadyExists"), query={"dryRun": "All"}),
            get(f"{MAPS}/{{name}}", {"/data": {"a": "1"}}),
        ),
    ),
    Case(
        "what is missing",
        (
            get(f"{MAPS}/{{name}}", not_found('configmaps "{name}"')),
            get(f"{DEPLOYMENTS}/{{name}}", not_found('deployments.apps "{name}"')),
            get(f"{ROUTES}/{{name}}", not_found('httproutes.gateway.networking.k8s.io "{name}"')),
            *(
                patch(f"{DEPLOYMENTS}/{{name}}", {"spec": {}}, not_found('deployments.apps "{name}"'), kind)
                for kind in ("merge", "strategic")
            ),
            patch(
                f"{ROUTES}/{{name}}",
                [{"op": "add", "path": "/spec", "value": {}}],
                not_found('httproutes.gateway.networking.k8s.io "{name}"'),
                "json",
            ),
            patch(
                f"{ROUTES}/{{name}}/status", {"status": {}}, not_found('httproutes.gateway.networking.k8s.io "{name}"')
            ),
            delete(f"{JOBS}/{{name}}", not_found('jobs.batch "{name}"')),
            delete(f"{JOBS}/{{name}}", not_found('jobs.batch "{name}"'), query={"dryRun": "All"}),
            get("/api/v1/namespaces/{name}", not_found('namespaces "{name}"')),
            get("/nothing", {"status": 404}),
            create(
                "/api/v1/namespaces/{name}/configmaps",
                a_map(),
                {
                    "status": Differs(
                        404, 201, "The fake has every namespace: what is there is asked before anything is created."
                    )
                },
            ),
            get(
                "/apis/nothing.example/v1/namespaces/{ns}/things",
                {
                    "status": Differs(
                        404, 200, "The fake has every type; that one is missing is tried with fail(NotFound(...))."
                    )
                },
            ),
            get("/apis/nothing.example/v1/namespaces/{ns}/things/{name}", {"status": 404}),
        ),
    ),
    Case(
        "deleted",
        (
            create(MAPS, a_map()),
            delete(f"{MAPS}/{{name}}", {"status": 200, "/kind": "Status", "/status": "Success"}),
            get(f"{MAPS}/{{name}}", not_found('configmaps "{name}"')),
            delete(f"{MAPS}/{{name}}", not_found('configmaps "{name}"')),
            create(MAPS, a_map(), {"status": 201}),
            create(JOBS, a_job()),
            delete(f"{JOBS}/{{name}}", {"status": 200}, query={"propagationPolicy": "Background"}),
            get(f"{JOBS}/{{name}}", not_found('jobs.batch "{name}"'), eventually=True),
            create(JOBS, a_job(), {"status": 201}),
        ),
    ),
    *(
        Case(
            f"deleted with its dependents {policy}",
            (
                create(MAPS, a_map(), name="owner"),
                create(
                    MAPS,
                    a_map(
                        "{name}-2",
                        ownerReferences=[
                            {
                                "apiVersion": "v1",
                                "kind": "ConfigMap",
                                "name": "{name}",
                                "uid": Of("owner", "/metadata/uid"),
                            }
                        ],
                    ),
                ),
                delete(f"{MAPS}/{{name}}", query={"propagationPolicy": policy}),
                get(f"{MAPS}/{{name}}", {"status": 404}, eventually=True),
                get(f"{MAPS}/{{name}}-2", then, eventually=True),
            ),
        )
        for policy, then in (
            ("Background", {"status": 404}),
            ("Foreground", {"status": 404}),
            ("Orphan", {"status": 200, "/metadata/ownerReferences": MISSING}),
        )
    ),
    Case(
        "dry runs",
        (
            create(
                DEPLOYMENTS,
                a_deployment(),
                {"status": 201, "/metadata/uid": Like(".+"), VERSION: MISSING},
                query={"dryRun": "All"},
            ),
            get(f"{DEPLOYMENTS}/{{name}}", {"status": 404}),
            create(ROUTES, a_route(), name="made"),
            patch(
                f"{ROUTES}/{{name}}",
                two_backends(90, 10),
                {VERSION: Of("made", VERSION), GENERATION: Of("made", GENERATION, 1), f"{BACKENDS}/0/weight": 90},
                query={"fieldManager": "mcp.server", "dryRun": "All"},
            ),
            patch(
                f"{ROUTES}/{{name}}",
                {"metadata": {"resourceVersion": "1"}, **two_backends(90, 10)},
                conflict('httproutes.gateway.networking.k8s.io "{name}"'),
                query={"dryRun": "All"},
            ),
            patch(
                f"{ROUTES}/{{name}}",
                [{"op": "test", "path": GENERATION, "value": 9}],
                failure(422, "Invalid", UNPATCHED),
                "json",
                query={"dryRun": "All"},
            ),
            delete(f"{ROUTES}/{{name}}", {"status": 200}, query={"dryRun": "All"}),
            get(f"{ROUTES}/{{name}}", is_as("made")),
        ),
    ),
    Case(
        "kinds of requests",
        (
            create(ROUTES, a_route()),
            patch(f"{ROUTES}/{{name}}", {"spec": {}}, failure(415, "UnsupportedMediaType"), "strategic"),
            patch(f"{ROUTES}/{{name}}", {"spec": {}}, failure(415, "UnsupportedMediaType"), "none of them"),
            get("/version", {"status": 200, "/gitVersion": Like(r"v1\.\d+\.\d+.*")}),
        ),
    ),
    Case(
        "the time of answers",
        (
            create(MAPS, a_map(), {"header Date": Like(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")}),
            get(f"{MAPS}/none", {"status": 404, "header Date": Like(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")}),
        ),
    ),
    Case(
        "what no schema has",
        (
            create(
                DEPLOYMENTS,
                {**a_deployment(), "nothing": 1},
                {
                    "/nothing": Differs(
                        MISSING,
                        1,
                        "The fake has no schemas. The integration targets send what we write to a real API server.",
                    ),
                    "/spec/revisionHistoryLimit": Differs(
                        10, MISSING, "The fake has no defaults. Our code reads what may be missing with the same ones."
                    ),
                },
            ),
            create(MAPS, {"metadata": {"name": "{name}"}}, {"status": 201}),
            create(
                ROUTES,
                {"metadata": {"name": "{name}"}, "spec": {}},
                {
                    "status": Differs(
                        400,
                        201,
                        "The fake takes each kind by its path, as a real one takes what is built in. We create "
                        "nothing else.",
                    )
                },
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {"spec": {"replicas": -1}},
                {
                    "status": Differs(
                        422,
                        200,
                        "The fake does not validate; a test gives it the refusal with fail(StatusError(422, ...)).",
                    )
                },
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {"spec": {"replicas": "x"}},
                {"status": Differs(422, 200, "The fake does not validate.")},
            ),
        ),
    ),
)

GENERATIONS = (
    *(
        Case(
            f"versions and generations of {what}",
            (
                create(
                    path,
                    body,
                    {
                        "status": 201,
                        GENERATION: generation or MISSING,
                        **{place: MISSING for place in ["/status"] if not has_status},
                    },
                    name="made",
                ),
                patch(
                    one,
                    {"metadata": {"labels": {"x": "y"}}},
                    {GENERATION: generation or MISSING, VERSION: Other(Of("made", VERSION))},
                    name="labelled",
                ),
                patch(one, {"metadata": {"labels": {"x": "y"}}}, is_as("labelled")),  # changes nothing
                patch(
                    one,
                    change,
                    {GENERATION: generation + 1 if generation else MISSING, VERSION: Other(Of("labelled", VERSION))},
                    name="changed",
                ),
                get(one, is_as("changed")),
            ),
        )
        for what, path, body, change, generation, has_status in (
            ("ConfigMap", MAPS, a_map(), {"data": {"a": "2"}}, 0, False),
            ("Lease", LEASES, a_lease(), {"spec": {"holderIdentity": "two"}}, 0, False),
            ("Service", SERVICES, a_service(), {"spec": {"selector": {"pool": "green"}}}, 0, True),
            ("Ingress", INGRESSES, an_ingress(), {"spec": {"defaultBackend": {"service": {"name": "green"}}}}, 1, True),
            ("HTTPRoute", ROUTES, a_route(), two_backends(90, 10), 1, False),
            ("HorizontalPodAutoscaler", SCALERS, a_scaler(), {"spec": {"minReplicas": 3}}, 0, True),
        )
        for one in (f"{path}/{{name}}",)
    ),
    Case(
        "generations of a Deployment",
        (
            create(DEPLOYMENTS, a_deployment(), {GENERATION: 1}, name="made"),
            get(f"{DEPLOYMENTS}/{{name}}", {"/status/observedGeneration": 1}, eventually=True),
            patch(f"{DEPLOYMENTS}/{{name}}", {"metadata": {"labels": {"x": "y"}}}, {GENERATION: 1}),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {"spec": {"minReadySeconds": 7}},
                {GENERATION: 2, "/status/observedGeneration": 1},
            ),
            get(f"{DEPLOYMENTS}/{{name}}", {GENERATION: 2, "/status/observedGeneration": 2}, eventually=True),
            patch(f"{DEPLOYMENTS}/{{name}}", {"metadata": {"annotations": {"x": "y"}}}, {GENERATION: 3}),
            get(f"{DEPLOYMENTS}/{{name}}", {GENERATION: 3, "/status/observedGeneration": 3}, eventually=True),
        ),
        controllers=True,
    ),
    Case(
        "the status and the rest",
        (
            create(ROUTES, {**a_route(), "status": {"parents": []}}, {"/status": MISSING}, name="made"),
            patch(
                f"{ROUTES}/{{name}}/status",
                {"status": {"parents": []}, "metadata": {"labels": {"x": "y"}}, **two_backends(0, 100)},
                {
                    "/status": {"parents": []},
                    "/spec": Of("made", "/spec"),
                    "/metadata/labels": MISSING,
                    GENERATION: Of("made", GENERATION),
                    VERSION: Other(Of("made", VERSION)),
                },
            ),
            patch(
                f"{ROUTES}/{{name}}",
                {"status": None, **two_backends(90, 10)},
                {"/status": {"parents": []}, f"{BACKENDS}/0/weight": 90, GENERATION: Of("made", GENERATION, 1)},
                name="moved",
            ),
            get(f"{ROUTES}/{{name}}/status", is_as("moved")),
        ),
    ),
    Case(
        "the status of a Deployment takes annotations along",
        (
            create(DEPLOYMENTS, a_deployment()),
            patch(
                f"{DEPLOYMENTS}/{{name}}/status",
                {
                    "metadata": {"annotations": {"x": "y"}, "labels": {"x": "y"}},
                    "spec": {"replicas": 9},
                    "status": {"replicas": 3},
                },
                {
                    GENERATION: 1,
                    "/metadata/annotations/x": "y",
                    "/metadata/labels": MISSING,
                    "/spec/replicas": 0,
                    "/status/replicas": 3,
                },
            ),
        ),
    ),
)

PATCHES = (
    Case(
        "merge patches",
        (
            create(MAPS, a_map(data={"a": "1", "b": "2"}, annotations={"x": "1"})),
            patch(f"{MAPS}/{{name}}", {"data": {"a": None, "c": "3", "none": None}}, {"/data": {"b": "2", "c": "3"}}),
            patch(f"{MAPS}/{{name}}", {"metadata": {"annotations": None}}, {"/metadata/annotations": MISSING}),
            patch(
                f"{MAPS}/{{name}}", {"metadata": {"annotations": {"gone": None}}}, {"/metadata/annotations": MISSING}
            ),
            create(ROUTES, a_route()),
            patch(
                f"{ROUTES}/{{name}}",
                {"spec": {"rules": [{"backendRefs": [{"name": "third", "port": 80}]}]}},
                {f"{BACKENDS}/0/name": "third", f"{BACKENDS}/1": MISSING},
            ),
            create(LEASES, a_lease()),
            patch(
                f"{LEASES}/{{name}}",
                {"spec": {"holderIdentity": None, "renewTime": None}},
                {"/spec/holderIdentity": MISSING, "/spec/renewTime": MISSING, "/spec/leaseDurationSeconds": 60},
            ),
            patch(
                f"{LEASES}/{{name}}",
                {"spec": {"renewTime": "2026-01-02T03:04:05.000007Z"}},
                {"/spec/renewTime": "2026-01-02T03:04:05.000007Z"},
            ),
        ),
    ),
    Case(
        "merge and strategic patches of lists",
        (
            create(DEPLOYMENTS, a_deployment()),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {
                    "spec": {
                        "template": {
                            "spec": {
                                "containers": [{"name": "mcp", "image": "x:2", "env": [{"name": "B", "value": "2"}]}]
                            }
                        }
                    }
                },
                {
                    f"{CONTAINERS}/0/name": "mcp",
                    f"{CONTAINERS}/0/image": "x:2",
                    f"{CONTAINERS}/0/env/0/name": "B",
                    f"{CONTAINERS}/0/env/1/name": "A",
                    f"{CONTAINERS}/1/name": "sidecar",
                    f"{CONTAINERS}/1/image": "y:1",
                },
                "strategic",
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {"spec": {"template": {"spec": {"containers": [{"name": "sidecar", "image": "y:2"}]}}}},
                {f"{CONTAINERS}/0/name": "mcp", f"{CONTAINERS}/0/image": "x:2", f"{CONTAINERS}/1/image": "y:2"},
                "strategic",
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {"spec": {"template": {"spec": {"containers": [{"name": "mcp", "image": "x:3"}]}}}},
                {f"{CONTAINERS}/0/image": "x:3", f"{CONTAINERS}/0/env": MISSING, f"{CONTAINERS}/1": MISSING},
            ),
        ),
    ),
    Case(
        "json patches",
        (
            create(ROUTES, a_route()),
            patch(
                f"{ROUTES}/{{name}}",
                [
                    {"op": "test", "path": GENERATION, "value": 1},
                    {"op": "test", "path": f"{BACKENDS}/1/name", "value": "green"},
                    {"op": "test", "path": "/metadata/annotations", "value": None},
                    {"op": "add", "path": "/metadata/annotations", "value": {}},
                    {"op": "test", "path": "/metadata/annotations/x", "value": None},
                    {"op": "add", "path": "/metadata/annotations/mcp.server~1stable", "value": "blue"},
                    {"op": "replace", "path": f"{BACKENDS}/1/weight", "value": 10},
                    {"op": "replace", "path": "/metadata/labels", "value": {"new": "one"}},  # as add does
                    {"op": "add", "path": f"{BACKENDS}/0/weight", "value": 90},
                    {"op": "add", "path": f"{BACKENDS}/-", "value": {"name": "third", "port": 80}},
                    {"op": "add", "path": f"{BACKENDS}/0", "value": {"name": "first", "port": 80}},
                    {"op": "remove", "path": f"{BACKENDS}/1"},
                ],
                {
                    "/metadata/annotations": {"mcp.server/stable": "blue"},
                    "/metadata/labels": {"new": "one"},
                    GENERATION: 2,
                    f"{BACKENDS}/0/name": "first",
                    f"{BACKENDS}/1/name": "green",
                    f"{BACKENDS}/1/weight": 10,
                    f"{BACKENDS}/2/name": "third",
                    f"{BACKENDS}/3": MISSING,
                },
                "json",
            ),
        ),
    ),
    Case(
        "json patches that do not fit",
        (
            create(ROUTES, a_route(), name="made"),
            *(
                patch(
                    f"{ROUTES}/{{name}}",
                    [{"op": "replace", "path": f"{BACKENDS}/0/weight", "value": 50}, operation],
                    failure(422, "Invalid", UNPATCHED),
                    "json",
                )
                for operation in (
                    {"op": "test", "path": f"{BACKENDS}/0/weight", "value": 99},
                    {"op": "test", "path": f"{BACKENDS}/0/weight", "value": "50"},
                    {"op": "test", "path": f"{BACKENDS}/1/weight", "value": None},
                    {"op": "test", "path": f"{BACKENDS}/2", "value": None},
                    {"op": "test", "path": "/metadata/annotations/x", "value": None},
                    {"op": "test", "path": "/metadata/annotations", "value": {}},
                    {"op": "test", "path": GENERATION, "value": 2},
                    {"op": "replace", "path": "/metadata/labels/x/y", "value": {}},
                    {"op": "replace", "path": f"{BACKENDS}/2", "value": {}},
                    {"op": "remove", "path": "/metadata/labels"},
                    {"op": "add", "path": "/metadata/annotations/x", "value": "y"},
                    {"op": "add", "path": f"{BACKENDS}/3", "value": {}},
                    {"op": "remove", "path": f"{BACKENDS}/2"},
                )
            ),
            get(f"{ROUTES}/{{name}}", is_as("made")),
        ),
    ),
    *(
        Case(
            f"json patches of {what}",
            (
                create(path, body, name="made"),
                patch(
                    one,
                    [{"op": "test", "path": pointer, "value": "nobody's"}],
                    failure(422, "Invalid", UNPATCHED),
                    "json",
                ),
                patch(
                    one,
                    [
                        {"op": "test", "path": pointer, "value": Of("made", pointer)},
                        {"op": "test", "path": "/metadata/annotations", "value": None},
                        {"op": "add", "path": "/metadata/annotations", "value": {"mcp.server/run": "one"}},
                    ],
                    {"/metadata/annotations/mcp.server~1run": "one"},
                    "json",
                ),
                patch(
                    one,
                    [
                        {"op": "test", "path": "/metadata/annotations/mcp.server~1run", "value": "two"},
                        {"op": "add", "path": "/metadata/annotations/mcp.server~1run", "value": "three"},
                    ],
                    failure(422, "Invalid", UNPATCHED),
                    "json",
                ),
                get(one, {"/metadata/annotations/mcp.server~1run": "one", pointer: Of("made", pointer)}),
            ),
        )
        for what, path, body, pointer in (
            ("ConfigMap", MAPS, a_map(), "/data/a"),
            ("Deployment", DEPLOYMENTS, a_deployment(), f"{CONTAINERS}/0/image"),
            ("HorizontalPodAutoscaler", SCALERS, a_scaler(), "/spec/minReplicas"),
            ("Lease", LEASES, a_lease(), "/spec/holderIdentity"),
        )
        for one in (f"{path}/{{name}}",)
    ),
    Case(
        "server-side apply",
        (
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "1", "b": "2"}),
                {"status": 201, "/data": {"a": "1", "b": "2"}},
                "apply",
                query={"fieldManager": "one"},
            ),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "1"}),
                {"status": 200, "/data": {"a": "1"}},
                "apply",
                query={"fieldManager": "one"},
                name="one",
            ),
            patch(f"{MAPS}/{{name}}", a_map(data={"a": "1"}), is_as("one"), "apply", query={"fieldManager": "one"}),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "9"}),
                failure(409, "Conflict"),
                "apply",
                query={"fieldManager": "two"},
            ),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"c": "3"}),
                {"/data": {"a": "1", "c": "3"}},
                "apply",
                query={"fieldManager": "two"},
            ),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "9"}),
                {"/data": {"a": "9"}},
                "apply",
                query={"fieldManager": "two", "force": "true"},
            ),
            patch(f"{MAPS}/{{name}}", a_map(data={}), failure(422, "Invalid"), "apply", query={}),
        ),
    ),
    Case(
        "a server-side apply beside writes of the same manager and of others",
        (
            # A dry run creates nothing.
            patch(
                f"{MAPS}/{{name}}",
                a_map(),
                {"status": 201, "/data": {"a": "1"}},
                "apply",
                query={"fieldManager": "mcp.server", "dryRun": "All", "fieldValidation": "Strict"},
            ),
            get(f"{MAPS}/{{name}}", not_found('configmaps "{name}"')),
            patch(f"{MAPS}/{{name}}", a_map(data={"a": "1", "b": "1"}), {"status": 201}, "apply"),
            # An update by the same name is another owner.
            patch(f"{MAPS}/{{name}}", {"data": {"a": "2"}}),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "1", "b": "1"}),
                failure(409, "Conflict", Like('.*1 conflict: conflict with "mcp.server" using v1: .data.a')),
                "apply",
            ),
            # The same value is no conflict.
            patch(f"{MAPS}/{{name}}", a_map(data={"a": "2", "b": "1"}), {"/data": {"a": "2", "b": "1"}}, "apply"),
            patch(f"{MAPS}/{{name}}", {"data": {"a": "3", "b": "3"}}, query={"fieldManager": "other"}),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "2", "b": "1"}),
                failure(409, "Conflict", Like('(?s).*2 conflicts?: .*conflicts? with "other" .*')),
                "apply",
            ),
        ),
    ),
)

OUR_LABEL = {"f:metadata": {"f:labels": {".": {}, "f:x": {}}}}
MANAGERS = (
    Case(
        "field managers of a ConfigMap",
        (
            # Without a fieldManager it is what User-Agent begins with.
            create(
                MAPS,
                a_map(labels={"x": "y"}),
                {"managers": {"mcp.server Update": {"f:data": {".": {}, "f:a": {}}, **OUR_LABEL}}},
            ),
            patch(
                f"{MAPS}/{{name}}",
                {"data": {"a": "2", "b": "2"}},
                {
                    "managers": {
                        "mcp.server Update": {"f:data": {}, **OUR_LABEL},
                        "other Update": {"f:data": {"f:a": {}, "f:b": {}}},
                    },
                    "/metadata/managedFields/0/time": Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
                    "/metadata/managedFields/0/apiVersion": "v1",
                    "/metadata/managedFields/0/fieldsType": "FieldsV1",
                },
                query={"fieldManager": "other"},
            ),
            patch(
                f"{MAPS}/{{name}}",
                {"data": {"b": None}},
                {
                    "managers": {
                        "mcp.server Update": {"f:data": {}, **OUR_LABEL},
                        "other Update": {"f:data": {"f:a": {}}},
                    }
                },
            ),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "5"}),
                failure(409, "Conflict", 'Apply failed with 1 conflict: conflict with "other" using v1: .data.a'),
                "apply",
                query={"fieldManager": "argo"},
            ),
            patch(
                f"{MAPS}/{{name}}",
                a_map(data={"a": "5"}),
                {"managers": {"mcp.server Update": {"f:data": {}, **OUR_LABEL}, "argo Apply": {"f:data": {"f:a": {}}}}},
                "apply",
                query={"fieldManager": "argo", "force": "true"},
            ),
            patch(
                f"{MAPS}/{{name}}",
                {"data": {"a": "6"}},
                {"managers": {"mcp.server Update": {"f:data": {".": {}, "f:a": {}}, **OUR_LABEL}}},
                query={},
            ),
            patch(
                f"{MAPS}/{{name}}",
                [{"op": "add", "path": "/metadata/annotations", "value": {"mcp.server/run": "one"}}],
                {
                    "managers": {
                        "mcp.server Update": {
                            "f:data": {".": {}, "f:a": {}},
                            "f:metadata": {
                                "f:annotations": {".": {}, "f:mcp.server/run": {}},
                                "f:labels": {".": {}, "f:x": {}},
                            },
                        }
                    }
                },
                "json",
            ),
        ),
    ),
    Case(
        "owners of the fields of an HTTPRoute",
        (
            create(ROUTES, a_route(), {owners(BACKENDS): {"mcp.server Update"}}),
            patch(
                f"{ROUTES}/{{name}}/status",
                {"status": {"parents": []}},
                {owners("/status"): {"gateway Update status"}},
                query={"fieldManager": "gateway"},
            ),
            patch(
                f"{ROUTES}/{{name}}",
                a_route(),
                {owners(BACKENDS): {"mcp.server Update", "argo Apply"}, owners("/status"): {"gateway Update status"}},
                "apply",
                query={"fieldManager": "argo"},
            ),
            patch(
                f"{ROUTES}/{{name}}",
                [{"op": "replace", "path": f"{BACKENDS}/0/weight", "value": 50}],
                {owners(f"{BACKENDS}/0/weight"): {"mcp.server Update"}, owners(BACKENDS): {"mcp.server Update"}},
                "json",
            ),
            patch(f"{ROUTES}/{{name}}", a_route(), failure(409, "Conflict"), "apply", query={"fieldManager": "argo"}),
            patch(
                f"{ROUTES}/{{name}}",
                a_route(),
                {owners(f"{BACKENDS}/0/weight"): {"argo Apply"}},
                "apply",
                query={"fieldManager": "argo", "force": "true"},
            ),
            patch(
                f"{ROUTES}/{{name}}",
                two_backends(0, 100),
                {owners(BACKENDS): {"kubectl-edit Update"}},
                query={"fieldManager": "kubectl-edit"},
            ),
        ),
    ),
    Case(
        "owners of the fields of a Deployment",
        (
            create(
                DEPLOYMENTS,
                a_deployment(),
                {
                    owners(f"{CONTAINERS}/0/image"): {"mcp.server Update"},
                    owners("/spec/replicas"): {"mcp.server Update"},
                },
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                {
                    "spec": {
                        "template": {
                            "spec": {
                                "containers": [{"name": "mcp", "image": "x:2", "env": [{"name": "B", "value": "2"}]}]
                            }
                        }
                    }
                },
                {
                    owners(f"{CONTAINERS}/0/image"): {"other Update"},
                    owners(f"{CONTAINERS}/1/image"): {"mcp.server Update"},
                    owners(f"{CONTAINERS}/0/env/0/value"): {"other Update"},
                    owners(f"{CONTAINERS}/0/env/1/value"): {"mcp.server Update"},
                },
                "strategic",
                query={"fieldManager": "other"},
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                a_deployment(),
                {
                    owners(f"{CONTAINERS}/0/image"): {"flux Apply"},
                    owners(f"{CONTAINERS}/1/image"): {"mcp.server Update", "flux Apply"},
                    owners("/spec/replicas"): {"mcp.server Update", "flux Apply"},
                },
                "apply",
                query={"fieldManager": "flux", "force": "true"},
            ),
            patch(
                f"{DEPLOYMENTS}/{{name}}",
                [
                    {"op": "replace", "path": f"{CONTAINERS}/0/image", "value": "x:9"},
                    {"op": "add", "path": "/spec/minReadySeconds", "value": 3},
                ],
                {
                    owners(f"{CONTAINERS}/0/image"): {"mcp.server Update"},
                    owners(f"{CONTAINERS}/1/image"): {"mcp.server Update", "flux Apply"},
                    owners("/spec/minReadySeconds"): {"mcp.server Update"},
                },
                "json",
            ),
        ),
    ),
)

LISTS = (
    Case(
        "selectors of labels",
        (
            *(
                create(MAPS, a_map(f"{{name}}-{name}", labels={"case": "{name}", "pool": pool, **more}))
                for name, pool, more in (
                    ("g1", "green", {}),
                    ("b2", "blue", {}),
                    ("b1", "blue", {"mcp.server/serving": "true"}),
                )
            ),
            create(MAPS, a_map("{name}-other")),
            *(
                get(MAPS, {"names": [f"{{name}}-{name}" for name in names]}, query={"labelSelector": selector})
                for selector, names in (
                    ("case={name}", ("b1", "b2", "g1")),
                    ("case=={name},pool=blue", ("b1", "b2")),
                    ("case={name},pool!=blue", ("g1",)),
                    ("case={name},mcp.server/serving", ("b1",)),
                    ("case={name},!mcp.server/serving", ("b2", "g1")),
                    ("pool in (blue, green),case={name}", ("b1", "b2", "g1")),
                    ("case={name},pool notin (blue)", ("g1",)),
                    ("case={name},other!=x", ("b1", "b2", "g1")),
                    ("case={name},pool=bl", ()),
                )
            ),
            get("/api/v1/configmaps", {"names": ["{name}-g1"]}, query={"labelSelector": "case={name},pool=green"}),
            get(
                MAPS,
                {
                    "status": 200,
                    "/kind": Differs("ConfigMapList", "List", "Nobody asks a list what it is a list of."),
                    VERSION: Like(r"\d+"),
                },
            ),
            get(MAPS, failure(400, "BadRequest"), query={"labelSelector": "a b"}),
        ),
    ),
    Case(
        "selectors of fields",
        (
            *(create(EVENTS, an_event(kind)) for kind in ("Pod", "Job")),
            get(
                EVENTS,
                {"names": ["{name}-pod"]},
                query={"fieldSelector": "involvedObject.kind=Pod", "labelSelector": "case={name}"},
            ),
            get(
                EVENTS,
                {"names": ["{name}-job"]},
                query={"fieldSelector": "involvedObject.kind!=Pod,metadata.name={name}-job"},
            ),
            get(EVENTS, {"names": ["{name}-pod"]}, query={"fieldSelector": "metadata.name={name}-pod"}),
            get(
                EVENTS,
                {"names": ["{name}-pod"]},
                query={"fieldSelector": "involvedObject.uid={name}-Pod", "limit": "100"},
            ),
        ),
    ),
)


def may(
    verb: str, group: str, resource: str, allowed: t.Any, name: str = "", namespace: str = "{ns}", subresource: str = ""
) -> Step:
    """Return the limited user's question whether it may do this."""
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "name": name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return create(ACCESS_REVIEWS, review, {"status": 201, "/status/allowed": allowed}, limited=True)


def forbidden(what: str, verb: str, resource: str, group: str = "", where: str = 'in the namespace "{ns}"') -> Object:
    return failure(
        403,
        "Forbidden",
        f'{what} is forbidden: User "{USER}" cannot {verb} resource "{resource}" in API group "{group}" {where}',
    )


GATEWAY_GROUP = "gateway.networking.k8s.io"
RIGHTS = (
    Case(
        "what the limited user may do",
        (
            may("create", "", "configmaps", True),
            may("get", "", "configmaps", True, "limited"),
            may("get", "", "configmaps", False, "other"),
            may("get", "", "configmaps", False),
            may("list", "", "configmaps", False),
            may("list", "", "pods", True),
            may("get", "", "pods", False),
            may("create", "", "pods", True, subresource="portforward"),
            may("create", "", "pods", False, subresource="exec"),
            may("get", GATEWAY_GROUP, "httproutes", True, "any"),
            may("patch", GATEWAY_GROUP, "httproutes", False, "any"),
            may("get", "apps", "httproutes", False, "any"),
            may(
                "list",
                "",
                "pods",
                Differs(False, True, "Each of our questions is about the one namespace of the Role."),
                namespace="default",
            ),
        ),
    ),
    Case(
        "what the limited user does",
        (
            create(MAPS, a_map("limited"), {"status": 201}, limited=True),
            get(f"{MAPS}/limited", {"status": 200}, limited=True),
            patch(f"{MAPS}/limited", {"data": {"b": "2"}}, {"status": 200}, limited=True),
            create(MAPS, a_map("limited"), failure(409, "AlreadyExists"), limited=True),
            delete(f"{MAPS}/limited", forbidden('configmaps "limited"', "delete", "configmaps"), limited=True),
            get(
                f"{MAPS}/{{name}}", forbidden('configmaps "{name}"', "get", "configmaps"), limited=True
            ),  # there is none
            get(MAPS, forbidden("configmaps", "list", "configmaps"), limited=True),
            get("/api/v1/nodes", forbidden("nodes", "list", "nodes", where="at the cluster scope"), limited=True),
            get(
                "/api/v1/pods",
                {"status": Differs(403, 200, "Each of our requests is about the one namespace of the Role.")},
                limited=True,
            ),
            get(PODS, {"status": 200}, limited=True),
            create(ROUTES, a_route()),
            get(f"{ROUTES}/{{name}}", {"status": 200}, limited=True),
            patch(
                f"{ROUTES}/{{name}}",
                two_backends(90, 10),
                forbidden(f'httproutes.{GATEWAY_GROUP} "{{name}}"', "patch", "httproutes", GATEWAY_GROUP),
                limited=True,
            ),
            patch(
                f"{ROUTES}/{{name}}/status",
                {"status": {}},
                forbidden(f'httproutes.{GATEWAY_GROUP} "{{name}}"', "patch", "httproutes/status", GATEWAY_GROUP),
                limited=True,
            ),
            patch(
                f"{ROUTES}/{{name}}",
                two_backends(90, 10),
                failure(403, "Forbidden"),
                query={"dryRun": "All"},
                limited=True,
            ),
            create(f"{PODS}/{{name}}/exec", {}, forbidden('pods "{name}"', "create", "pods/exec"), limited=True),
            create(
                LEASES,
                a_lease(),
                forbidden("leases.coordination.k8s.io", "create", "leases", "coordination.k8s.io"),
                limited=True,
            ),
        ),
    ),
    Case(
        "who the user is",
        (
            create(
                REVIEWS,
                {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
                {
                    "status": Differs(
                        201,
                        404,
                        "The fake is as one before Kubernetes 1.28; what a later one answers is in test_whoami.py.",
                    ),
                    "/status/userInfo/username": Differs(USER, MISSING, "as above"),
                },
                limited=True,
            ),
        ),
    ),
)

LOGS = (
    Case(
        "logs of a pod without a node",
        (
            create(PODS, a_pod("one", "two")),
            get(
                f"{PODS}/{{name}}/log",
                {"status": Differs(204, 200, "Both are a log without lines.")},
                query={"container": "two", "tailLines": "5"},
            ),
            get(
                f"{PODS}/{{name}}/log",
                failure(
                    400,
                    "BadRequest",
                    "a container name must be specified for pod {name}, choose one of: [one two]",
                ),
            ),
            get(
                f"{PODS}/{{name}}/log",
                failure(400, "BadRequest", "container three is not valid for pod {name}"),
                query={"container": "three"},
            ),
            get(f"{PODS}/nobody/log", not_found('pods "nobody"'), query={"container": "one"}),
            get(
                f"{PODS}/{{name}}/log",
                forbidden('pods "{name}"', "get", "pods/log"),
                query={"container": "one"},
                limited=True,
            ),
        ),
    ),
)

EPHEMERAL = (
    Case(
        "an ephemeral container is added to those of a pod",
        (
            create(PODS, a_pod("one")),
            patch(
                f"{PODS}/{{name}}/ephemeralcontainers",
                {"spec": {"ephemeralContainers": [{"name": "tried", "image": "x:1"}]}},
                {"status": 200, "/spec/ephemeralContainers/0/name": "tried"},
                "strategic",
                query={"fieldManager": "mcp.server", "dryRun": "All"},
            ),
            *(
                patch(
                    f"{PODS}/{{name}}/ephemeralcontainers",
                    {"spec": {"ephemeralContainers": [{"name": name, "image": "x:1", "command": ["true"]}]}},
                    {"status": 200},
                    "strategic",
                )
                for name in ("first", "second")
            ),
            get(
                f"{PODS}/{{name}}",
                {
                    "/spec/ephemeralContainers/2": MISSING,
                    "/spec/containers/0/name": "one",
                },
            ),
            patch(
                f"{PODS}/{{name}}/ephemeralcontainers",
                {"spec": {"ephemeralContainers": [{"name": "third", "image": "x:1"}]}},
                forbidden('pods "{name}"', "patch", "pods/ephemeralcontainers"),
                "strategic",
                limited=True,
            ),
        ),
    ),
)

# Until then the limited user has no rights yet.
READY = Case("the rights are there", (replace(may("create", "", "configmaps", True), eventually=True),))
CASES = (*OBJECTS, *GENERATIONS, *PATCHES, *LOCKING, *MANAGERS, *LISTS, *RIGHTS, *LOGS, *EPHEMERAL)
