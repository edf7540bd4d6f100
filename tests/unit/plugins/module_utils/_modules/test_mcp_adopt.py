# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an adoption and its way back write on a cluster of plain dicts, and what they refuse."""

from __future__ import annotations

import copy
import json
import typing as t
from contextlib import suppress

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_adopt
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

CORE, APPS = "/api/v1/namespaces/prod", "/apis/apps/v1/namespaces/prod"
NETWORK = "/apis/networking.k8s.io/v1"
POLICY = f"{NETWORK}/namespaces/prod/networkpolicies/weather"
BUDGET = "/apis/policy/v1/namespaces/prod/poddisruptionbudgets/weather"
LIVE, IDLE = f"{APPS}/deployments/weather", f"{APPS}/deployments/weather-green"
SERVICE, SECOND = f"{CORE}/services/weather", f"{CORE}/services/weather-green"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/public"
INGRESS = f"{NETWORK}/namespaces/prod/ingresses/public"
TRIAL = f"{ROUTE}-adoption-trial"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/weather-release"
NOTE = "mcp.server/before-adoption"
SECRET = "planted-token-of-the-live-pods"
KINDS = {
    "/apis/networking.k8s.io/v1": {
        "resources": [
            {"name": "networkpolicies", "kind": "NetworkPolicy", "namespaced": True},
            {"name": "ingresses", "kind": "Ingress", "namespaced": True},
        ]
    },
    "/apis/apps/v1": {"resources": [{"name": "statefulsets", "kind": "StatefulSet", "namespaced": True}]},
}


def deployment() -> dict[str, t.Any]:
    labels = {"app": "weather", "tier": "backend"}
    container = {
        "name": "weather",
        "image": "r.io/weather:v1",
        "env": [{"name": "API_TOKEN", "value": SECRET}],
        "ports": [{"name": "mcp", "containerPort": 8080}],
    }
    return {
        "spec": {
            "replicas": 2,
            "strategy": {"type": "RollingUpdate"},
            "selector": {"matchLabels": {"app": "weather"}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
    }


def backend(name: str = "weather", **more: t.Any) -> dict[str, t.Any]:
    return {"group": "", "kind": "Service", "name": name, "port": 80, **more}


def route(*backends: dict[str, t.Any]) -> dict[str, t.Any]:
    rules = [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": list(backends)}]
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}
    conditions = [
        {"type": kind, "status": "True", "observedGeneration": 10**6} for kind in ("Accepted", "ResolvedRefs")
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "spec": {"parentRefs": [parent], "hostnames": ["weather.example"], "rules": rules},
        "status": {"parents": [{"parentRef": parent, "conditions": conditions}]},
    }


def ingress(class_name: str = "nginx") -> dict[str, t.Any]:
    def path(value: str, service: str) -> dict[str, t.Any]:
        return {
            "path": value,
            "pathType": "Prefix",
            "backend": {"service": {"name": service, "port": {"number": 80}}},
        }

    paths = [path("/", "weather"), path("/docs", "docs")]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "spec": {"ingressClassName": class_name, "rules": [{"host": "weather.example", "http": {"paths": paths}}]},
    }


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    selector = {"matchLabels": {"app": "weather"}}
    one = ApiServer(
        {
            "/api/v1/namespaces/prod": {},
            **KINDS,
            LIVE: deployment(),
            SERVICE: {"spec": {"selector": {"app": "weather"}, "ports": [{"port": 80, "targetPort": "mcp"}]}},
            BUDGET: {"spec": {"minAvailable": 1, "selector": selector}},
            POLICY: {"spec": {"podSelector": selector, "ingress": [{}]}},
            ROUTE: route(backend(weight=1)),
        }
    )
    monkeypatch.setattr(mcp_adopt.connection, "connect", lambda _params: one)
    monkeypatch.setattr(mcp_adopt, "SETTLE", 0.0)
    monkeypatch.setattr(mcp_adopt.trial, "SECONDS", 0.0)  # no gateway reports on a route of a trial here
    return one


def adopt(*, check: bool = False, lines: list[str] | None = None, **options: t.Any) -> dict[str, t.Any]:
    spec = mcp_adopt.SPEC
    given = {"namespace": "prod", "server": "weather", **options}
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    progress = (lines if lines is not None else []).append
    return mcp_adopt.run(Task(validated.validated_parameters, check_mode=check, warn=pytest.fail, progress=progress))


def undo(**options: t.Any) -> dict[str, t.Any]:
    return adopt(state="absent", **options)


def actions(result: dict[str, t.Any]) -> dict[str, str]:
    return {f"{one['kind']} {one['name']}": one["action"] for one in result["objects"]}


def kept(api: ApiServer) -> dict[str, t.Any]:
    """Return what people care about of each object but the Lease."""
    return {
        path: (
            one.get("spec", one.get("rules")),
            one["metadata"].get("labels"),
            one["metadata"].get("annotations") or {},
        )
        for path, one in api.objects.items()
        if "/prod/" in path and "/leases/" not in path
    }


def refused(api: ApiServer, **options: t.Any) -> Failure:
    """Return why it was refused, which must have written nothing."""
    before = json.dumps(api.objects, sort_keys=True)
    with pytest.raises(Failure) as failure:
        adopt(**options)
    assert json.dumps(api.objects, sort_keys=True) == before
    return failure.value


def weights(api: ApiServer) -> dict[str, int]:
    return {one["name"]: one["weight"] for one in api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]}


def test_the_idle_pool_is_added_and_the_live_one_stays_as_it_is(api: ApiServer) -> None:
    live = [json.dumps(api.objects[path], sort_keys=True) for path in (LIVE, SERVICE, BUDGET, POLICY)]
    result = adopt(releasers=[{"kind": "User", "name": "eva"}])
    assert actions(result) == {
        "Service weather-green": "created",
        "Deployment weather-green": "created",
        "PodDisruptionBudget weather-green": "created",
        "NetworkPolicy weather-green": "created",
        "Role weather-releaser": "created",
        "RoleBinding weather-releaser": "created",
        "HTTPRoute public": "changed",
    }
    assert [json.dumps(api.objects[path], sort_keys=True) for path in (LIVE, SERVICE, BUDGET, POLICY)] == live
    idle = api.objects[IDLE]["spec"]
    assert idle["replicas"] == 0 and idle["selector"] == {"matchLabels": {"app": "weather-green"}}
    assert idle["template"]["metadata"]["labels"] == {"app": "weather-green", "tier": "backend"}
    assert api.objects[SECOND]["spec"]["selector"] == {"app": "weather-green"}
    blue, green = api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    assert (blue["name"], blue["weight"], green["name"], green["weight"]) == ("weather", 100, "weather-green", 0)
    for one, pool in ((blue, "blue"), (green, "green")):
        (its,) = one["filters"]
        assert its["responseHeaderModifier"]["set"] == [{"name": "X-MCP-Pool", "value": pool}]
    assert yaml.safe_load(result["inventory"]) == {
        "mcp_blue": "weather",
        "mcp_green": "weather-green",
        "mcp_route": "public",
    }
    assert len([one for one in api.writes() if one.path == ROUTE]) == 1
    assert [one.method for one in api.writes(TRIAL)] == ["PATCH", "DELETE"]  # before that one
    last = [one.path for one in api.writes() if "/leases" not in one.path][-1]
    assert last == ROUTE  # it leads to what is there already


def test_a_second_run_writes_nothing(api: ApiServer) -> None:
    adopt()
    before = kept(api)
    api.log.clear()
    again = adopt()
    assert not again["changed"] and again["diff"] == [] and api.writes() == []
    assert set(actions(again).values()) == {"unchanged"} and kept(api) == before


def test_check_mode_shows_the_same_and_stores_nothing(api: ApiServer) -> None:
    would = adopt(check=True)
    assert api.writes() == []
    did = adopt()
    assert actions(would) == actions(did) and len(would["diff"]) == len(did["diff"]) == 6
    route_of = [one for one in would["diff"] if one["after_header"] == "HTTPRoute public"]
    assert "weather-green" in route_of[0]["after"] and "weather-green" not in route_of[0]["before"]


def test_the_way_back_puts_all_as_it_was(api: ApiServer) -> None:
    before = kept(api)
    adopt(releasers=[{"kind": "User", "name": "eva"}])
    assert kept(api) != before
    api.log.clear()
    would = undo(check=True)
    assert api.writes() == []
    result = undo()
    assert actions(would) == actions(result) and set(actions(result).values()) == {"deleted", "changed"}
    assert kept(api) == before
    paths = [one.path for one in api.writes() if "/leases" not in one.path]
    assert paths[0] == ROUTE  # nothing leads to what is deleted
    again = undo()
    assert not again["changed"] and again["diff"] == []


@pytest.mark.parametrize("way", ["present", "absent"])
def test_a_run_that_was_stopped_anywhere_ends_the_same_when_it_is_run_again(api: ApiServer, way: str) -> None:
    adopt()
    complete = kept(api)
    writes = len(api.writes())
    undo()
    original = kept(api)
    for number in range(1, writes):
        for after in (False, True):
            if way == "absent":
                adopt()
            count = iter(range(1, 1000))

            def stop(count: t.Iterator[int] = count, number: int = number) -> None:
                if api.log[-1].stores and "/leases" not in api.log[-1].path and next(count) == number:
                    raise Interrupted("SIGKILL")

            rule = api.call(stop, times=10_000, after=after)
            with suppress(Interrupted):
                adopt(state=way)
            api.rules.remove(rule)
            api.objects.pop(LEASE, None)  # which expires
            adopt(state=way)
            assert kept(api) == (complete if way == "present" else original)
            undo()
            assert kept(api) == original


def test_it_waits_for_no_release_and_is_refused_while_one_runs(api: ApiServer) -> None:
    lease = leases.Lease(api, "prod", "weather")
    lease.acquire("r1", "somebody", leases.this_process(None))
    assert "A release of prod/weather is in progress" in refused(api).msg
    assert "A release of prod/weather is in progress" in refused(api, check=True).msg
    lease.release("r1")
    adopt()
    lease.acquire("r2", "somebody", leases.this_process(None))
    assert "A release of prod/weather is in progress" in refused(api, state="absent").msg
    assert not adopt()["changed"]  # there is nothing to do


def test_what_a_release_has_changed_stays_and_is_in_the_way_of_the_way_back(api: ApiServer) -> None:
    adopt()
    api.change(IDLE, {"spec": {"replicas": 3}}, manager="mcp.server")
    for place, weight in ((0, 0), (1, 100)):
        patch = [{"op": "replace", "path": f"/spec/rules/0/backendRefs/{place}/weight", "value": weight}]
        api.change(ROUTE, patch, "json", manager="mcp.server")
    api.change(LIVE, {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}})
    assert not adopt()["changed"] and weights(api) == {"weather": 0, "weather-green": 100}
    said = refused(api, state="absent").msg
    assert "gives traffic to Service weather-green" in said and "rollback.yml" in said
    for place, weight in ((0, 100), (1, 0)):
        patch = [{"op": "replace", "path": f"/spec/rules/0/backendRefs/{place}/weight", "value": weight}]
        api.change(ROUTE, patch, "json", manager="mcp.server")
    api.change(ROUTE, {"metadata": {"annotations": {"mcp.server/stable": "{}", "mcp.server/run": "r1"}}})
    undo()
    assert api.objects[ROUTE]["metadata"].get("annotations", {}) == {} and weights(api) == {"weather": 1}


def test_what_somebody_else_changed_since_is_not_lost(api: ApiServer) -> None:
    adopt()
    # Another rule, another host name, and the rules in another order: none of these are the pools' backends.
    rules = api.objects[ROUTE]["spec"]["rules"]
    other = {"matches": [{"path": {"type": "Exact", "value": "/docs"}}], "backendRefs": [backend("docs", weight=1)]}
    api.change(ROUTE, {"spec": {"hostnames": ["new.example"], "rules": [other, *rules]}})
    undo()
    spec = api.objects[ROUTE]["spec"]
    assert spec["hostnames"] == ["new.example"] and spec["rules"][0] == other
    assert spec["rules"][1]["backendRefs"] == [backend(weight=1)]
    adopt()
    rules = api.objects[ROUTE]["spec"]["rules"]
    rules[1]["backendRefs"].append(backend("third", weight=5))
    api.change(ROUTE, {"spec": {"rules": rules}})
    said = refused(api, state="absent").msg
    assert "rule 1 of HTTPRoute prod/public is not as the adoption left it" in said


def test_a_write_of_somebody_else_at_the_same_time_is_no_loss(api: ApiServer) -> None:
    docs = {"backendRefs": [backend("docs", weight=1)]}
    patches = iter(range(100))

    def meanwhile() -> None:
        if next(patches) == 0:
            api.change(ROUTE, {"spec": {"rules": [*api.objects[ROUTE]["spec"]["rules"], docs]}})

    api.call(meanwhile, "PATCH", "/httproutes/", times=2)
    adopt()
    assert weights(api) == {"weather": 100, "weather-green": 0}
    assert api.objects[ROUTE]["spec"]["rules"][1] == docs
    undo()
    assert weights(api) == {"weather": 1}


def test_a_route_that_was_applied_anew_without_the_idle_pool_is_no_obstacle(api: ApiServer) -> None:
    before = kept(api)
    adopt()
    api.change(ROUTE, {"spec": route(backend(weight=1))["spec"]})
    undo()
    assert kept(api) == before


def test_only_objects_of_the_adoption_are_deleted(api: ApiServer) -> None:
    adopt()
    theirs = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "mcp.server"}}, "spec": {}}
    others = {**theirs, "metadata": {**theirs["metadata"], "annotations": {"mcp.server/adopted": "another"}}}
    api.put(f"{CORE}/services/installed", theirs)
    api.put(f"{CORE}/services/another-green", others)
    undo()
    assert f"{CORE}/services/installed" in api.objects and f"{CORE}/services/another-green" in api.objects
    assert IDLE not in api.objects and SECOND not in api.objects


def test_all_reasons_are_given_at_once_and_nothing_is_written(api: ApiServer) -> None:
    pod = {"hostNetwork": True, "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    spec = {"strategy": {"type": "Recreate"}, "paused": True, "template": {"spec": pod}}
    api.change(LIVE, {"spec": spec})
    api.put(f"{CORE}/persistentvolumeclaims/data", {"spec": {"accessModes": ["ReadWriteOnce"]}})
    api.put(
        f"{CORE}/resourcequotas/small",
        {"spec": {"hard": {"pods": "3"}}, "status": {"hard": {"pods": "3"}, "used": {"pods": "2"}}},
    )
    api.put(SECOND, {"spec": {"selector": {"app": "theirs"}}})
    api.change(ROUTE, {"spec": {"rules": [{"backendRefs": [backend(weight=0)]}]}})
    failure = refused(api)
    for part in (
        "Recreate",
        "paused",
        "hostNetwork",
        "ReadWriteOnce",
        "ResourceQuota small",
        "weather-green",
        "no traffic",
    ):
        assert part in failure.msg
    assert len(failure.evidence["problems"]) == 7
    assert "\n" not in failure.msg


def test_a_route_of_a_gitops_tool_is_printed_for_its_repository(api: ApiServer) -> None:
    api.change(ROUTE, {"metadata": {"labels": {"argocd.argoproj.io/instance": "apps"}}})
    before = json.dumps(api.objects, sort_keys=True)
    lines: list[str] = []
    result = adopt(lines=lines)
    assert json.dumps(api.objects, sort_keys=True) == before and not result["changed"] and result["objects"] == []
    documents = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(result["for_repository"])}
    assert set(documents) == {
        ("Service", "weather-green"),
        ("Deployment", "weather-green"),
        ("PodDisruptionBudget", "weather-green"),
        ("NetworkPolicy", "weather-green"),
        ("HTTPRoute", "public"),
    }
    assert "mcp.server/adopted" not in result["for_repository"] and "managed-by" not in result["for_repository"]
    assert result["notes"][-1].startswith("Nothing was changed: HTTPRoute prod/public belongs to Argo CD")
    assert any("weather-green" in line for line in lines)
    # Its repository has them now.
    for (kind, _name), one in documents.items():
        if kind != "HTTPRoute":
            api.put({"Service": SECOND, "Deployment": IDLE}.get(kind, f"{CORE}/others/{kind}"), one)
    api.change(ROUTE, {"spec": documents["HTTPRoute", "public"]["spec"]})
    done = adopt()
    assert actions(done) == {"Role weather-releaser": "created"} and done["for_repository"] == ""
    assert not adopt()["changed"]
    assert NOTE not in str(api.objects[ROUTE])


def test_an_ingress_of_ingress_nginx_gets_a_canary(api: ApiServer) -> None:
    del api.objects[ROUTE]
    api.put(INGRESS, ingress())
    api.put(f"{NETWORK}/ingressclasses/nginx", {"spec": {"controller": "k8s.io/ingress-nginx"}})
    before = kept(api)
    result = adopt()
    assert actions(result)["Ingress public-canary"] == "created"
    assert yaml.safe_load(result["inventory"])["mcp_route_kind"] == "ingress_nginx"
    canary = api.objects[f"{INGRESS}-canary"]
    assert canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] == "0"
    (path,) = canary["spec"]["rules"][0]["http"]["paths"]
    assert path["path"] == "/" and path["backend"]["service"]["name"] == "weather-green"
    assert not adopt()["changed"]
    api.change(f"{INGRESS}-canary", {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "5"}}})
    assert "gives traffic to Service weather-green" in refused(api, state="absent").msg
    api.change(f"{INGRESS}-canary", {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "0"}}})
    undo()
    assert kept(api) == before


@pytest.mark.parametrize(
    ("objects", "kind", "says"),
    [
        ({}, "HTTPRoute", "no route in namespace prod leads to Service weather"),
        ({INGRESS: ingress("haproxy")}, "HTTPRoute", "Ingress public leads to Service weather, and can't"),
        (
            {
                "/apis/traefik.io/v1alpha1/namespaces/prod/ingressroutes/public": {
                    "spec": {"routes": [{"services": [{"name": "weather", "port": 80}]}]}
                }
            },
            "TraefikService",
            "IngressRoute public leads to Service weather, and can't",
        ),
    ],
)
def test_where_nothing_can_weigh_two_pools_the_route_to_write_is_printed(
    api: ApiServer, objects: dict[str, t.Any], kind: str, says: str
) -> None:
    del api.objects[ROUTE]
    for path, one in objects.items():
        api.put(path, one)
    failure = refused(api)
    assert says in failure.msg
    written = yaml.safe_load(failure.evidence["route_to_write"])
    assert written["kind"] == kind and "weather-green" not in failure.evidence["route_to_write"]


def test_several_routes_are_refused_by_name(api: ApiServer) -> None:
    api.put(ROUTE.replace("public", "second"), route(backend(weight=1)))
    said = refused(api).msg
    assert "HTTPRoute prod/public (mcp_route_kind: httproute)" in said and "HTTPRoute prod/second" in said
    notes = adopt(route="second")["notes"]
    assert weights(api) == {"weather": 1}
    assert any(note.startswith("HTTPRoute prod/public also leads to Service weather") for note in notes)


@pytest.mark.parametrize(
    ("path", "other", "name"),
    [
        (ROUTE.replace("public", "second"), route(backend("weather-green")), "HTTPRoute prod/second"),
        (
            INGRESS,
            {"spec": {"defaultBackend": {"service": {"name": "weather-green", "port": {"number": 80}}}}},
            "Ingress public",
        ),
    ],
)
@pytest.mark.parametrize("options", [{}, {"route": "public"}])
def test_another_route_that_leads_to_the_idle_pool_is_in_the_way_of_the_way_back(
    api: ApiServer, options: dict[str, t.Any], path: str, other: dict[str, t.Any], name: str
) -> None:
    adopt(**options)
    api.put(path, other)
    if options or path == INGRESS:
        assert f"{name} leads to Service weather-green" in refused(api, state="absent", **options).msg
    else:
        assert "name it (mcp_route" in refused(api, state="absent").msg


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"green": {"stateful_set": "idle"}}, "names StatefulSet idle, but the live pool is Deployment weather"),
        ({"route": "missing"}, "HTTPRoute prod/missing does not exist, but HTTPRoute prod/public"),
        ({"blue": "absent"}, "Deployment prod/absent does not exist. There are Deployment weather"),
        ({"blue": {"deployment": "weather", "service": "nothing"}}, "Service prod/nothing does not exist"),
        ({"route_kind": "custom", "route_custom": {"api_version": "v1", "kind": "X", "blue": "a"}}, "not adopted by"),
        ({"releasers": [{"kind": "Group", "name": "system:authenticated"}]}, "everybody could release"),
    ],
)
def test_wrong_names_are_refused_with_what_there_is(api: ApiServer, options: dict[str, t.Any], says: str) -> None:
    assert says in refused(api, **options).msg


def test_the_service_is_the_one_that_selects_the_pods(api: ApiServer) -> None:
    api.put(f"{CORE}/services/web", {"spec": api.objects.pop(SERVICE)["spec"]})
    api.change(ROUTE, {"spec": route(backend("web", weight=1))["spec"]})
    result = adopt()
    assert yaml.safe_load(result["inventory"]) == {
        "mcp_blue": {"deployment": "weather", "service": "web"},
        "mcp_green": {"deployment": "weather-green", "service": "web-green"},
        "mcp_route": "public",
    }


def test_a_gateway_that_refuses_the_route_gets_the_old_one_back(api: ApiServer) -> None:
    before = kept(api)[ROUTE]
    patches = iter(range(100))

    def refuse() -> None:
        accepted = {"type": "Accepted", "status": "False", "reason": "UnsupportedValue", "observedGeneration": 10**6}
        if next(patches) == 0:
            api.objects[ROUTE]["status"]["parents"][0]["conditions"] = [accepted]

    api.call(refuse, "PATCH", "/httproutes/", times=1, after=True)
    with pytest.raises(Failure, match="so it is as it was before: Gateway prod/gw says Accepted is False"):
        adopt()
    assert kept(api)[ROUTE] == before
    assert LEASE in api.objects and not api.objects[LEASE]["spec"].get("holderIdentity")
    said = refused(api).msg
    assert "The gateway refuses HTTPRoute prod/public as it is" in said


def test_a_gateway_that_takes_no_header_on_a_backend_gets_none(api: ApiServer) -> None:
    before = kept(api)

    def refuse() -> None:
        if TRIAL in api.objects:
            api.objects[TRIAL]["status"] = copy.deepcopy(api.objects[ROUTE]["status"])
            condition = {"type": "Accepted", "status": "False", "reason": "UnsupportedValue", "observedGeneration": 9}
            api.objects[TRIAL]["status"]["parents"][0]["conditions"] = [condition]

    api.controllers.append(lambda path: refuse() if path == TRIAL else None)
    result = adopt()
    assert any(
        note.startswith("The gateway refuses a header on each backend (Gateway prod/gw says")
        for note in result["notes"]
    )
    blue, green = api.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    assert (blue["weight"], green["weight"]) == (100, 0) and "filters" not in blue and "filters" not in green
    assert TRIAL not in api.objects
    assert not adopt()["changed"]
    undo()
    assert kept(api) == before


def test_another_header_later_does_not_hide_what_the_route_was(api: ApiServer) -> None:
    adopt()
    note = api.objects[ROUTE]["metadata"]["annotations"][NOTE]
    assert adopt(pool_header="X-Pool")["changed"]
    assert api.objects[ROUTE]["metadata"]["annotations"][NOTE] == note
    assert "is not as the adoption left it" in refused(api, state="absent").msg


def test_what_looks_like_a_secret_is_in_no_output(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    concealed: list[str] = []
    monkeypatch.setattr(mcp_adopt, "conceal", lambda *values: concealed.extend(values))
    adopt()
    assert concealed == [SECRET]
    concealed.clear()
    undo()
    assert concealed == [SECRET]


def test_what_may_not_be_listed_is_said(api: ApiServer) -> None:
    api.refused |= {"list networkpolicies", "list podmonitors", "list ingresses"}
    notes = adopt()["notes"]
    assert sorted(note for note in notes if "may not list" in note) == [
        "This user may not list ingresses: check yourself that none of them leads to Service weather.",
        "This user may not list networkpolicies: check yourself that none of them selects pods by app=weather-green.",
        "This user may not list podmonitors: check yourself that none of them selects pods by app=weather-green.",
    ]
    assert f"{POLICY}-green" not in api.objects


def test_a_stateful_set_is_adopted_and_one_with_volumes_refused(api: ApiServer) -> None:
    path = f"{APPS}/statefulsets/weather"
    spec = api.objects.pop(LIVE)["spec"]
    spec.pop("strategy")
    api.put(path, {"spec": {**spec, "serviceName": "weather", "updateStrategy": {"type": "RollingUpdate"}}})
    blue = {"stateful_set": "weather", "service": "weather"}
    result = adopt(blue=blue)
    idle = api.objects[f"{path}-green"]["spec"]
    assert idle["serviceName"] == "weather-green" and idle["replicas"] == 0
    assert yaml.safe_load(result["inventory"])["mcp_green"] == {
        "stateful_set": "weather-green",
        "service": "weather-green",
    }
    undo(blue=blue)
    api.change(path, {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}})
    assert "volumeClaimTemplates" in refused(api, blue=blue).msg
