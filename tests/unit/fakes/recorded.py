# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of every kind that the collection reads, with all of the fields that it looks at, as API servers return them.

Of a server C(mcp) in the namespace C(prod), in the middle of a release. optional() says which fields may be missing.
"""

from __future__ import annotations

import copy
import json
import typing as t

Object = dict[str, t.Any]
Place = tuple[str | int, ...]

REVISION = "deployment.kubernetes.io/revision"
SERVER_LABELS = {"app": "mcp", "pool": "blue"}
GREEN_LABELS = {**SERVER_LABELS, "pool": "green"}
AT = "2026-11-23T10:00:00Z"
MANAGED = [
    {
        "manager": "argocd-controller",
        "operation": "Apply",
        "apiVersion": "v1",
        "time": AT,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:replicas": {}, "f:rules": {}, "f:minReplicas": {}}},
        "subresource": "scale",
    }
]


def metadata(name: str, kind: str = "", by: str = "", **more: t.Any) -> Object:
    owners = [{"apiVersion": "apps/v1", "kind": kind, "name": by, "uid": by, "controller": True}] if by else []
    return {
        "name": name,
        "namespace": "prod",
        "uid": name,
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": AT,
        "labels": SERVER_LABELS,
        "annotations": {REVISION: "2", "mcp.server/run": "r1"},
        "ownerReferences": owners,
        **more,
    }


PROBE = {"httpGet": {"path": "/ready", "port": 8080}, "initialDelaySeconds": 1, "periodSeconds": 2}
CONTAINERS = {
    "initContainers": [{"name": "proxy", "image": "r.io/proxy:1", "restartPolicy": "Always"}],
    "containers": [
        {
            "name": "mcp",
            "image": "r.io/mcp:v1.2.0",
            "ports": [{"name": "mcp", "containerPort": 8080, "protocol": "TCP"}],
            "readinessProbe": PROBE,
            "startupProbe": {**PROBE, "failureThreshold": 30},
        },
        {"name": "logs", "image": "r.io/logs:1"},
    ],
    "schedulingGates": [{"name": "example.io/wait"}],
}
TEMPLATE = {"metadata": {"labels": SERVER_LABELS}, "spec": CONTAINERS}


def container(name: str, state: Object, ready: bool = False) -> Object:
    return {
        "name": name,
        "ready": ready,
        "started": True,
        "restartCount": 2,
        "image": "r.io/mcp:v1.2.0",
        "imageID": "r.io/mcp@sha256:abc",
        "state": state,
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": AT, "message": "killed"}},
    }


def pod(name: str, state: Object, *, ready: bool = False, **status: t.Any) -> Object:
    condition = {"lastTransitionTime": AT, "lastProbeTime": None, "message": "x", "reason": "ContainersNotReady"}
    return {
        "metadata": metadata(name, "ReplicaSet", "rs"),
        "spec": CONTAINERS,
        "status": {
            "phase": "Running",
            "startTime": AT,
            "conditions": [
                {"type": "PodScheduled", "status": "False", **condition, "reason": "Unschedulable"},
                {"type": "Ready", "status": str(ready), **condition},
            ],
            "initContainerStatuses": [container("proxy", {"running": {"startedAt": AT}})],
            "containerStatuses": [container("mcp", state, ready), container("logs", {"waiting": {"reason": "X"}})],
            **status,
        },
    }


PODS = [
    pod("ready", {"running": {"startedAt": AT}}, ready=True),
    pod("unready", {"running": {"startedAt": AT}}),
    pod("pulls", {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image: not found"}}),
    pod("creates", {"waiting": {"reason": "ContainerCreating"}}, initContainerStatuses=[]),
    pod("crashes", {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}),
    pod("evicted", {"terminated": {"exitCode": 1}}, phase="Failed", reason="Evicted"),
    {**pod("leaves", {"running": {"startedAt": AT}}), "metadata": metadata("leaves", by="rs", deletionTimestamp=AT)},
]
EVENTS = [
    {
        "metadata": metadata(f"{name}.1"),
        "involvedObject": {"kind": "Pod", "name": name, "uid": name, "fieldPath": "spec.containers{mcp}"},
        "type": kind,
        "reason": reason,
        "message": "Readiness probe failed, or failed to pull image",
        "firstTimestamp": AT,
        "lastTimestamp": AT,
        "eventTime": None,
        "series": {"count": 3, "lastObservedTime": AT},
    }
    for name, kind, reason in (
        ("unready", "Warning", "Unhealthy"),
        ("pulls", "Warning", "Failed"),
        ("creates", "Warning", "FailedMount"),
        ("creates", "Normal", "TriggeredScaleUp"),
    )
]
EVENTS[1]["involvedObject"].pop("fieldPath")


def deployment(name: str) -> Object:
    progressing = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": "x"}
    return {
        "metadata": metadata(name, managedFields=MANAGED),
        "spec": {"replicas": 3, "selector": {"matchLabels": SERVER_LABELS}, "template": TEMPLATE, "paused": False},
        "status": {
            "observedGeneration": 2,
            "replicas": 3,
            "updatedReplicas": 3,
            "availableReplicas": 1,
            "conditions": [progressing],
        },
    }


REPLICASET = {
    "metadata": metadata(
        "rs", "Deployment", "mcp-blue", annotations={REVISION: "2", "deployment.kubernetes.io/revision-history": "1"}
    ),
    "spec": {"replicas": 3, "selector": {"matchLabels": SERVER_LABELS}, "template": TEMPLATE},
    "status": {
        "observedGeneration": 2,
        "readyReplicas": 1,
        "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "x", "lastTransitionTime": AT}],
    },
}
SLICE = {
    "metadata": metadata("mcp-blue-1", labels={"kubernetes.io/service-name": "mcp-blue"}),
    "addressType": "IPv4",
    "endpoints": [
        {
            "addresses": ["10.0.0.1"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "name": "ready", "uid": "ready"},
        },
        {"addresses": ["10.0.0.2"], "conditions": {"ready": False}, "targetRef": {"kind": "Pod", "name": "unready"}},
    ],
    "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
}
SERVICE = {
    "metadata": metadata("mcp"),
    "spec": {"selector": SERVER_LABELS, "sessionAffinity": "None", "ports": [{"port": 8080, "targetPort": 8080}]},
    "status": {"loadBalancer": {}},
}
AUTOSCALER = {
    "metadata": metadata("mcp-blue", annotations={"mcp.server/min-replicas": '{"former": 2, "raised": 3}'}),
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "mcp-blue"},
        "minReplicas": 3,
        "maxReplicas": 9,
    },
}
BUDGET = {
    "metadata": metadata("mcp"),
    "spec": {
        "minAvailable": "50%",
        "maxUnavailable": None,
        "selector": {
            "matchLabels": {"app": "mcp"},
            "matchExpressions": [
                {"key": "pool", "operator": "In", "values": ["blue"]},
                {"key": "tier", "operator": "DoesNotExist"},
            ],
        },
    },
}
LEASE = {
    "metadata": metadata("mcp-release", annotations={"mcp.server/by": "a", "mcp.server/process": "b"}),
    "spec": {
        "holderIdentity": "r1",
        "leaseDurationSeconds": 60,
        "acquireTime": "2026-11-23T10:00:00.000000Z",
        "renewTime": "2026-11-23T10:00:00.000000Z",
    },
}
RECORD = {
    "metadata": metadata("mcp-release"),
    "data": {
        "current": json.dumps(
            {
                "id": "1",
                "reason": "",
                "outcome": "running",
                "steps": [],
                "from": {"pool": "blue", "image_ref": "r.io/mcp:v1"},
                "to": {"pool": "green", "image_ref": "r.io/mcp:v2"},
            }
        ),
        "history": "[]",
    },
}
SECRET = {"metadata": metadata("token"), "type": "Opaque", "data": {"token": "dG9rZW4="}}
NODE = {"metadata": metadata("node"), "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
NAMESPACE = {"metadata": metadata("prod"), "status": {"phase": "Active"}}
JOB = {
    "metadata": metadata(
        "mcp-guard",
        labels={"app.kubernetes.io/managed-by": "mcp.server"},
        annotations={"mcp.server/guard": "abc"},
    ),
    "spec": {"template": {"spec": {"containers": [{"name": "guard", "image": "r.io/ee:1", "command": ["ansible"]}]}}},
    "status": {"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}]},
}

PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "gateways", "name": "edge"}
CONDITION = {"status": "True", "observedGeneration": 2, "reason": "Accepted", "message": "x", "lastTransitionTime": AT}
BACKENDS = [
    {"group": "", "kind": "Service", "name": f"mcp-{pool}", "namespace": "prod", "port": 8080, "weight": weight}
    for pool, weight in (("blue", 90), ("green", 10))
]
SESSION = {"type": "RegularExpression", "name": "Mcp-Session-Id", "value": "^blue-"}
ROUTES: dict[str, dict[str, Object]] = {
    "httproute": {
        "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp": {
            "spec": {
                "hostnames": ["mcp.example"],
                "parentRefs": [{**PARENT, "sectionName": "https", "port": 443}],
                "rules": [
                    {"matches": [{"headers": [SESSION]}], "backendRefs": BACKENDS},
                    {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": BACKENDS},
                ],
            },
            "status": {
                "parents": [
                    {
                        "controllerName": "example.io/controller",
                        "parentRef": {**PARENT, "sectionName": "https", "port": 443},
                        "conditions": [{"type": kind, **CONDITION} for kind in ("Accepted", "ResolvedRefs")],
                    }
                ]
            },
        }
    },
    "httpproxy": {
        "/apis/projectcontour.io/v1/namespaces/prod/httpproxies/mcp": {
            "spec": {
                "virtualhost": {"fqdn": "mcp.example"},
                "routes": [{"conditions": [{"prefix": "/"}], "services": [*BACKENDS, {"name": "x", "mirror": True}]}],
            },
            "status": {
                "conditions": [{"type": "Valid", **CONDITION, "errors": [{"type": "x", "reason": "y", "message": "z"}]}]
            },
        }
    },
    "traefik": {
        "/apis/traefik.io/v1alpha1/namespaces/prod/traefikservices/mcp": {"spec": {"weighted": {"services": BACKENDS}}}
    },
    "openshift_route": {
        "/apis/route.openshift.io/v1/namespaces/prod/routes/mcp": {
            "spec": {"to": BACKENDS[0], "alternateBackends": BACKENDS[1:]},
            "status": {"ingress": [{"routerName": "default", "conditions": [{"type": "Admitted", **CONDITION}]}]},
        }
    },
    "istio": {
        "/apis/networking.istio.io/v1/namespaces/prod/virtualservices/mcp": {
            "spec": {
                "hosts": ["mcp.example"],
                "http": [
                    {
                        "match": [{"uri": {"prefix": "/"}}],
                        "route": [{"destination": {"host": one["name"]}, "weight": one["weight"]} for one in BACKENDS],
                    }
                ],
            }
        }
    },
    "ingress_nginx": {
        f"/apis/networking.k8s.io/v1/namespaces/prod/ingresses/{name}": {
            "metadata": metadata(name, annotations=notes),
            "spec": {
                "ingressClassName": "nginx",
                "defaultBackend": {"service": {"name": f"mcp-{pool}", "port": {"number": 8080}}},
                "rules": [
                    {
                        "host": "mcp.example",
                        "http": {"paths": [{"path": "/", "backend": {"service": {"name": f"mcp-{pool}"}}}]},
                    }
                ],
            },
        }
        for name, pool, notes in (
            ("mcp", "blue", {}),
            (
                "mcp-canary",
                "green",
                {
                    "nginx.ingress.kubernetes.io/canary": "true",
                    "nginx.ingress.kubernetes.io/canary-weight": "10",
                    "nginx.ingress.kubernetes.io/canary-weight-total": "100",
                },
            ),
        )
    },
    "custom": {
        "/apis/example.io/v1/namespaces/prod/splits/mcp": {
            "spec": {"backends": [{"service": {"name": one["name"]}, "weight": one["weight"]} for one in BACKENDS]},
            "status": {"conditions": [{"type": "Accepted", **CONDITION}]},
        }
    },
    "service": {"/api/v1/namespaces/prod/services/mcp": SERVICE},
}


def stateful_set(name: str) -> Object:
    return {
        "kind": "StatefulSet",
        "metadata": metadata(name, managedFields=MANAGED),
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": SERVER_LABELS},
            "template": TEMPLATE,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "ordinals": {"start": 0},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Retain"},
        },
        "status": {
            "observedGeneration": 2,
            "replicas": 2,
            "updatedReplicas": 1,
            "availableReplicas": 1,
            "currentRevision": f"{name}-a",
            "updateRevision": f"{name}-b",
        },
    }


def objects_of_sets() -> dict[str, Object]:
    """Return the objects of a server whose pools are StatefulSets: those that have no counterpart among the others."""
    core, apps = "/api/v1/namespaces/prod", "/apis/apps/v1/namespaces/prod"
    found = {f"{apps}/statefulsets/mcp-{pool}": stateful_set(f"mcp-{pool}") for pool in ("blue", "green")}
    for number, revision in enumerate("ab"):
        name = f"mcp-blue-{revision}"
        its = metadata(f"mcp-blue-{number}", "StatefulSet", "mcp-blue")
        its["labels"] = {**SERVER_LABELS, "controller-revision-hash": name}
        found[f"{core}/pods/mcp-blue-{number}"] = {**pod("x", {"running": {"startedAt": AT}}), "metadata": its}
        found[f"{apps}/controllerrevisions/{name}"] = {
            "metadata": metadata(name, "StatefulSet", "mcp-blue"),
            "data": {"spec": {"template": {"$patch": "replace", **TEMPLATE}}},
            "revision": number + 1,
        }
    scaler = copy.deepcopy(AUTOSCALER)
    scaler["spec"]["scaleTargetRef"]["kind"] = "StatefulSet"
    found["/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers/mcp-blue"] = scaler
    about = {"kind": "StatefulSet", "name": "mcp-blue", "uid": "mcp-blue"}
    refused = {"type": "Warning", "reason": "FailedCreate", "message": "exceeded quota", "firstTimestamp": AT}
    found[f"{core}/events/set"] = {
        "metadata": metadata("set.1"),
        "involvedObject": about,
        **refused,
        "lastTimestamp": AT,
    }
    return copy.deepcopy(found)


def objects(route_kind: str = "httproute") -> dict[str, Object]:
    """Return all of them, by path."""
    core, apps = "/api/v1/namespaces/prod", "/apis/apps/v1/namespaces/prod"
    found = {
        "/api/v1/namespaces/prod": NAMESPACE,
        "/api/v1/nodes/node": NODE,
        f"{core}/configmaps/mcp-release": RECORD,
        f"{core}/secrets/token": SECRET,
        f"{core}/serviceaccounts/mcp-guard": {"metadata": metadata("mcp-guard")},
        f"{apps}/deployments/mcp-blue": deployment("mcp-blue"),
        f"{apps}/deployments/mcp-green": deployment("mcp-green"),
        f"{apps}/replicasets/rs": REPLICASET,
        "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices/mcp-blue-1": SLICE,
        "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers/mcp-blue": AUTOSCALER,
        "/apis/policy/v1/namespaces/prod/poddisruptionbudgets/mcp": BUDGET,
        "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release": LEASE,
        "/apis/batch/v1/namespaces/prod/jobs/mcp-guard": JOB,
        f"{core}/services/mcp-blue": SERVICE,
        f"{core}/services/mcp-green": {**SERVICE, "spec": {**SERVICE["spec"], "selector": GREEN_LABELS}},
        **{f"{core}/pods/{one['metadata']['name']}": one for one in PODS},
        **{f"{core}/events/{number}": one for number, one in enumerate(EVENTS)},
        **{
            path: {"metadata": metadata("mcp", managedFields=MANAGED), **route}
            for path, route in ROUTES[route_kind].items()
        },
    }
    return copy.deepcopy(found)


# Fields that the API requires, by the field that holds the object or the list: all others are optional.
REQUIRED = {
    "": {"kind"},  # which an API server always fills in, like the metadata
    "metadata": {"name", "resourceVersion", "generation"},  # which an API server always fills in
    "conditions": {"type", "status"},
    "containers": {"name"},
    "initContainers": {"name"},
    "containerStatuses": {"name", "ready", "restartCount", "image", "imageID"},
    "initContainerStatuses": {"name", "ready", "restartCount", "image", "imageID"},
    "ownerReferences": {"apiVersion", "kind", "name", "uid"},
    "terminated": {"exitCode"},
    "endpoints": {"addresses"},
    "addresses": {0},
    "scaleTargetRef": {"kind", "name"},
    "matchExpressions": {"key", "operator"},
    "backendRefs": {"name"},
    "parentRefs": {"name"},
    "parentRef": {"name"},
    "parents": {"controllerName", "parentRef"},
    "headers": {"name", "value"},
    "services": {"name"},
    "to": {"kind", "name"},
    "alternateBackends": {"kind", "name"},
    "route": {"destination"},
    "destination": {"host"},
    "paths": {"backend"},
    "service": {"name"},
    "schedulingGates": {"name"},
}


def optional(obj: t.Any, at: Place = (), holder: str = "") -> t.Iterator[Place]:
    """Yield where the optional fields of an object are, and the items of its lists."""
    fields = obj.items() if isinstance(obj, dict) else enumerate(obj) if isinstance(obj, list) else ()
    for key, value in fields:
        if key not in REQUIRED.get(holder, ()) and (*at, key) != ("metadata",):  # which an API server always fills in
            yield (*at, key)
        yield from optional(value, (*at, key), key if isinstance(key, str) else holder)


def without(obj: Object, places: t.Iterable[tuple[Place, bool]]) -> Object:
    """Return the object without these fields. With True, null is in its place, and an item of a list stays."""
    found = copy.deepcopy(obj)
    for (*parents, last), null in sorted(places, key=lambda one: [str(key) for key in one[0]], reverse=True):
        holder: t.Any = found
        for key in parents:
            try:
                holder = holder[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            if null and isinstance(holder, dict) and last in holder:
                holder[last] = None
            elif isinstance(holder, dict):
                holder.pop(last, None)
            elif isinstance(holder, list) and not null and isinstance(last, int):
                del holder[last : last + 1]
    return found
