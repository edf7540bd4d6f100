# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of route on the real cluster: those with a data plane by the share that is measured, the others by what
their CRD takes.
"""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import playing
import pytest
from breaching import needs_prometheus
from playing import CONFIG, module
from soaking import soak

NAMESPACE = CONFIG["test_namespace"]
OBJECTS = {
    "httproute": "httproutes.gateway.networking.k8s.io/mcp-server",
    "service": "services/mcp-server-public",
    "httpproxy": "httpproxies.projectcontour.io/mcp-server",
    "traefik": "traefikservices.traefik.io/mcp-server",
    "openshift_route": "routes.route.openshift.io/mcp-server",
    "istio": "virtualservices.networking.istio.io/mcp-server",
    "ingress_nginx": "ingresses.networking.k8s.io/mcp-server-canary",
    "custom": "httpproxies.projectcontour.io/mcp-server",
}
CUSTOM = {
    "api_version": "projectcontour.io/v1",
    "kind": "HTTPProxy",
    "resource": "httpproxies",
    "blue": "spec.routes[0].services[?name=='mcp-server-blue'].weight",
    "green": "spec.routes[0].services[?name=='mcp-server-green'].weight",
    "accepted": ["status.currentStatus == 'valid'"],
}
BLUE = {"blue": 100, "green": 0}

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="needs the objects of sandbox/manifests/routes, which the cluster of KUBECONFIG may not have",
)


def kubectl(*words: str) -> dict:
    return json.loads(playing.kubectl("-n", NAMESPACE, *words, "-o", "json"))


def target(kind: str) -> dict:
    """The options of the server behind this kind of route, and how clients reach it."""
    route = OBJECTS[kind].partition("/")[2]
    found = {"route_kind": kind, "route": "mcp-server" if kind == "ingress_nginx" else route}
    if kind == "custom":
        found["route_custom"] = CUSTOM
    if kind in ("httpproxy", "custom"):
        found["endpoint"] = {
            "url": CONFIG["public_url"],
            "host": kubectl("get", OBJECTS[kind])["spec"]["virtualhost"]["fqdn"],
        }
    elif kind == "httproute":
        found["endpoint"] = {"url": CONFIG["public_url"], "host": kubectl("get", OBJECTS[kind])["spec"]["hostnames"][0]}
    elif kind == "service":
        found["endpoint"] = {"url": f"http://127.0.0.1:{kubectl('get', OBJECTS[kind])['spec']['ports'][0]['nodePort']}"}
    return found


def blue_again(kind: str) -> None:
    module("mcp_traffic_shift", pool="blue", weight=100, **without_endpoint(target(kind)))


def wait_for_endpoints(seconds: float = 30) -> None:
    """Wait until green may get traffic: on a busy machine a new pod misses a probe, and is no endpoint for a while."""
    end = time.monotonic() + seconds
    while True:
        try:
            module("mcp_traffic_shift", pool="green", weight=10, check=True, **without_endpoint(target("httproute")))
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            return


@pytest.fixture(scope="module", autouse=True)
def pools():
    for kind in OBJECTS:
        if kind != "openshift_route":
            blue_again(kind)
    for pool, version in (("blue", "v1.1.5"), ("green", "v1.2.0")):
        module("mcp_rollout", pool=pool, image_ref=f"{CONFIG['image']}:{version}", replicas=2)
    wait_for_endpoints()
    yield
    module("mcp_rollout", pool="green", replicas=0)


def judge(result: dict, pool: str, percent: int, tolerance: float) -> None:
    print(f"{pool} {percent} %: {result['share']}, followed after {result['seconds_to_follow']} s")
    assert result["after"][pool] == percent and result["share"]["reached"]
    assert abs(result["share"][pool] - percent) <= tolerance and result["share"]["failed"] == 0, result["share"]


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("httproute", (10, 50, 100, 50, 0)),
        ("httpproxy", (10, 50, 100, 50, 0)),
        ("service", (33, 50, 67, 100, 50, 0)),
        ("custom", (10, 100, 0)),
    ],
)
def test_the_data_plane_follows(kind, steps):
    # Two points of 1,000 answers are 1.3 standard deviations of a half: a share that is off by chance is measured
    # again.
    its = {**target(kind), "pool": "green", "samples": 1000, "tolerance": 2, "timeout": 60}
    for percent in steps:
        planned = module("mcp_traffic_shift", weight=percent, check=True, **its)
        assert planned["changed"] and planned["share"] is None
        assert planned["after"]["green"] == percent != planned["before"]["green"]
        found = module("mcp_traffic_shift", weight=percent, **its)
        judge(found, "green", percent, 0 if percent in (0, 100) else 2)
        # The custom one is the HTTPProxy, which sets the header.
        assert found["share"]["measured_by"] == ("health" if kind == "service" else "header")
        again = module("mcp_traffic_shift", weight=percent, **{**its, "samples": 100, "tolerance": 15})
        assert not again["changed"] and again["written_at"] is None


@pytest.mark.parametrize("kind", ["httproute", "httpproxy", "service", "custom"])
@pytest.mark.parametrize("percent", [50, 100])
def test_rollback(kind, percent):
    its = target(kind)
    blue_again(kind)
    try:
        begun = module(
            "mcp_release",
            state="begun",
            image_ref=f"{CONFIG['image']}:v1.2.0",
            version="v1.2.0",
            **without_endpoint(its),
        )
        assert begun["live"] == "blue"
        module("mcp_traffic_shift", pool="green", weight=percent, **without_endpoint(its))
        back = module("mcp_traffic_shift", rollback=True, verify_seconds=1, **its)
        assert (back["pool"], back["after"]) == ("blue", BLUE) and back["changed"]
        judge(back, "blue", 100, 0)
        again = module("mcp_traffic_shift", rollback=True, verify_seconds=1, **its)
        assert not again["changed"]
        module("mcp_release", state="ended", outcome="rolled_back", run_id=again["run_id"], **without_endpoint(its))
    finally:
        blue_again(kind)


def without_endpoint(its: dict) -> dict:
    return {name: value for name, value in its.items() if name != "endpoint"}


BACKENDS = "/spec/rules/0/backendRefs"


def patch(*operations: dict) -> None:
    kubectl("patch", OBJECTS["httproute"], "--type=json", "-p", json.dumps(operations))


def until_gone(header: str) -> None:
    """Wait until the gateway sets this header no longer."""
    request = urllib.request.Request(f"{CONFIG['public_url']}/health", headers={"Host": CONFIG["public_host"]})
    for _try in range(100):
        with urllib.request.urlopen(request, timeout=5) as answer:
            if header not in answer.headers:
                return
        time.sleep(0.1)
    pytest.fail(f"The gateway still sets {header}.")


@contextmanager
def without_header():
    """The HTTPRoute as somebody else has it: nothing on it names a pool."""
    before = kubectl("get", OBJECTS["httproute"])["spec"]["rules"][0]["backendRefs"]
    bare = [{name: value for name, value in one.items() if name != "filters"} for one in before]
    patch({"op": "replace", "path": BACKENDS, "value": bare})
    try:
        until_gone("X-MCP-Pool")
        yield
    finally:
        patch({"op": "replace", "path": BACKENDS, "value": before})
        blue_again("httproute")


def test_a_route_that_names_no_pool():
    """Nothing is shifted, with the lines to add; an emergency does not wait for them."""
    its = {**target("httproute"), "pool_key": "nothing"}  # nor does the health document name it
    with without_header():
        refused = module("mcp_traffic_shift", fails=True, pool="green", weight=10, **its)
        assert "Nothing tells which pool" in refused["msg"] and "value: green" in refused["msg"]
        assert not refused["changed"]
        patch(
            *(
                {"op": "replace", "path": f"{BACKENDS}/{at}/weight", "value": weight}
                for at, weight in enumerate((0, 100))
            )
        )
        back = module("mcp_rollback", pool="blue", verify_seconds=0, **its)
        assert back["after"] == BLUE and back["share"]["measured_by"] is None and back["share"]["failed"] == 0


@needs_prometheus
def test_shares_by_the_counters_of_the_gateway():
    envoy = {"url": CONFIG["prometheus_url"], "source": ["envoy"]}
    its = {**target("httproute"), "pool_key": "nothing", "prometheus": envoy}
    with without_header():
        for percent in (50, 100):
            shifted = module("mcp_traffic_shift", pool="green", weight=percent, **its)
            assert shifted["share"]["measured_by"] == "counters" and shifted["share"]["requests"] >= 100
            assert abs(shifted["share"]["green"] - percent) <= 5


def test_shares_by_what_servers_call_themselves():
    """The pools run two versions, and MCP's serverInfo says which."""
    its = {**target("httproute"), "health_path": None, "health_checks": []}
    with without_header():
        shifted = module("mcp_traffic_shift", pool="green", weight=50, session_mode="stateless", **its)
        assert shifted["share"]["measured_by"] == "server_info"
        judge(shifted, "green", 50, 10)


def test_a_service_says_what_it_reaches():
    its = target("service")
    refused = module("mcp_traffic_shift", fails=True, pool="green", weight=10, **its)
    assert "with 2 ready pods of blue and 2 of green it reaches 0, 33, 50, 67, 100 % for green" in refused["msg"]
    try:
        judge(module("mcp_traffic_shift", pool="green", weight=10, route_nearest=True, **its), "green", 33, 5)
    finally:
        blue_again("service")


def test_a_service_at_100_percent_keeps_pods_that_are_new():
    its = target("service")
    try:
        module("mcp_traffic_shift", pool="green", weight=50, **its)
        module("mcp_traffic_shift", pool="green", weight=100, **its)
        before = {pod["metadata"]["name"] for pod in kubectl("get", "pods", "-l", "pool=green")["items"]}
        module("mcp_rollout", pool="green", replicas=1)
        module("mcp_rollout", pool="green", replicas=2)
        assert {pod["metadata"]["name"] for pod in kubectl("get", "pods", "-l", "pool=green")["items"]} != before
        again = module("mcp_traffic_shift", pool="green", weight=100, **its)
        assert not again["changed"] and again["share"]["reached"]
    finally:
        blue_again("service")


@pytest.fixture
def traefik(tmp_path):
    """Traefik beside the cluster, on loopback; yields its endpoint."""
    built = sorted(playing.CACHE.glob("traefik-*/traefik"))
    assert built, "build it first: python -m sandbox.traefik"
    cluster = kubectl("config", "view", "--raw")["clusters"][0]["cluster"]
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    (tmp_path / "token").write_text(kubectl("create", "token", "traefik")["status"]["token"])
    provider = {
        "endpoint": cluster["server"],
        "token": tmp_path / "token",
        "certauthfilepath": tmp_path / "ca.crt",
        "namespaces": NAMESPACE,
        "disableclusterscoperesources": "true",
    }
    command = [
        built[-1],
        "--entrypoints.web.address=127.0.0.1:30082",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]
    command += [f"--providers.kubernetescrd.{name}={value}" for name, value in provider.items()]
    with (tmp_path / "traefik.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        time.sleep(5)
        assert process.poll() is None, (tmp_path / "traefik.log").read_text()
        host = kubectl("get", "ingressroutes.traefik.io/mcp-server")["spec"]["routes"][0]["match"].split("`")[1]
        yield {"url": "http://127.0.0.1:30082", "host": host}
    finally:
        process.kill()
        process.wait()


@soak  # Traefik's build takes 13 minutes; the other kinds with a data plane are the twins
def test_traefik_follows(traefik):
    its = {**target("traefik"), "endpoint": traefik, "pool": "green", "samples": 1000, "tolerance": 2, "timeout": 60}
    for percent in (10, 50, 100, 50, 0):
        judge(module("mcp_traffic_shift", weight=percent, **its), "green", percent, 0 if percent in (0, 100) else 2)
        assert not module("mcp_traffic_shift", weight=percent, **{**its, "samples": 100, "tolerance": 15})["changed"]


def others_annotations(route):
    """Those that are not our notes."""
    return {
        name: value
        for name, value in (route["metadata"].get("annotations") or {}).items()
        if not name.startswith("mcp.server/")
    }


@pytest.mark.parametrize("kind", ["traefik", "istio", "ingress_nginx"])
def test_the_object_takes_the_weights_and_keeps_the_rest(kind):
    its, before = target(kind), kubectl("get", OBJECTS[kind])
    for percent in (10, 50, 100, 0):
        result = module("mcp_traffic_shift", pool="green", weight=percent, **its)
        assert result["changed"] and result["after"]["green"] == percent
        assert not module("mcp_traffic_shift", pool="green", weight=percent, **its)["changed"]
    after = kubectl("get", OBJECTS[kind])
    assert after["spec"] == before["spec"] and others_annotations(after) == others_annotations(before)
    assert json.loads(after["metadata"]["annotations"]["mcp.server/stable"])["weights"] == {"blue": 100, "green": 0}


def test_an_openshift_route_that_no_router_admits_is_not_verified():
    its, before = target("openshift_route"), kubectl("get", OBJECTS["openshift_route"])
    for percent in (10, 100, 0):
        result = module("mcp_traffic_shift", fails=True, pool="green", weight=percent, timeout=0.5, **its)
        assert (
            result["changed"]
            and result["after"]["green"] == percent
            and "no router has reported on it" in result["msg"]
        )
        now = copy.deepcopy(kubectl("get", OBJECTS["openshift_route"])["spec"])
        assert (now["to"].pop("weight"), now["alternateBackends"][0].pop("weight")) == (100 - percent, percent)
        assert now["host"] == before["spec"]["host"]


@pytest.mark.parametrize("kind", [kind for kind in OBJECTS if kind not in ("openshift_route",)])
def test_preflight_asks_for_the_rights_of_the_kind(kind):
    checks = {check["id"]: check for check in module("mcp_preflight", **without_endpoint(target(kind)))["checks"]}
    assert checks["rights"]["ok"] and "is in force, with blue at 100 % and green at 0 %" in checks["route"]["message"]
