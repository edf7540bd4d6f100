# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import functools
import json
import threading
import types

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_preflight
from ansible_collections.mcp.server.plugins.module_utils._preflight import checks as preflight_checks
from ansible_collections.mcp.server.plugins.module_utils._preflight import image
from ansible_collections.mcp.server.plugins.module_utils._preflight import pools as pool_checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import rights
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

NAMESPACE = "/api/v1/namespaces/mcp-prod"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/mcp-prod/httproutes/mcp-server"
BLUE = "/apis/apps/v1/namespaces/mcp-prod/deployments/mcp-server-blue"
GREEN = "/apis/apps/v1/namespaces/mcp-prod/deployments/mcp-server-green"
PARAMS = {
    **{name: option.get("default") for name, option in mcp_preflight.SPEC.options.items()},
    "namespace": "mcp-prod",
    "server": "mcp-server",
    "pool_name_format": "{server}-{pool}",
    "route": None,
    "container": None,
    "required_secrets": [{"name": "mcp-server-secrets", "keys": ["DATABASE_URL", "TOKEN"]}],
    "guard": False,
    "guard_service_account": "mcp-guard",
    "gitops_ignores": [],
}


def deployment(pool):
    template = {
        "metadata": {"labels": {"app": "mcp-server", "pool": pool}},
        "spec": {"containers": [{"name": "mcp-server", "image": "x:v1.1.5"}]},
    }
    return {"spec": {"replicas": 2, "template": template}}


def service(pool):
    ports = [{"port": 80, "targetPort": 8080}]
    return {"spec": {"selector": {"app": "mcp-server", "pool": pool}, "ports": ports}}


GATEWAY = {"name": "edge", "namespace": "gateways"}


def conditions(generation=1, accepted="True"):
    return [
        {"type": kind, "status": accepted, "observedGeneration": generation, "message": "x"}
        for kind in ("Accepted", "ResolvedRefs")
    ]


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def backend(pool, weight, value=None):
    modifier = {"set": [{"name": "X-MCP-Pool", "value": value or pool}]}
    filters = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": modifier}]
    return {"name": f"mcp-server-{pool}", "weight": weight, "filters": filters}


GOOD = {
    "/version": {"gitVersion": "v1.35.4"},
    NAMESPACE: {"status": {"phase": "Active"}},
    BLUE: deployment("blue"),
    GREEN: deployment("green"),
    f"{NAMESPACE}/services/mcp-server-blue": service("blue"),
    f"{NAMESPACE}/services/mcp-server-green": service("green"),
    ROUTE: {
        "metadata": {"generation": 1},
        "spec": {
            "parentRefs": [GATEWAY],
            "rules": [
                {"backendRefs": [backend("blue", 100), backend("green", 0)]},
            ],
        },
        "status": {"parents": [{"parentRef": GATEWAY, "conditions": conditions()}]},
    },
    f"{NAMESPACE}/secrets/mcp-server-secrets": {"data": {"DATABASE_URL": encoded("s3cret"), "TOKEN": encoded("t0ken")}},
    "/api/v1/nodes/node-1": {
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "2", "pods": "9"}}
    },
}
GONE = None
# Without a version and an image, or without a command.
NOT_ASKED = ["registry", "platform", "image_check"]


def cluster(objects, refused, role=None):
    """Return a good cluster, but for some objects, and with some rights refused."""
    api = ApiServer(GOOD)
    api.host = "https://api.example:6443"
    api.refused.update(refused)
    api.role = role
    for path, found in objects.items():
        if found is GONE:
            del api.objects[path]
        elif isinstance(found, Failure):
            api.fail(found, "GET", path)
        else:
            api.put(path, found)
    return api


@pytest.fixture
def run(monkeypatch):
    def go(objects=None, refused=(), role=None, **params):
        monkeypatch.setattr(mcp_preflight, "connect", lambda params: cluster(objects or {}, refused, role))
        return mcp_preflight.run(Task({**PARAMS, **params}))["checks"]

    return go


def test_only_what_is_named_is_bypassed_and_it_is_not_asked(run):
    """A check that is bypassed may be the one that hangs."""
    unready = {"/api/v1/nodes/node-1": {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}}
    with pytest.raises(Failure, match="1 of 1 nodes are not Ready"):
        run(unready, bypassed=["secrets"])
    found = {check["id"]: check for check in run(unready, bypassed=["nodes", "room"])}
    assert found["nodes"]["message"] == 'Check "nodes" is bypassed.' and found["nodes"]["skipped"]
    assert [one for one in found.values() if "bypassed" in one["message"]] == [found["nodes"], found["room"]]
    with pytest.raises(Failure, match="The guard has no image"):
        run(guard_image_ref="", bypassed=["files"])
    assert "guard_image" not in {check["id"] for check in run(guard_image_ref="", bypassed=["guard_image"])}


def test_checks_are_made_side_by_side_and_told_in_their_order(monkeypatch):
    """Each waits for all others, so that one after the other they would wait in vain; the first ends last."""
    later = [one for one in preflight_checks.CHECKS if one[0] not in preflight_checks.PREMISES]
    gate, others = threading.Barrier(len(later)), threading.Semaphore(0)

    def check(_context, number):
        gate.wait(5)
        if number == 0:
            for _other in later[1:]:
                assert others.acquire(timeout=5)
        others.release()
        return f"number {number}"

    slow = [(one[0], one[1], functools.partial(check, number=number)) for number, one in enumerate(later)]
    premises = [one for one in preflight_checks.CHECKS if one[0] in preflight_checks.PREMISES]
    monkeypatch.setattr(preflight_checks, "CHECKS", (*premises, *slow))
    told = []
    context = preflight_checks.Context(cluster({}, ()), Server.from_params(PARAMS), PARAMS)
    found = preflight_checks.checks(context, told.append)
    assert [one["id"] for one in found] == [one[0] for one in [*premises, *later]]
    assert told[2:] == [f"ok: number {number}" for number in range(len(later))]


@pytest.mark.parametrize("check_id", preflight_checks.NEVER_BYPASSED)
def test_what_protects_the_cluster_is_asked_all_the_same(run, check_id):
    found = next(check for check in run(bypassed=[check_id]) if check["id"] == check_id)
    assert "bypassed" not in found["message"] and not found["skipped"]


def test_what_else_to_know_of_the_route(run):
    rules = [*GOOD[ROUTE]["spec"]["rules"]]
    pools = [{"name": "mcp-server-blue", "weight": 0}, {"name": "mcp-server-green", "weight": 1}]
    rules.append({"matches": [{"queryParams": [{"name": "beta", "value": "1"}]}], "backendRefs": pools})
    route = {**GOOD[ROUTE], "spec": {**GOOD[ROUTE]["spec"], "rules": rules}}
    (check,) = [check for check in run({ROUTE: route}) if check["id"] == "route"]
    assert check["ok"] and check["message"].endswith(
        "is in force, with blue at 100 % and green at 0 %; "
        f"rule {len(rules) - 1} (requests with query parameter beta) "
        "leads to blue at 0 % and green at 100 % and is left alone."
    )


def test_all_good(run):
    checks = run()
    assert [(check["id"], check["name"]) for check in checks] == [
        (identifier, name) for identifier, name, _look in preflight_checks.CHECKS
    ]
    assert all(check["ok"] and check["seconds"] >= 0 for check in checks)
    assert [check["id"] for check in checks if check["skipped"]] == NOT_ASKED
    assert "s3cret" not in str(checks)
    assert [check["message"] for check in checks] == [
        "The API server https://api.example:6443 answers, Kubernetes v1.35.4.",
        "Namespace mcp-prod exists.",
        "This user has all rights in namespace mcp-prod that a release needs.",
        "Deployment mcp-prod/mcp-server-blue has 2 replicas of x:v1.1.5.",
        "Deployment mcp-prod/mcp-server-green has 2 replicas of x:v1.1.5.",
        "Service mcp-prod/mcp-server-blue selects app=mcp-server,pool=blue and leads to their port 8080.",
        "Service mcp-prod/mcp-server-green selects app=mcp-server,pool=green and leads to their port 8080.",
        "The Service of each pool selects the pods of that pool, and no others of this server.",
        "HTTPRoute mcp-prod/mcp-server is in force, with blue at 100 % and green at 0 %.",
        "The route sets header X-MCP-Pool on the answers of each pool. It was not tried: endpoint is not set.",
        "No GitOps tool sets what a release writes.",
        "Nothing is changed by break_glass.yml.",
        "The required Secrets exist (mcp-server-secrets).",
        "The age of Secret mcp-server-secrets is unknown.",
        "No rights of the server's ServiceAccount are required (service_account_rights).",
        "ServiceAccount mcp-prod/default of the server's pods has none of the 11 rights that a server must not have.",
        "No guard is configured.",
        "All 1 nodes are Ready.",
        "The nodes have room for 2 more pods of pool green, each of which requests nothing.",
        "The namespace has no ResourceQuota.",
        "The namespace has no LimitRange.",
        "No PodDisruptionBudget is for the pods of the pools.",
        "Pool blue has x:v1.1.5, 0 of 2 pods ready.",
        "Pool green has x:v1.1.5, 0 of 2 pods ready.",
        "The pod templates of the pools differ in nothing but the image and what names the pool.",
        "No version is named, so no image is looked for.",
        "No version is named, so no image is looked for.",
        "No command checks the image: image_check_command (mcp_image_check_command) is not set.",
        "No version is named, so none is looked up in the release record.",
    ]


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"/version": Unreachable("The API server x does not answer.")}, "The API server x does not answer."),
        ({NAMESPACE: GONE}, "Namespace mcp-prod does not exist on https://api.example:6443"),
        ({NAMESPACE: {"status": {"phase": "Terminating"}}}, "Namespace mcp-prod is being deleted"),
        ({GREEN: GONE}, "Deployment mcp-prod/mcp-server-green does not exist"),
        (
            {GREEN: deployment("blue")},
            "^Service mcp-prod/mcp-server-blue of pool blue selects app=mcp-server,pool=blue, and so also the pods of "
            "Deployment mcp-prod/mcp-server-green.* Service mcp-prod/mcp-server-green of pool green selects "
            ".*pool=green, which the pod template of Deployment mcp-prod/mcp-server-green does not have",
        ),
        ({f"{NAMESPACE}/services/mcp-server-blue": GONE}, "Service mcp-prod/mcp-server-blue does not exist"),
        (
            {f"{NAMESPACE}/services/mcp-server-blue": service("green")},
            "^Service mcp-prod/mcp-server-blue of pool blue selects app=mcp-server,pool=green, which the pod ",
        ),
        (
            {
                f"{NAMESPACE}/services/mcp-server-blue": {
                    "spec": {"selector": {"app": "mcp-server"}, "ports": [{"port": 80}]}
                }
            },
            "Service mcp-prod/mcp-server-blue of pool blue selects app=mcp-server, and so also the pods of Deployment "
            "mcp-prod/mcp-server-green. Add pool=blue to its selector.",
        ),
        ({ROUTE: GONE}, "HTTPRoute mcp-prod/mcp-server does not exist"),
        (
            {ROUTE: {**GOOD[ROUTE], "spec": {"rules": [{"backendRefs": [{"name": "mcp-server-blue"}]}]}}},
            "add Service mcp-server-green",
        ),
        (
            {
                ROUTE: {
                    **GOOD[ROUTE],
                    "status": {"parents": [{"parentRef": GATEWAY, "conditions": conditions(accepted="False")}]},
                }
            },
            "not in force: .* Accepted is False",
        ),
        ({f"{NAMESPACE}/secrets/mcp-server-secrets": GONE}, "Secret mcp-server-secrets does not exist"),
        (
            {f"{NAMESPACE}/secrets/mcp-server-secrets": {"data": {"TOKEN": encoded(" \n")}}},
            "has no value for DATABASE_URL, TOKEN",
        ),
        ({f"{NAMESPACE}/secrets/mcp-server-secrets": {}}, "has no value for DATABASE_URL, TOKEN"),
    ],
)
def test_one_thing_missing(run, objects, message):
    with pytest.raises(Failure, match=message) as failure:
        run(objects)
    failed = [check for check in failure.value.evidence["checks"] if not check["ok"] and check["required"]]
    assert len(failed) == 1
    assert failure.value.msg == failed[0]["message"]


def test_a_secret_without_permission(run):
    with pytest.raises(Failure, match="this user may not read Secret mcp-server-secrets"):
        run(refused=["get secrets"])


@pytest.mark.parametrize(
    ("right", "names"),
    [
        ("get namespaces", ["namespace"]),
        ("list nodes", ["nodes", "room for the idle pool"]),
        ("list resourcequotas", ["quotas"]),
        ("list limitranges", ["limit ranges"]),
        ("list poddisruptionbudgets", ["disruption budgets"]),
    ],
)
def test_a_check_without_permission_is_skipped(run, right, names):
    skipped = [check for check in run(refused=[right]) if check["skipped"] and check["id"] not in NOT_ASKED]
    assert [(check["ok"], check["message"]) for check in skipped] == [
        (True, f'Check "{name}" skipped: no permission.') for name in names
    ]


def test_all_failures_at_once(run):
    with pytest.raises(Failure) as failure:
        run({ROUTE: GONE, GREEN: GONE}, refused=["patch httproutes"])
    assert failure.value.msg == (
        "In namespace mcp-prod this user may not patch httproutes.gateway.networking.k8s.io "
        "mcp-server: grant the Role in the collection's README, "
        "with the names of this server's objects, to this user, or add to its Role "
        '{"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "resourceNames": '
        '["mcp-server"], "verbs": ["patch"]}. '
        "Deployment mcp-prod/mcp-server-green does not exist on https://api.example:6443: create it, "
        "or correct server, pool_name_format, or blue and green. "
        "HTTPRoute mcp-prod/mcp-server does not exist on https://api.example:6443: create it, or "
        "correct route and route_kind."
    )


@pytest.mark.parametrize(("path", "made"), [("/version", 1), (NAMESPACE, 2)])
def test_nothing_more_is_asked_without_its_premise(run, path, made):
    with pytest.raises(Failure) as failure:
        run({path: GONE}, version="v1.2.1", image="r.io/mcp", image_check_command=["false"])
    found = failure.value.evidence
    assert (len(found["checks"]), found["checked_digest"], found["goes_on"]) == (made, "", False)


SERVER = Server("mcp-prod", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")
NAMESPACED = [right.rule() for right in rights(SERVER)]
# What is not in the namespace, and the Secrets, whose names the inventory tells
BESIDE = [
    {
        "apiGroups": [""],
        "resources": ["namespaces", "nodes", "resourcequotas", "limitranges"],
        "verbs": ["get", "list"],
    },
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["mcp-server-secrets"]},
]
ACCOUNT = f"{NAMESPACE}/serviceaccounts/mcp-guard"
SCALERS = "/apis/autoscaling/v2/namespaces/mcp-prod/horizontalpodautoscalers"


def of_other(rules):
    """Return the rules with the names of another server's objects."""
    return [
        {
            **rule,
            **(
                {"resourceNames": [f"other-{name}" for name in rule["resourceNames"]]}
                if "resourceNames" in rule
                else {}
            ),
        }
        for rule in rules
    ]


def test_a_role_that_is_narrowed_to_the_servers_objects_will_do(run):
    checks = run({ACCOUNT: {}}, role=[*NAMESPACED, *BESIDE], guard=True)
    assert checks[2]["message"] == "This user has all rights in namespace mcp-prod that a release needs."
    assert [check["id"] for check in checks if check["skipped"]] == NOT_ASKED


def test_a_role_that_is_not_narrowed_will_do(run):
    broad = [{name: value for name, value in rule.items() if name != "resourceNames"} for rule in NAMESPACED]
    assert run({ACCOUNT: {}}, role=[*broad, *BESIDE], guard=True)


def test_a_role_for_other_objects_will_not_do(run):
    """Whatever may be done with others, the sentence names ours; what can't be narrowed is not missing."""
    with pytest.raises(Failure) as failure:
        run(role=[*of_other(NAMESPACED), *BESIDE], guard=True)
    assert failure.value.msg == (
        "In namespace mcp-prod this user may not get and patch httproutes.gateway.networking.k8s.io mcp-server, "
        "get and patch deployments.apps mcp-server-blue and mcp-server-green, get services "
        "mcp-server-blue and mcp-server-green, "
        "get and patch configmaps mcp-server-release, get and patch leases.coordination.k8s.io mcp-server-release, "
        "get and delete jobs.batch mcp-server-guard: grant the Role in the collection's README, with "
        "the names of this server's objects, to this user."
    )


def test_creating_cannot_be_narrowed(run):
    """As who tries finds out: the API server does not know the name when it decides."""
    tried = [
        {**rule, "resourceNames": ["mcp-server-release"]} if rule["resources"] == ["leases"] else rule
        for rule in NAMESPACED
    ]
    with pytest.raises(
        Failure,
        match=r'may not create leases.coordination.k8s.io: .*"resources": \["leases"\], "verbs": \["create"\]}\.',
    ):
        run(role=[*tried, *BESIDE])


def scaler(pool):
    return {"spec": {"maxReplicas": 4, "scaleTargetRef": {"kind": "Deployment", "name": f"mcp-server-{pool}"}}}


@pytest.mark.parametrize(
    ("name", "refused", "said"),
    [
        (
            None,
            ["list horizontalpodautoscalers"],
            "; continuing without: list horizontalpodautoscalers.autoscaling (autoscalers of the pools).",
        ),
        (
            None,
            ["patch horizontalpodautoscalers"],
            "patch horizontalpodautoscalers.autoscaling mcp-server-blue and mcp-server-green "
            "(autoscalers of the pools).",
        ),
        (
            "mcp-server-green",
            ["list horizontalpodautoscalers"],
            "continuing without: list horizontalpodautoscalers.autoscaling (autoscalers of the pools).",
        ),
        ("mcp-server-green", ["patch horizontalpodautoscalers"], None),
        ("mcp-server-green", ["list horizontalpodautoscalers", "patch horizontalpodautoscalers"], None),
    ],
)
def test_an_autoscaler_that_works_on_a_pool_has_to_be_changed(run, name, refused, said):
    objects = {f"{SCALERS}/{name}": scaler("green")} if name else {}
    if said:
        assert run(objects, refused)[2]["message"].endswith(said)
        return
    with pytest.raises(Failure, match="may not patch horizontalpodautoscalers.autoscaling mcp-server-green: "):
        run(objects, refused)


def test_an_autoscaler_of_any_name_is_asked_for(run):
    with pytest.raises(Failure, match="may not get and patch horizontalpodautoscalers.autoscaling keda-hpa-mcp: "):
        run({f"{SCALERS}/keda-hpa-mcp": scaler("blue")}, role=[*NAMESPACED, *BESIDE])


def test_the_guards_service_account(run):
    def of_the_guard(checks):
        return next(check for check in checks if check["name"] == "guard's ServiceAccount")

    assert (
        of_the_guard(run({ACCOUNT: {}}, guard=True))["message"]
        == "The guard's ServiceAccount mcp-prod/mcp-guard exists."
    )
    with pytest.raises(
        Failure,
        match="^The guard's ServiceAccount mcp-prod/mcp-guard does not exist on https://api.example:6443: create it",
    ):
        run(guard=True)
    with pytest.raises(Failure, match="^The guard's ServiceAccount mcp-prod/x/status does not exist"):
        run({f"{NAMESPACE}/serviceaccounts/x": {}}, guard=True, guard_service_account="x/status")
    skipped = of_the_guard(run(refused=["get serviceaccounts"], guard=True))
    assert skipped["ok"] and skipped["skipped"]


def test_events_are_not_needed(run):
    sentence = run(refused=["list events"])[2]["message"]
    assert sentence.endswith("; continuing without: list events (the reasons why pods are not ready).")


RECORD = f"{NAMESPACE}/configmaps/mcp-server-release"


def recorded(outcome, version="v1.2.1"):
    """A release of that version to green, whose traffic is still on blue."""
    current = {
        "id": "1",
        "reason": "5 % failed",
        "outcome": outcome,
        "ended": "2026-11-26T10:00:00Z",
        "steps": [],
        "from": {"pool": "blue"},
    }
    return {RECORD: {"data": {"current": json.dumps({**current, "to": {"pool": "green", "version": version}})}}}


def test_a_version_that_ended_badly_is_refused_unless_it_is_forced(run):
    with pytest.raises(Failure, match=r"v1.2.1 was rolled back at 2026-11-26T10:00:00Z \(5 % failed\)") as failure:
        run(recorded("rolled_back"), version="v1.2.1")
    assert [check["name"] for check in failure.value.evidence["checks"] if not check["ok"]] == ["version"]
    run(recorded("rolled_back"), version="v1.2.1", force_version="v1.2.1")
    run(recorded("rolled_back"), version="v1.2.0")
    run(recorded("running"), version="v1.2.1")


UNREADY = {"/api/v1/nodes/node-1": {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}}


def warned(checks):
    return {check["id"] for check in checks if not check["ok"] and not check["required"]}


def test_an_interrupted_release_goes_on_without_what_its_pods_needed_to_start(run, monkeypatch):
    """It may have half of the traffic: no registry and no node may keep it there."""
    monkeypatch.setattr(
        image, "registry_for", lambda *_: types.SimpleNamespace(url="https://r.io", digest=lambda _image: None)
    )
    named = {"version": "v1.2.1", "image": "r.io/mcp"}
    with pytest.raises(Failure, match="not Ready.*is not in the registry"):
        run(UNREADY, **named)
    found = run(recorded("running") | UNREADY, **named)
    assert warned(found) == {"nodes", "room", "registry", "platform"}
    with pytest.raises(Failure, match="not Ready.*is not in the registry"):  # that begins anew
        run(recorded("running") | UNREADY, **{**named, "version": "v1.3.0"})


def test_a_command_that_refuses_the_image_of_an_interrupted_release_refuses_it(run, monkeypatch):
    """The tag may lead elsewhere now, so that it begins anew."""
    digest = "sha256:" + "a" * 64
    known = types.SimpleNamespace(url="https://r.io", digest=lambda _image: digest, platforms=lambda _image: set())
    monkeypatch.setattr(image, "registry_for", lambda *_: known)
    named = {"version": "v1.2.1", "image": "r.io/mcp", "image_check_timeout": 20}
    with pytest.raises(Failure, match="refuses r.io/mcp@sha256:") as failure:
        run(recorded("running"), **named, image_check_command=["false"])
    assert failure.value.evidence["checked_digest"] == digest and failure.value.evidence["goes_on"]


def test_one_bad_node_and_broad_rights_of_the_pods_only_warn(run, monkeypatch):
    monkeypatch.setattr(ApiServer, "_review", lambda self, spec: {"allowed": True})
    second = {"/api/v1/nodes/node-2": UNREADY["/api/v1/nodes/node-1"]}
    assert warned(run(second)) == {"nodes", "service_account_excess"}
    with pytest.raises(Failure, match="may list secrets, which a server must not"):
        run(service_account_forbidden=[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}])


def test_pods_of_several_images_only_warn(run, monkeypatch):
    """As they are after a release that was cut off, which has to be run again."""
    differ = Failure("differ")
    monkeypatch.setattr(pool_checks.pool_drift, "of_pods", lambda pool, digests: [differ.msg])
    assert warned(run()) == {"running_blue", "running_green"}


def test_a_number_is_no_version(run):
    with pytest.raises(Failure, match="version is 1.1, which is a number"):
        run(version=1.1)


HOOK = {"url": "http://127.0.0.1:1/SECRET", "url_env": None, "url_file": None, "format": "json", "ca_cert": None}


def split(green):
    backends = [
        {"name": f"mcp-server-{pool}", "port": 80, "weight": weight}
        for pool, weight in (("blue", 100 - green), ("green", green))
    ]
    return {ROUTE: {**GOOD[ROUTE], "spec": {"rules": [{"backendRefs": backends}]}}}


@pytest.mark.parametrize(
    ("objects", "params", "failing"),
    [
        ({}, {}, ["files", "webhooks"]),
        ({}, {"starts_release": True}, ["files"]),
        (recorded("running") | split(10), {"starts_release": True, "version": "v1.2.1"}, []),  # it has traffic
        (recorded("running") | split(0), {"starts_release": True, "version": "v1.2.1"}, ["files"]),
        (
            recorded("running") | split(10),
            {"starts_release": True, "version": "v1.3.0"},
            ["files"],
        ),  # it takes the place of the one that runs
        (recorded("running") | split(10), {"version": "v1.2.1"}, ["files", "webhooks"]),
        ({RECORD: {"data": {"current": "[]"}}}, {"starts_release": True}, ["files"]),
    ],
)
def test_what_is_needed_later(monkeypatch, objects, params, failing):
    monkeypatch.setattr(mcp_preflight, "connect", lambda params: cluster(objects, ()))
    warnings, lines = [], []
    task = Task(
        {**PARAMS, "scope": ["later"], "webhooks": [HOOK], "files": ["/no/such"], **params},
        warn=warnings.append,
        progress=lines.append,
    )
    try:
        checks = mcp_preflight.run(task)["checks"]
    except Failure as failure:
        checks = failure.evidence["checks"]
        assert failure.msg == " ".join(check["message"] for check in checks if check["name"] in failing)
    assert [check["name"] for check in checks] == ["files", "webhooks"] and not any(check["ok"] for check in checks)
    assert [check["name"] for check in checks if check["required"]] == failing
    assert warnings == [check["message"] for check in checks if not check["required"]]
    assert len(lines) == 2 and all(line.startswith(("FAILED: ", "warning: ")) for line in lines)


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"/version": {"gitVersion": "v1\x1b[31m\nforged"}}, ""),
        ({"/version": {"gitVersion": ["v1"]}}, ""),
        (
            {NAMESPACE: {"status": None}},
            'Check "namespace" cannot read an answer. Unexpected error AttributeError',
        ),
        ({BLUE: {"spec": None}}, 'Check "blue workload" cannot read'),
        (
            {f"{NAMESPACE}/secrets/mcp-server-secrets": {"data": {"TOKEN": "x"}}},
            'Check "secrets" cannot read',
        ),
    ],
)
def test_an_answer_of_another_form(run, objects, message):
    if not message:
        sentence = run(objects)[0]["message"]
        assert sentence.isprintable() and sentence.startswith("The API server https://api.example:6443 answers, ")
        return
    with pytest.raises(Failure, match=message) as caught:
        run(objects)
    assert len(caught.value.evidence["checks"]) >= 2


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "StatefulSet mcp-prod/sets has 2 replicas of x:v1.1.5."),
        (
            {"updateStrategy": {"type": "OnDelete"}},
            "would not give a new image to all of its pods: its updateStrategy is",
        ),
        ({"updateStrategy": {"rollingUpdate": {"partition": 1}}}, "has partition 1"),
        (
            {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
            "its pods have volumes of their own: the other pool",
        ),
    ],
)
def test_a_pool_that_is_a_stateful_set(run, spec, says):
    path = "/apis/apps/v1/namespaces/mcp-prod/statefulsets/sets"
    sets = {path: {"kind": "StatefulSet", "spec": {**deployment("green")["spec"], **spec}}, GREEN: GONE}
    green = {"stateful_set": "sets", "service": "mcp-server-green"}
    if "updateStrategy" in spec:
        with pytest.raises(Failure, match=says):
            run(sets, green=green)
    else:
        (check,) = [one for one in run(sets, green=green) if one["id"] == "workload_green"]
        assert check["ok"] and says in check["message"]
