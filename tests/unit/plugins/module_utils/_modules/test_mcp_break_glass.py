# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Break-glass and its restore against the fake API server: each route kind, each action, and what may go wrong."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._break_glass import asking
from ansible_collections.mcp.server.plugins.module_utils._break_glass.asking import Asked
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unanswered, Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_break_glass import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import ANNOTATION
from ansible_collections.mcp.server.plugins.module_utils._server import ROUTE_KINDS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.tests.unit.fakes import objects, routes
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVICE = "/api/v1/namespaces/prod/services/mcp-{}"
DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/mcp-{}"
AUTOSCALER = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers/{}"
SECRET = "/api/v1/namespaces/prod/secrets/mcp-break-glass"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
KEY = "planted-key-of-a-probe"
ALL = ["traffic", "readiness", "scale", "probes"]
READY = {"httpGet": {"path": "/ready", "port": 1, "httpHeaders": [{"name": "Authorization", "value": KEY}]}}


class Died(BaseException):
    """The process has ended."""


def autoscaler(pool: str, **spec: t.Any) -> dict[str, t.Any]:
    target = {"kind": "Deployment", "name": f"mcp-{pool}", "apiVersion": "apps/v1"}
    return {"metadata": {"name": f"mcp-{pool}"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3, **spec}}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    found = ApiServer(copy.deepcopy(objects.mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2")))
    for pool in ("blue", "green"):
        (container,) = found.objects[DEPLOYMENT.format(pool)]["spec"]["template"]["spec"]["containers"]
        container |= {"readinessProbe": READY, "livenessProbe": {"tcpSocket": {"port": 1}}}
    found.put(AUTOSCALER.format("mcp-green"), autoscaler("green", minReplicas=1))
    use(monkeypatch, found)
    return found


def use(monkeypatch: pytest.MonkeyPatch, found: ApiServer) -> None:
    monkeypatch.setattr(connection, "connect", lambda params: found)
    monkeypatch.setattr("ansible_collections.mcp.server.plugins.module_utils._break_glass.breaking.GATEWAY", 0.0)


def call(*, check: bool = False, fails: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"namespace": "prod", "server": "mcp", **options}
    if options.get("state") != "restored":
        given.setdefault("reason", "INC-42")
    validated = ArgumentSpecValidator(SPEC.options, **SPEC.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    said: list[str] = []
    try:
        result = run(Task(validated.validated_parameters, check_mode=check, progress=said.append))
    except Failure as failure:
        assert fails, failure.msg
        result = {"msg": failure.msg, **failure.evidence}
    else:
        assert not fails, result
    assert KEY not in json.dumps(result) + "".join(said)
    return result


def content(cluster: ApiServer) -> dict[str, t.Any]:
    """Return what people wrote into the objects, without what the API server counts."""
    found = {}
    for path, obj in cluster.objects.items():
        if "metadata" in obj and "endpointslices" not in path and path != SECRET:
            metadata = {key: obj["metadata"].get(key) or {} for key in ("labels", "annotations")}
            found[path] = copy.deepcopy((obj.get("spec"), metadata))
    return found


@pytest.mark.parametrize("kind", ROUTE_KINDS)
@pytest.mark.parametrize("pool", ["green", "blue"])
def test_the_traffic_of_every_kind_of_route_is_sent_and_restored(
    monkeypatch: pytest.MonkeyPatch, kind: str, pool: str
) -> None:
    cluster = routes.Cluster({**objects.pool_services(), **copy.deepcopy(routes.objects(kind))})
    use(monkeypatch, cluster)
    server = routes.server(kind, route_custom=routes.CUSTOM if kind == "custom" else None)
    options = {"route_kind": kind, **({"route_custom": routes.CUSTOM} if kind == "custom" else {})}
    before = content(cluster)
    assert call(actions=["traffic"], pool=pool, **options)["changed"] is (pool == "green")
    route = kind_of(server).read(cluster, server)
    assert kind_of(server).weights(route, server)[pool] == 100
    assert not call(actions=["traffic"], pool=pool, **options)["changed"]
    assert call(state="restored", **options)["changed"] is (pool == "green")
    assert content(cluster) == before
    assert not call(state="restored", **options)["changed"]
    assert all(request.method == "PATCH" for request in cluster.writes())


def test_a_plain_service_bypasses_readiness_on_the_one_that_clients_use(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = routes.Cluster(copy.deepcopy(routes.objects("service")))
    use(monkeypatch, cluster)
    before = content(cluster)
    call(actions=["traffic", "readiness"], pool="green", route_kind="service")
    for name in ("mcp", "mcp-green"):
        assert cluster.get(f"{routes.SERVICES}/{name}")["spec"]["publishNotReadyAddresses"] is True
    call(state="restored", route_kind="service")
    assert content(cluster) == before


def test_all_actions_change_what_they_say_and_a_restore_leaves_no_difference(cluster: ApiServer) -> None:
    before = content(cluster)
    result = call(actions=ALL, pool="green", replicas=5)
    assert [request.path for request in cluster.writes()] == [
        ROUTE,
        SERVICE.format("green"),
        AUTOSCALER.format("mcp-green"),
        DEPLOYMENT.format("green"),
        SECRET,
        "/api/v1/namespaces/prod/secrets",
        DEPLOYMENT.format("green"),
    ]
    green = cluster.get(DEPLOYMENT.format("green"))
    assert green["spec"]["replicas"] == 5
    assert set(green["spec"]["template"]["spec"]["containers"][0]) == {"name", "image"}
    assert cluster.get(AUTOSCALER.format("mcp-green"))["spec"] | {"scaleTargetRef": None} == {
        "scaleTargetRef": None,
        "minReplicas": 5,
        "maxReplicas": 5,
    }
    noted = [obj["metadata"]["annotations"][ANNOTATION] for obj in (green, cluster.get(ROUTE))]
    assert all(KEY not in note and "r/x" not in note for note in noted)
    assert "WARNING: Kubernetes replaces its pods now" in result["did"][-1]
    assert not call(actions=ALL, pool="green", replicas=5)["changed"]
    written = len(cluster.writes())
    call(state="restored")
    assert content(cluster) == before
    assert [request.path for request in cluster.writes()[written:]] == [
        ROUTE,
        SERVICE.format("green"),
        AUTOSCALER.format("mcp-green"),
        DEPLOYMENT.format("green"),
        SECRET,
    ]
    assert not cluster.get(SECRET).get("data")
    assert call(state="restored")["found"] == ["Nothing of prod/mcp is to be restored"]


@pytest.mark.parametrize("after", range(1, 8))
def test_a_break_that_dies_after_any_write_is_run_again_and_ends_the_same(cluster: ApiServer, after: int) -> None:
    before = content(cluster)
    die_after(cluster, after)
    with pytest.raises(Died):
        call(actions=ALL, pool="green", replicas=5)
    cluster.rules.clear()
    call(actions=ALL, pool="green", replicas=5)
    ended = specs(cluster)
    call(state="restored")
    assert content(cluster) == before
    call(actions=ALL, pool="green", replicas=5)
    assert specs(cluster) == ended


@pytest.mark.parametrize("after", range(1, 6))
def test_a_restore_that_dies_after_any_write_is_run_again_and_ends_the_same(cluster: ApiServer, after: int) -> None:
    before = content(cluster)
    call(actions=ALL, pool="green", replicas=5)
    die_after(cluster, after)
    with pytest.raises(Died):
        call(state="restored")
    cluster.rules.clear()
    call(state="restored")
    assert content(cluster) == before
    assert not cluster.get(SECRET).get("data")


def die_after(cluster: ApiServer, number: int) -> None:
    """End the process after so many more writes."""
    start = len(cluster.writes())

    def die() -> None:
        if len(cluster.writes()) - start >= number:
            raise Died

    cluster.call(die, after=True, times=float("inf"))


def specs(cluster: ApiServer) -> dict[str, t.Any]:
    return {path: spec for path, (spec, _metadata) in content(cluster).items()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"reason": " "}, "takes a reason, which stands on each changed object: set reason"),
        ({"replicas": 0}, "replicas (mcp_replicas) is 0: it must be 1 or more."),
    ],
)
def test_what_is_missing_is_one_sentence(cluster: ApiServer, options: dict[str, t.Any], says: str) -> None:
    assert says in call(fails=True, **options)["msg"]
    assert not cluster.log


@pytest.mark.parametrize(
    ("ready", "others", "planned", "given", "size"),
    [
        (2, 0, 2, None, 2),
        (0, 4, 2, None, 4),  # it takes the load of the other pool's pods
        (6, 0, 2, None, 6),
        (0, 0, 0, None, 1),
        (6, 4, 2, 1, 1),  # the guide's minimum
    ],
)
def test_the_size_is_the_given_one_or_never_below_what_is_ready(
    cluster: ApiServer, ready: int, others: int, planned: int, given: int | None, size: int
) -> None:
    for pool, number in (("blue", ready), ("green", others)):
        cluster.objects[DEPLOYMENT.format(pool)]["status"] = {"readyReplicas": number}
    cluster.objects[DEPLOYMENT.format("blue")]["spec"]["replicas"] = planned
    call(actions=["scale"], pool="blue", **({"replicas": given} if given else {}))
    assert cluster.get(DEPLOYMENT.format("blue"))["spec"]["replicas"] == size


@pytest.mark.parametrize(("given", "limits"), [(None, (4, 4)), (1, (1, 1)), (2, (2, 2))])
def test_an_autoscaler_allows_the_size(cluster: ApiServer, given: int | None, limits: tuple[int, int]) -> None:
    cluster.objects[DEPLOYMENT.format("blue")]["status"] = {"readyReplicas": 4}
    call(actions=["scale"], pool="green", **({"replicas": given} if given else {}))
    spec = cluster.get(AUTOSCALER.format("mcp-green"))["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == limits


def test_stateful_sets_and_other_names_are_changed_and_restored(cluster: ApiServer) -> None:
    path = "/apis/apps/v1/namespaces/prod/statefulsets/weather"
    template = {"spec": {"containers": [{"name": "proxy", "readinessProbe": READY}, {"name": "app"}]}}
    template["spec"]["containers"][1] |= {"readinessProbe": READY, "startupProbe": {"grpc": {"port": 1}}}
    cluster.put(path, {"metadata": {"name": "weather"}, "spec": {"replicas": 3, "template": template}})
    its = {"green": {"stateful_set": "weather", "service": "mcp-green"}, "container": "app"}
    before = content(cluster)
    call(actions=ALL, pool="green", replicas=1, **its)
    spec = cluster.get(path)["spec"]
    assert spec["replicas"] == 1
    assert [set(one) for one in spec["template"]["spec"]["containers"]] == [{"name", "readinessProbe"}, {"name"}]
    call(state="restored", **its)
    assert content(cluster) == before


def test_an_autoscaler_of_another_name_is_found_where_it_may_be_listed(cluster: ApiServer) -> None:
    cluster.put(AUTOSCALER.format("odd"), {**autoscaler("blue", minReplicas=1), "metadata": {"name": "odd"}})
    call(actions=["scale"], pool="blue", replicas=2)
    assert cluster.get(AUTOSCALER.format("odd"))["spec"]["maxReplicas"] == 2


@pytest.mark.parametrize(
    ("refused", "title"),
    [
        ("patch httproutes", "Traffic: HTTPRoute prod/mcp was not changed"),
        ("patch services", "Readiness: Service prod/mcp-green was not changed"),
        ("patch horizontalpodautoscalers", "Scale: the autoscaler of Deployment prod/mcp-green was not changed"),
        ("patch deployments", "Scale: Deployment prod/mcp-green was not changed"),
        ("create secrets", "readinessProbe stay, as they may hold a secret, and could not be kept in Secret"),
    ],
)
def test_it_goes_on_past_what_fails_and_says_so(cluster: ApiServer, refused: str, title: str) -> None:
    whole = {ROUTE, SERVICE.format("green"), AUTOSCALER.format("mcp-green"), DEPLOYMENT.format("green")}
    cluster.refused.add(refused)
    result = call(fails=True, actions=ALL, pool="green", replicas=5)
    assert title in result["msg"]
    changed = {
        path
        for path, obj in cluster.objects.items()
        if ANNOTATION in (obj.get("metadata", {}).get("annotations") or {})
    }
    resource = refused.split()[1]
    assert changed == {path for path in whole if f"/{resource}/" not in path}
    if resource == "secrets":  # the other probe has no header
        (container,) = cluster.get(DEPLOYMENT.format("green"))["spec"]["template"]["spec"]["containers"]
        assert "readinessProbe" in container
        assert "livenessProbe" not in container


def test_tools_are_named_with_the_command_before_anything_is_written(
    cluster: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled = cluster.objects[AUTOSCALER.format("mcp-green")]
    scaled["metadata"]["labels"] = {"scaledobject.keda.sh/name": "mcp"}
    scaled["metadata"]["namespace"] = "prod"
    flux = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    cluster.objects[ROUTE]["metadata"]["labels"] = flux
    seen: list[int] = []
    monkeypatch.setattr(
        "ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection_line._tell",
        lambda line: seen.append(len(cluster.writes())),
    )
    found = call(actions=["traffic"], pool="green")["found"]
    assert any(
        one.startswith("Flux sets spec.rules") and one.endswith("flux suspend kustomization apps -n flux-system")
        for one in found
    )
    assert (
        "KEDA sets spec.minReplicas, spec.maxReplicas of HorizontalPodAutoscaler prod/mcp-green and would undo this. "
        "Suspend it: "
        "kubectl annotate scaledobject mcp -n prod autoscaling.keda.sh/paused=true"
    ) in found
    assert seen == [0, 0]


def test_weights_without_a_controller_have_no_effect_yet(cluster: ApiServer) -> None:
    found = call(actions=["traffic"], pool="green")["found"]
    (said,) = [one for one in found if "no effect" in one]
    assert said.startswith("HTTPRoute prod/mcp: the weights have no effect yet, as Gateway gateways/edge has not")


@pytest.mark.parametrize(
    ("blue", "green", "better"),
    [
        (Asked(2, 2, 2), Asked(2, 0, 2), "blue"),
        (Asked(1, 0, 0), Asked(3, 3, 0), "green"),  # readiness lies
        (Asked(3, 2, 3), Asked(1, 1, 1), "green"),
        (Asked(2, 2, 2), Asked(2, 2, 1), "blue"),
        (Asked(2, 2, 2), Asked(2, 2, 2), None),
        (Asked(0, 0, 0), Asked(0, 0, 0), None),
        (Asked(2, 0, 0), Asked(0, 0, 0), None),
        (Asked(0, 0, 0, "no answer within 2 s"), Asked(1, 1, 1), "green"),
    ],
)
def test_which_pool_answers_better(
    cluster: ApiServer, monkeypatch: pytest.MonkeyPatch, blue: Asked, green: Asked, better: str | None
) -> None:
    assert asking.better({"blue": blue, "green": green}) == better
    monkeypatch.setattr(asking, "ask", lambda *_arguments: {"blue": blue, "green": green})
    assert call(actions=["traffic"])["pool"] == (better or "blue")  # which has the traffic


def test_a_pool_that_hangs_is_not_waited_for(cluster: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LONGEST", 0.2)
    cluster.slow(1.0, "GET", "/pods")
    found = call(actions=["traffic"])["found"]
    assert "blue: unknown (no answer within 0.2 s); green: unknown (no answer within 0.2 s)" in found[0]


def test_the_other_actions_take_the_pool_with_the_traffic(cluster: ApiServer) -> None:
    assert call(actions=["readiness"])["pool"] == "blue"
    cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"][1]["weight"] = 100
    failed = call(fails=True, actions=["readiness", "scale", "probes"])
    assert failed["msg"].count("name one: -e mcp_break_glass_pool=blue or -e mcp_break_glass_pool=green") == 3


def test_somebody_elses_change_stays_and_all_else_is_restored(cluster: ApiServer) -> None:
    before = content(cluster)
    call(actions=ALL, pool="green", replicas=5)
    cluster.change(SERVICE.format("green"), {"spec": {"publishNotReadyAddresses": False}})
    cluster.change(AUTOSCALER.format("mcp-green"), {"spec": {"maxReplicas": 9}})
    failed = call(fails=True, state="restored")
    assert (
        "spec.publishNotReadyAddresses is false, break-glass had set true, before it was missing. To keep this "
        "as it is now, and drop its note: the same again with -e mcp_restore_keep=true"
    ) in failed["msg"]
    assert "spec.maxReplicas is 9, break-glass had set 5, before it was 3" in failed["msg"]
    after = content(cluster)
    assert {path for path in before if before[path] != after[path]} == {
        SERVICE.format("green"),
        AUTOSCALER.format("mcp-green"),
    }
    assert cluster.get(AUTOSCALER.format("mcp-green"))["spec"]["minReplicas"] == 1
    written = len(cluster.writes())
    call(fails=True, state="restored")
    assert len(cluster.writes()) == written
    # It is as break-glass had left it: then it is restored.
    cluster.change(SERVICE.format("green"), {"spec": {"publishNotReadyAddresses": True}})
    cluster.change(AUTOSCALER.format("mcp-green"), {"spec": {"maxReplicas": 5}})
    call(state="restored")
    assert content(cluster) == before


def test_a_size_that_the_autoscaler_chose_since_is_its_own(cluster: ApiServer) -> None:
    call(actions=["scale"], pool="green", replicas=5)
    cluster.change(DEPLOYMENT.format("green"), {"spec": {"replicas": 4}})
    call(state="restored")
    green = cluster.get(DEPLOYMENT.format("green"))
    assert green["spec"]["replicas"] == 4
    assert not green["metadata"].get("annotations")


def test_a_released_image_stays(cluster: ApiServer) -> None:
    call(actions=["probes"], pool="green")
    cluster.objects[DEPLOYMENT.format("green")]["spec"]["template"]["spec"]["containers"][0]["image"] = "r/x:v3"
    call(state="restored")
    (container,) = cluster.get(DEPLOYMENT.format("green"))["spec"]["template"]["spec"]["containers"]
    assert container == {
        "name": "mcp",
        "image": "r/x:v3",
        "readinessProbe": READY,
        "livenessProbe": {"tcpSocket": {"port": 1}},
    }


PODS = "/spec/template/spec/containers/[mcp]"
BACKEND = "/spec/rules/0/backendRefs"


@pytest.mark.parametrize(
    ("path", "field", "old", "new"),
    [
        (DEPLOYMENT.format("green"), f"{PODS}/image", "evil", "r/x:v2"),
        (DEPLOYMENT.format("green"), f"{PODS}/command", ["sh"], None),
        (DEPLOYMENT.format("green"), f"{PODS}/startupProbe", {"exec": {"command": ["sh"]}}, None),
        (DEPLOYMENT.format("green"), f"{PODS}/livenessProbe", None, {"tcpSocket": {"port": 1}}),
        (DEPLOYMENT.format("green"), f"{PODS}/startupProbe/exec", {"command": ["sh"]}, None),
        (DEPLOYMENT.format("green"), "/spec/replicas", -1, 2),
        (DEPLOYMENT.format("green"), "/spec/replicas", {"a": "b"}, 2),
        (DEPLOYMENT.format("green"), "/metadata/finalizers", ["evil/lock"], None),
        (DEPLOYMENT.format("green"), "/spec/template/spec/serviceAccountName", "admin", None),
        (DEPLOYMENT.format("green"), "", "evil", None),
        (SERVICE.format("green"), "/spec/selector/app", "evil", "mcp"),
        (SERVICE.format("green"), "/spec/externalIPs", ["6.6.6.6"], None),
        (SERVICE.format("green"), "/spec/publishNotReadyAddresses", "yes", None),
        (AUTOSCALER.format("mcp-green"), "/spec/scaleTargetRef/name", "evil", "mcp-green"),
        (AUTOSCALER.format("mcp-green"), "/spec/maxReplicas", "9", 3),
        (ROUTE, f"{BACKEND}/[mcp-green]/name", "evil", "mcp-green"),
        (ROUTE, f"{BACKEND}/[mcp-green]/namespace", "evil", None),
        (ROUTE, f"{BACKEND}/[mcp-green]/weight", {"a": "b"}, 0),
        (ROUTE, "/spec/hostnames", ["evil.example"], None),
        (ROUTE, "/metadata/annotations/mcp.server~1stable", "evil", None),
    ],
)
def test_nothing_that_break_glass_does_not_write_is_put_back(
    cluster: ApiServer, path: str, field: str, old: t.Any, new: t.Any
) -> None:
    """Whoever may edit a note must not have us write anything else."""
    note = json.dumps({"changes": {field: {"old": old, "new": new}}})
    cluster.change(path, {"metadata": {"annotations": {ANNOTATION: note}}})
    before = content(cluster)
    assert "is not restored as a whole" in call(fails=True, state="restored")["msg"]
    assert content(cluster) == before
    assert not cluster.writes()
    call(state="restored", keep=True)
    cluster.change(path, {"metadata": {"annotations": {ANNOTATION: note}}})
    assert content(cluster) == before


@pytest.mark.parametrize("note", ["not JSON", "[]", "{}", '{"changes": []}', "[" * 100000, '{"changes": {"/a": 1}}'])
def test_a_note_that_cannot_be_read_is_named_and_dropped_only_on_demand(cluster: ApiServer, note: str) -> None:
    before = content(cluster)
    cluster.change(DEPLOYMENT.format("green"), {"metadata": {"annotations": {ANNOTATION: note}}})
    assert "its note cannot be read. To keep this as it is now" in call(fails=True, state="restored")["msg"]
    assert not cluster.writes()
    result = call(state="restored", keep=True)
    assert result["did"] == ["Deployment prod/mcp-green: its note is dropped"]
    assert content(cluster) == before


def test_what_somebody_changed_is_kept_on_demand_and_all_else_is_restored(cluster: ApiServer) -> None:
    before = content(cluster)
    call(actions=ALL, pool="green", replicas=5)
    cluster.change(SERVICE.format("green"), {"spec": {"publishNotReadyAddresses": False}})
    del cluster.objects[SECRET]
    (container,) = cluster.objects[DEPLOYMENT.format("green")]["spec"]["template"]["spec"]["containers"]
    container["name"] = "another"
    backends = cluster.objects[ROUTE]["spec"]["rules"][0]["backendRefs"]
    backends[1]["name"] = "another"  # the route does not lead to both pools any more
    failed = call(fails=True, state="restored")
    assert "can't be restored: HTTPRoute prod/mcp has no rule that lists both pools" in failed["msg"]
    assert "containers[mcp].livenessProbe cannot be found any more" in failed["msg"]
    result = call(state="restored", keep=True)
    assert "It stays as it is now" in " ".join(result["found"])
    assert not any(ANNOTATION in json.dumps(one.get("metadata")) for one in cluster.objects.values())
    assert cluster.get(DEPLOYMENT.format("green"))["spec"]["replicas"] == 2
    assert content(cluster)[AUTOSCALER.format("mcp-green")] == before[AUTOSCALER.format("mcp-green")]
    assert not call(state="restored")["changed"]


@pytest.mark.parametrize("state", ["broken", "restored"])
def test_an_api_server_that_takes_no_write_is_waited_for_once(cluster: ApiServer, state: str) -> None:
    options = {"actions": ["traffic", "readiness", "scale"], "pool": "green", "replicas": 5}
    if state == "restored":
        call(**options)
        options = {"state": state}
    limits: list[float] = []
    real = cluster.limited
    cluster.limited = lambda patience, timeout=0.0: (limits.append(patience), real(patience, timeout))[1]  # type: ignore[method-assign]

    def full() -> None:
        raise Unreachable("etcd is full.")

    cluster.call(full, "PATCH", times=float("inf"))
    result = call(fails=True, **options)
    assert result["gave_up"] is True
    assert len(result["problems"]) == 4
    assert limits[0] == 0.0


def test_a_secret_in_the_reason_is_not_noted(cluster: ApiServer) -> None:
    call(actions=["traffic"], pool="green", reason="INC-42, tried with password=planted-4711 by hand")
    note = json.loads(cluster.get(ROUTE)["metadata"]["annotations"][ANNOTATION])
    assert note["reason"] == "INC-42, tried with password=******** by hand"


def test_a_command_of_a_probe_is_never_noted(cluster: ApiServer) -> None:
    (container,) = cluster.objects[DEPLOYMENT.format("green")]["spec"]["template"]["spec"]["containers"]
    container["livenessProbe"] = {"exec": {"command": ["mysqladmin", "-pPLANTED", "ping"]}}
    before = content(cluster)
    call(actions=["probes"], pool="green")
    assert "PLANTED" not in json.dumps(cluster.get(DEPLOYMENT.format("green")))
    call(state="restored")
    assert content(cluster) == before


def test_the_secret_keeps_its_probes_until_the_note_is_gone(cluster: ApiServer) -> None:
    call(actions=["probes"], pool="green")
    path, kept = DEPLOYMENT.format("green"), copy.deepcopy(cluster.get(SECRET)["data"])
    note = cluster.get(path)["metadata"]["annotations"][ANNOTATION]
    cluster.change(path, {"metadata": {"annotations": {ANNOTATION: "not JSON"}}})
    call(fails=True, state="restored")
    assert cluster.get(SECRET)["data"] == kept
    cluster.change(path, {"metadata": {"annotations": {ANNOTATION: note}}})
    call(state="restored")
    (container,) = cluster.get(path)["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"] == READY
    assert not cluster.get(SECRET).get("data")


def test_a_lost_secret_is_named_and_the_other_probe_is_restored(cluster: ApiServer) -> None:
    call(actions=["probes"], pool="green")
    del cluster.objects[SECRET]
    failed = call(fails=True, state="restored")
    assert "readinessProbe stood in Secret prod/mcp-break-glass, which does not have it" in failed["msg"]
    (container,) = cluster.get(DEPLOYMENT.format("green"))["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]


def test_two_people_at_once_leave_one_note_with_the_first_ones_values(cluster: ApiServer) -> None:
    before = content(cluster)
    cluster.call(
        lambda: call(actions=["scale"], pool="green", replicas=7, reason="first"), "PATCH", "/deployments/mcp-green"
    )
    call(actions=["scale"], pool="green", replicas=5, reason="second")
    note = json.loads(cluster.get(DEPLOYMENT.format("green"))["metadata"]["annotations"][ANNOTATION])
    assert (note["reason"], note["changes"]) == ("first", {"/spec/replicas": {"old": 2, "new": 5}})
    call(state="restored")
    assert content(cluster) == before


@pytest.mark.parametrize("part", ["/httproutes/", "/services/", "/horizontalpodautoscalers/", "/deployments/"])
def test_a_write_whose_answer_is_lost_is_not_done_twice_and_is_said(cluster: ApiServer, part: str) -> None:
    before, options = content(cluster), {"actions": ALL, "pool": "green", "replicas": 5}

    def lose() -> None:
        raise Unanswered("It is unknown whether PATCH was done.")

    for state in ("broken", "restored"):
        cluster.call(lose, "PATCH", part, after=True)
        result = call(state=state, **(options if state == "broken" else {}))
        assert result["changed"]
        assert len(result["did"]) == (5 if state == "broken" else 4), result
        assert not cluster.rules
    assert content(cluster) == before


def test_check_mode_writes_nothing_and_says_what_it_would_do(cluster: ApiServer) -> None:
    before = content(cluster)
    result = call(check=True, actions=ALL, pool="green", replicas=5)
    assert result["changed"]
    assert len(result["did"]) == 5
    assert all(one.startswith("(check mode)") for one in result["did"])
    assert content(cluster) == before
    assert not cluster.writes()
    call(actions=ALL, pool="green", replicas=5)
    broken = content(cluster)
    assert call(check=True, state="restored")["changed"]
    assert content(cluster) == broken


def test_a_route_that_cannot_be_read_keeps_nothing_else_from_being_restored(cluster: ApiServer) -> None:
    call(actions=ALL, pool="green", replicas=5)
    cluster.refused.add("get httproutes")
    failed = call(fails=True, state="restored")
    assert "HTTPRoute prod/mcp was not restored" in failed["msg"]
    assert [
        path
        for path, obj in cluster.objects.items()
        if ANNOTATION in (obj.get("metadata", {}).get("annotations") or {})
    ] == [ROUTE]
