# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an install writes on a cluster of plain dicts, what it leaves alone, and what it refuses."""

from __future__ import annotations

import base64
import itertools
import json
import math
import re
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_install, mcp_preflight
from ansible_collections.mcp.server.plugins.module_utils._release import lease as leases
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Interrupted, Task
from ansible_collections.mcp.server.tests.unit.fakes import records
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError, right_of

ROOT = Path(__file__).parents[5]
OLD, NEW = "r.io/mcp:v1.1.5", "r.io/mcp:v1.2.0@sha256:" + 64 * "a"
MINIMAL = {
    "namespace": "prod",
    "server": "mcp",
    "image_ref": OLD,
    "endpoint": {"url": "https://mcp.example.com"},
    "gateway": {"name": "public", "namespace": "gateways"},
}
CORE, APPS = "/api/v1/namespaces/prod", "/apis/apps/v1/namespaces/prod"
BLUE, GREEN = f"{APPS}/deployments/mcp-blue", f"{APPS}/deployments/mcp-green"
SERVICE = f"{CORE}/services/mcp-blue"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
PROXY = "/apis/projectcontour.io/v1/namespaces/prod/httpproxies/mcp"
BUDGET = "/apis/policy/v1/namespaces/prod/poddisruptionbudgets/mcp-blue"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"
KINDS = {
    "/api/v1": {
        "resources": [
            {"name": "secrets", "kind": "Secret", "namespaced": True},
            {"name": "namespaces", "kind": "Namespace", "namespaced": False},
            {"name": "pods/eviction", "kind": "Eviction", "namespaced": True},
        ]
    },
    "/apis/projectcontour.io/v1": {"resources": [{"name": "httpproxies", "kind": "HTTPProxy", "namespaced": True}]},
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    one = ApiServer({"/api/v1/namespaces/prod": {}, **KINDS})
    monkeypatch.setattr(mcp_install.connection, "connect", lambda _params: one)
    return one


def install(
    *, check: bool = False, warnings: list[str] | None = None, lines: list[str] | None = None, **options: t.Any
) -> dict[str, t.Any]:
    given = {name: value for name, value in {**MINIMAL, **options}.items() if value is not None}
    spec = mcp_install.SPEC
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    warn = warnings.append if warnings is not None else pytest.fail
    progress = (lines if lines is not None else []).append
    return mcp_install.run(Task(validated.validated_parameters, check_mode=check, warn=warn, progress=progress))


def refused(api: ApiServer, **options: t.Any) -> str:
    """Return why an install was refused, which must have written nothing."""
    before = json.dumps(api.objects, sort_keys=True)
    with pytest.raises(Failure) as failure:
        install(**options)
    assert json.dumps(api.objects, sort_keys=True) == before
    assert _task.unexpected(failure.value) not in failure.value.msg
    return failure.value.msg


def actions(result: dict[str, t.Any]) -> dict[str, str]:
    return {f"{one['kind']} {one['name']}": one["action"] for one in result["objects"]}


def release(api: ApiServer) -> None:
    """Write what a release does."""
    image = {"spec": {"template": {"spec": {"containers": [{"name": "mcp", "image": NEW}]}}, "replicas": 3}}
    api.change(GREEN, image, "strategic", manager="mcp.server")
    api.change(GREEN, {"metadata": {"annotations": {"mcp.server/run": "r1"}}}, manager="mcp.server")
    weights = [{"op": "replace", "path": f"/spec/rules/0/backendRefs/{at}/weight", "value": 100 * at} for at in (0, 1)]
    api.change(ROUTE, weights, "json", manager="mcp.server")
    api.change(BLUE, {"spec": {"replicas": 0}}, manager="mcp.server")


def at_write(api: ApiServer, act: t.Callable[[], t.Any], path: str, *, after: bool = False) -> None:
    """Do this at the second patch of an object: the first is the dry run."""
    patches = itertools.count()
    api.call(lambda: act() if next(patches) == 1 else None, "PATCH", path, times=2, after=after)


def state(api: ApiServer) -> dict[str, t.Any]:
    green, blue, route = (api.objects[path]["spec"] for path in (GREEN, BLUE, ROUTE))
    return {
        "images": [one["template"]["spec"]["containers"][0]["image"] for one in (blue, green)],
        "sizes": [one["replicas"] for one in (blue, green)],
        "weights": [one["weight"] for one in route["rules"][0]["backendRefs"]],
    }


def test_everything_is_made_and_a_second_run_writes_nothing(api: ApiServer) -> None:
    first = install()
    assert first["changed"] and first["started"] and first["replicas"] == 2 and first["notes"] == []
    assert set(actions(first).values()) == {"created"} and len(first["objects"]) == 9
    assert api.objects[ROUTE]["spec"]["hostnames"] == ["mcp.example.com"]
    assert len(first["diff"]) == 9 and all(one["before"] == "" for one in first["diff"])
    before = json.dumps(api.objects, sort_keys=True)
    api.log.clear()
    again = install()
    assert (again["changed"], again["started"], again["diff"]) == (False, False, [])
    assert json.dumps(api.objects, sort_keys=True) == before and api.writes() == []


def test_check_mode_tells_the_same_and_stores_nothing(api: ApiServer) -> None:
    would = install(check=True)
    assert api.writes() == [] and not [path for path in api.objects if "/namespaces/prod/" in path]
    did = install()
    assert actions(would) == actions(did) and would["changed"] and would["started"]


def test_what_a_release_has_changed_stays(api: ApiServer) -> None:
    install()
    release(api)
    expected = {"images": [OLD, NEW], "sizes": [0, 3], "weights": [0, 100]}
    assert state(api) == expected
    api.log.clear()
    assert not install()["changed"] and api.writes() == []
    # Also when the objects do change, and after that.
    result = install(termination_seconds=90)
    assert actions(result)["Deployment mcp-green"] == actions(result)["Deployment mcp-blue"] == "changed"
    assert actions(result)["HTTPRoute mcp"] == "unchanged"
    assert install(hostname="other.example.com", termination_seconds=90)["changed"]
    assert state(api) == expected and api.objects[ROUTE]["spec"]["hostnames"] == ["other.example.com"]
    assert api.objects[GREEN]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 90
    release(api)
    assert not install(hostname="other.example.com", termination_seconds=90)["changed"]


def test_a_field_that_a_release_wrote_beside_is_written_once_more(api: ApiServer) -> None:
    """The rules of a route belong to whoever wrote them last, as a whole: a release, which is no stranger."""
    install()
    api.change(ROUTE, {"spec": {"hostnames": ["by-a-release.example"]}}, manager="mcp.server")
    assert actions(install())["HTTPRoute mcp"] == "changed"
    assert api.objects[ROUTE]["spec"]["hostnames"] == ["mcp.example.com"]


def test_another_version_is_no_release(api: ApiServer) -> None:
    install()
    lines: list[str] = []
    result = install(image_ref="r.io/mcp:v9", lines=lines)
    assert lines == result["notes"]
    assert not result["changed"] and state(api)["images"] == [OLD, OLD]
    (note,) = result["notes"]
    assert note.startswith(f"The pools keep their images ({OLD})")
    release(api)
    assert install(image_ref=NEW.partition("@")[0])["notes"] == install()["notes"] == []


def test_an_option_that_is_taken_back_is_taken_back(api: ApiServer) -> None:
    install(metrics_port=9090)
    assert "annotations" in api.objects[BLUE]["spec"]["template"]["metadata"]
    assert install()["changed"]
    assert "prometheus.io/scrape" not in str(api.objects[BLUE]["spec"]["template"]["metadata"])
    assert not install()["changed"]


def test_nothing_is_deleted(api: ApiServer) -> None:
    install(releasers=[{"kind": "User", "name": "eva"}])
    install()
    assert any("rolebindings" in path for path in api.objects)
    assert api.asked("DELETE") == []


def test_objects_of_others_are_refused_all_at_once_and_taken_over_by_force(api: ApiServer) -> None:
    api.put(SERVICE, {"spec": {"selector": {"app": "theirs"}}})
    api.put(BUDGET, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "spec": {}})
    said = refused(api)
    assert "there already are Service mcp-blue, PodDisruptionBudget mcp-blue" in said and "force" in said
    assert "Service mcp-blue" in refused(api, check=True)
    assert install(force=True)["changed"]
    assert api.objects[SERVICE]["spec"]["selector"] == {"app": "mcp", "pool": "blue"}
    assert not install()["changed"]


def test_fields_of_others_are_refused_by_their_name_and_taken_over_by_force(api: ApiServer) -> None:
    install()
    api.change(BUDGET, {"spec": {"maxUnavailable": 2}}, manager="kubectl-edit")
    said = refused(api)
    assert said.startswith("PodDisruptionBudget mcp-blue has fields with other values that kubectl-edit set.")
    assert ".spec.maxUnavailable" in said and "force" in said
    assert actions(install(force=True))["PodDisruptionBudget mcp-blue"] == "changed"
    assert api.objects[BUDGET]["spec"]["maxUnavailable"] == 1 and not install()["changed"]


def with_a_rule(rules: list[t.Any]) -> list[t.Any]:
    header = {"headers": [{"name": "x-tester", "value": "1"}]}
    return [*rules, {"matches": [header], "backendRefs": [{"name": "mcp-green", "port": 8080, "weight": 1}]}]


def with_a_backend(rules: list[t.Any]) -> list[t.Any]:
    return [{**rules[0], "backendRefs": [*rules[0]["backendRefs"], {"name": "third", "port": 80, "weight": 5}]}]


def with_a_filter(rules: list[t.Any]) -> list[t.Any]:
    return [{**rules[0], "filters": [{"type": "RequestHeaderModifier"}]}]


@pytest.mark.parametrize(
    ("add", "says"),
    [
        (with_a_rule, "has rule 2, which"),
        (with_a_backend, "has backend third of rule 1, which"),
        (with_a_filter, "has filters of rule 1, which"),
    ],
)
def test_what_others_added_to_the_route_outlives_a_release(
    api: ApiServer, add: t.Callable[[list[t.Any]], list[t.Any]], says: str
) -> None:
    """The weights of the release make all rules its own, so that they no longer are fields of another manager."""
    install()
    api.change(ROUTE, {"spec": {"rules": add(api.objects[ROUTE]["spec"]["rules"])}}, manager="kubectl-edit")
    assert "kubectl-edit" in refused(api)
    release(api)
    assert says in refused(api)
    assert install(force=True)["changed"] and len(api.objects[ROUTE]["spec"]["rules"]) == 1
    assert state(api)["weights"] == [0, 100]


def test_a_size_that_an_autoscaler_chose_is_no_conflict(api: ApiServer) -> None:
    install()
    api.change(BLUE, {"spec": {"replicas": 7}}, manager="kube-controller-manager")
    assert not install()["changed"]
    assert install(termination_seconds=90)["changed"] and state(api)["sizes"] == [7, 0]


# The Lease


def hold(api: ApiServer, process: str = "elsewhere", **ago: float) -> None:
    then = (api.now() - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    api.put(
        LEASE,
        {
            "metadata": {"annotations": {leases.BY: "eva@laptop", leases.PROCESS: process}},
            "spec": {"holderIdentity": "r1", "leaseDurationSeconds": 60, "acquireTime": then, "renewTime": then},
        },
    )


def test_nothing_is_written_while_a_release_runs(api: ApiServer) -> None:
    install()
    hold(api)
    assert not install()["changed"]  # as nothing is to be written
    for check in (False, True):
        said = refused(api, termination_seconds=90, check=check)
        assert "A release of prod/mcp is in progress (by eva@laptop" in said


def test_nothing_is_written_while_a_release_is_paused(api: ApiServer) -> None:
    """Its guard would lose the Lease, and nobody would watch the release."""
    install()
    hold(api, leases.PAUSED)
    assert "A release of prod/mcp is paused." in refused(api, termination_seconds=90)
    hold(api, leases.PAUSED, minutes=5)
    assert install(termination_seconds=90)["changed"]


@pytest.mark.parametrize(
    ("more", "says"), [({"paused": {"at": "", "reason": ""}}, "is paused"), ({}, "is not finished")]
)
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("check", [True, False])
def test_nothing_is_written_while_a_release_waits_for_its_next_run(
    api: ApiServer, more: dict[str, t.Any], says: str, held: bool, check: bool
) -> None:
    """A guard would no longer roll it back when it finds that another run returned the Lease."""
    install()
    api.put(records.RECORD, {"data": {"current": json.dumps(records.release("running", **more))}})
    if held:
        hold(api, minutes=5)
    assert not install()["changed"]
    assert f"A release of prod/mcp {says}." in refused(api, termination_seconds=90, check=check)
    api.put(records.RECORD, {"data": {"current": json.dumps(records.release())}})
    assert install(termination_seconds=90, check=check)["changed"]


def test_a_run_that_was_killed_is_done_by_the_next(api: ApiServer) -> None:
    def killed() -> None:
        raise Interrupted("SIGTERM")

    at_write(api, killed, GREEN)
    with pytest.raises(Interrupted):
        install()
    assert BLUE in api.objects and GREEN not in api.objects and ROUTE not in api.objects
    assert not api.objects[LEASE]["spec"].get("holderIdentity")
    result = install()
    assert actions(result)["Deployment mcp-blue"] == "unchanged" and actions(result)["HTTPRoute mcp"] == "created"
    assert result["changed"] and not result["started"] and not install()["changed"]


def test_the_lease_is_held_while_it_writes_and_returned(api: ApiServer) -> None:
    holders: list[t.Any] = []
    api.call(lambda: holders.append((api.objects.get(LEASE) or {}).get("spec")), "PATCH", ROUTE, times=math.inf)
    install()
    dry, real = holders
    assert dry is None and real["holderIdentity"]
    assert not api.objects[LEASE]["spec"].get("holderIdentity")
    assert "an install" in api.objects[LEASE]["metadata"]["annotations"][leases.BY]


def test_a_run_that_loses_its_lease_writes_no_more(api: ApiServer) -> None:
    at_write(api, lambda: hold(api), BLUE)
    with pytest.raises(Failure, match="lost the Lease of prod/mcp"):
        install(warnings=[])
    assert BLUE in api.objects and GREEN not in api.objects
    assert api.objects[LEASE]["spec"]["holderIdentity"] == "r1"


def test_what_is_written_between_the_read_and_the_write_stays(api: ApiServer) -> None:
    """As by a release that took over the Lease after it was checked, or by an autoscaler."""
    install()
    at_write(api, lambda: release(api), GREEN)
    result = install(termination_seconds=90)
    assert actions(result)["Deployment mcp-green"] == "changed"
    assert state(api) == {"images": [OLD, NEW], "sizes": [0, 3], "weights": [0, 100]}
    assert api.objects[GREEN]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 90
    at_write(api, lambda: api.change(GREEN, {"spec": {"replicas": 7}}, manager="kube-controller-manager"), GREEN)
    install(force=True, termination_seconds=80)
    assert state(api)["sizes"] == [0, 7]


def test_an_object_that_others_made_meanwhile_is_refused(api: ApiServer) -> None:
    at_write(api, lambda: api.put(BUDGET, {"spec": {"maxUnavailable": "50%"}}), BLUE)
    with pytest.raises(Failure, match="there already is PodDisruptionBudget mcp-blue"):
        install()
    assert api.objects[BUDGET]["spec"] == {"maxUnavailable": "50%"}


def test_a_task_of_a_run_needs_its_lease(api: ApiServer) -> None:
    hold(api)
    assert install(run_id="r1", check=True)["changed"] and install(run_id="r1")["changed"]
    assert api.objects[LEASE]["spec"]["holderIdentity"] == "r1"
    with pytest.raises(Failure, match="lost the Lease"):
        install(run_id="another", termination_seconds=90)


def test_a_lease_that_cant_be_returned_is_a_warning(api: ApiServer) -> None:
    warnings: list[str] = []
    at_write(api, lambda: api.refused.add("patch leases"), ROUTE, after=True)
    assert install(warnings=warnings)["changed"]
    assert warnings and "The Lease was not returned; it expires in" in warnings[0]


def test_an_api_server_that_goes_away_is_not_waited_for_with_the_lease(api: ApiServer) -> None:
    def away() -> None:
        raise Unreachable("away")

    at_write(api, away, ROUTE)
    with pytest.raises(Unreachable):
        install()
    assert api.objects[LEASE]["spec"]["holderIdentity"]


# Rights and what the cluster lacks


def documented_rights() -> list[dict[str, t.Any]]:
    """Return the rules of the installer's Role: those of the docs, and the releaser's for this server."""
    page = (ROOT / "docs/rights.md").read_text().partition("## The installer's Role")[2]
    return [*yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0]), *releaser()]


def releaser() -> list[dict[str, t.Any]]:
    role = (ROOT / "sandbox/manifests/mcp-server/role.yaml").read_text().replace("mcp-server", "mcp")
    rules: list[dict[str, t.Any]] = yaml.safe_load(role)["rules"]
    return rules


def test_the_documented_role_is_enough_and_none_of_it_is_to_spare(api: ApiServer) -> None:
    role = documented_rights()
    api.role = role
    install(guard=True, releasers=[{"kind": "User", "name": "eva"}])
    install(guard=True, termination_seconds=90)
    assert api.refusals() == []
    used = {(right[1], right[2], right[0]) for one in api.log if (right := right_of(one))}
    for rule in role[: -len(releaser())]:
        wanted = {
            (group, kind, verb)
            for group in rule["apiGroups"]
            for kind in rule["resources"]
            for verb in rule["verbs"]
            if verb != "create"  # an apply that creates takes it, which the fake API server does not know
        }
        assert wanted <= used, rule


@pytest.mark.parametrize("right", ["get services", "patch deployments"])
def test_a_right_that_is_missing_is_told_with_the_installers_role(api: ApiServer, right: str) -> None:
    api.refused.add(right)
    said = refused(api)
    assert "is forbidden" in said and "docs/rights.md" in said and "README" not in said


def test_a_namespace_that_is_missing(api: ApiServer) -> None:
    api.fail(StatusError(404, 'namespaces "prod" not found'), "PATCH", "serviceaccounts")
    assert refused(api) == "Namespace prod does not exist: create it, or correct namespace."


def test_a_binding_whose_role_a_dry_run_did_not_make(api: ApiServer) -> None:
    """The API server looks the Role up for a user who may not bind any Role."""
    binding, missing = "/rolebindings/mcp-releaser", 'rolebindings.rbac.authorization.k8s.io "mcp-releaser" not found'
    releasers = [{"kind": "User", "name": "eva"}]
    api.fail(StatusError(404, missing), "PATCH", binding)
    result = install(check=True, releasers=releasers)
    assert actions(result)["RoleBinding mcp-releaser"] == "created"
    assert "name: eva" in next(one["after"] for one in result["diff"] if "kind: RoleBinding" in one["after"])
    api.fail(StatusError(404, missing), "PATCH", binding)
    assert install(releasers=releasers)["changed"] and not install(releasers=releasers)["changed"]
    api.fail(StatusError(404, missing), "PATCH", binding, times=2)
    with pytest.raises(Failure, match="mcp-releaser"):
        install(releasers=[{"kind": "User", "name": "another"}])


def test_a_gateway_api_that_is_missing(api: ApiServer) -> None:
    api.fail(StatusError(404, "the server could not find the requested resource"), "PATCH", ROUTE)
    assert refused(api).startswith("The cluster does not know HTTPRoute of gateway.networking.k8s.io/v1: install")


# What the user supplies


def file(folder: Path, content: t.Any, name: str = "object.yml") -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump_all([content]))
    return str(path)


def deployment(pool: str = "blue", **metadata: t.Any) -> dict[str, t.Any]:
    labels = {"app": "mcp", "pool": pool}
    pod = {"containers": [{"name": "mcp", "image": "mine:1"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 4, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": f"mcp-{pool}", **metadata}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def test_a_file_replaces_an_object_and_a_release_stays_in_it(api: ApiServer, tmp_path: Path) -> None:
    manifests = {"deployment_blue": file(tmp_path, deployment(labels={"mine": "1"}))}
    result = install(manifests=manifests)
    blue = api.objects[BLUE]
    assert blue["metadata"]["labels"] == {"mine": "1", "app.kubernetes.io/managed-by": "mcp.server"}
    assert result["replicas"] == 4 and state(api)["images"] == ["mine:1", OLD] and len(result["objects"]) == 9
    release(api)
    assert not install(manifests=manifests)["changed"] and state(api)["sizes"] == [0, 3]


def test_a_route_of_your_own_needs_no_gateway(api: ApiServer, tmp_path: Path) -> None:
    backends = [{"name": "mcp-blue", "port": 80, "weight": 100}, {"name": "mcp-green", "port": 80, "weight": 0}]
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "mcp"},
        "spec": {"rules": [{"backendRefs": backends}]},
    }
    options = {"gateway": None, "endpoint": None, "manifests": {"route": file(tmp_path, route)}}
    install(**options)
    release(api)
    assert not install(**options)["changed"] and state(api)["weights"] == [0, 100]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}},
            "must have Deployment mcp-blue and nothing",
        ),
        (deployment("green"), "has Deployment mcp-green"),
        ("", "has nothing"),
        ("a: [", "manifests.deployment_blue is not valid YAML at line 2"),
        ("just text", "has a document that is no Kubernetes object"),
        ({"kind": "Deployment"}, "without a valid apiVersion"),
        ({"kind": "Deployment", "apiVersion": "../v1"}, "without a valid apiVersion"),
        ({"kind": "Deployment", "apiVersion": "v1", "metadata": {"name": "../x"}}, "without a valid metadata.name"),
        (deployment(labels=["a"]), "has Deployment mcp-blue with metadata.labels that are no mapping"),
        (deployment(namespace="other"), "in namespace other: an install writes to namespace prod only"),
        ("a: 2026-11-27", "has a value that is not text"),
        ("a: &a [1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *c]", "is not valid YAML"),
        ("[" * 200, "nested more deeply"),
    ],
)
def test_files_that_replace_nothing_are_refused(api: ApiServer, tmp_path: Path, content: t.Any, says: str) -> None:
    assert says in refused(api, manifests={"deployment_blue": file(tmp_path, content)})


def test_a_file_that_is_not_there(api: ApiServer, tmp_path: Path) -> None:
    said = refused(api, manifests={"service_blue": str(tmp_path / "none.yml")})
    assert said.startswith("manifests.service_blue: cannot read ") and "No such file" in said
    assert "null byte" in refused(api, manifests={"service_blue": "a\0b"})


@pytest.mark.parametrize("spec", [None, "text", []])
def test_a_file_without_a_spec_is_for_the_api_server_to_refuse(api: ApiServer, tmp_path: Path, spec: t.Any) -> None:
    install()
    api.fail(StatusError(422, "spec: Required value"), "PATCH", BLUE)
    assert "Required value" in refused(
        api, manifests={"deployment_blue": file(tmp_path, {**deployment(), "spec": spec})}
    )


def test_a_route_of_another_server_is_not_taken_from_it(api: ApiServer, tmp_path: Path) -> None:
    install()
    assert "there already is HTTPRoute mcp, and mcp_install" in refused(api, server="other", route="mcp")
    assert install(server="other", route="mcp", force=True)["changed"]
    # A label of your own names no server.
    options = {"server": "third", "manifests": {"deployment_blue": ""}}
    for label in ("mine", "mine-too"):
        mine = deployment(name="third-blue", labels={"app": label})
        options["manifests"]["deployment_blue"] = file(tmp_path, mine)
        assert install(**options)["changed"] and not install(**options)["changed"]


def test_a_stateful_set_is_not_made(api: ApiServer) -> None:
    said = refused(api, green={"stateful_set": "mcp-green"})
    assert "is StatefulSet" in said and "an install makes only Deployments" in said
    assert not api.writes()


def test_a_deployment_of_another_server_is_refused(api: ApiServer, kustomize: t.Callable[..., str]) -> None:
    install(server="other")
    of_other = json.loads(json.dumps(deployment()).replace("mcp", "other"))
    assert install(kustomize=kustomize(of_other))["changed"]  # no release has changed it yet
    api.change(f"{APPS}/deployments/other-blue", {"metadata": {"annotations": {"mcp.server/run": "r1"}}})
    for force in (False, True):
        said = refused(api, kustomize=kustomize(of_other), force=force)
        assert said.startswith("Deployment other-blue is of another server")


def test_a_pool_whose_container_has_another_name_is_refused(api: ApiServer) -> None:
    """A second container would take the same port."""
    api.put(BLUE, {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "theirs:1"}]}}}})
    assert "its containers are app: set container" in refused(api, force=True)
    install(force=True, container="app")
    assert state(api)["images"] == ["theirs:1", OLD]


@pytest.fixture
def kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., str]:
    """Return a function that has a kustomize print objects, or do what a script does; it returns the folder."""
    folder, programs = tmp_path / "folder", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def have(*objects: t.Any, script: str = "", name: str = "kustomize") -> str:
        (folder / "output.yml").write_text(yaml.safe_dump_all(objects))
        program = programs / name
        program.write_text(f"#!/bin/sh\n{script or f'echo $1 > {folder}/asked; cat {folder}/output.yml'}\n")
        program.chmod(0o755)
        return str(folder)

    return have


SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": "s3cr3t-value"}}


def test_objects_of_a_kustomize_folder_replace_and_come_first(
    api: ApiServer, kustomize: t.Callable[..., str], no_secrets: set[str]
) -> None:
    folder = kustomize({"kind": "List", "apiVersion": "v1", "items": [deployment("green")]}, SECRET)
    result = install(kustomize=folder)
    assert list(actions(result))[0] == "Secret keys" and len(result["objects"]) == 10
    assert state(api)["images"] == [OLD, "mine:1"] and f"{CORE}/secrets/keys" in api.objects
    assert (Path(folder) / "asked").read_text() == "build\n"
    assert "s3cr3t-value" not in json.dumps(result) and "hidden, changed" in result["diff"][0]["after"]
    assert "s3cr3t-value" in no_secrets  # which takes it out of messages, too
    assert not install(kustomize=folder)["changed"]


def test_what_looks_like_a_secret_in_a_pod_is_in_no_output(api: ApiServer, no_secrets: set[str]) -> None:
    install(env=[{"name": "API_TOKEN", "value": "first-planted"}])
    install(env=[{"name": "API_TOKEN", "value": "second-planted"}], force=True)
    assert {"first-planted", "second-planted"} <= no_secrets


def test_a_secret_of_others_is_not_shown_when_it_is_taken_over(api: ApiServer, kustomize: t.Callable[..., str]) -> None:
    old = base64.b64encode(b"theirs").decode()
    api.put(f"{CORE}/secrets/keys", {"kind": "Secret", "data": {"token": old}})
    result = install(kustomize=kustomize(SECRET), force=True)
    assert old not in json.dumps(result)


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod"}}], "is of the whole cluster"),
        ([{"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "a"}}], "does not know Nothing of v1"),
        ([{"apiVersion": "v1", "kind": "Eviction", "metadata": {"name": "a"}}], "does not know Eviction of v1"),
        ([{"apiVersion": "none.io/v1", "kind": "A", "metadata": {"name": "a"}}], "does not know A of none.io/v1"),
        ([SECRET, SECRET], "has Secret keys twice"),
    ],
)
def test_objects_that_an_install_cant_make(
    api: ApiServer, kustomize: t.Callable[..., str], objects: t.Any, says: str
) -> None:
    assert says in refused(api, kustomize=kustomize(*objects))


def test_a_build_that_fails_is_a_sentence(
    api: ApiServer, kustomize: t.Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kustomize(script="echo 'Error: no resource a.yml' >&2; exit 3")
    assert refused(api, kustomize=folder) == f"kustomize build {folder} failed: Error: no resource a.yml."
    monkeypatch.setattr(mcp_install.supplied, "BUILD", 0.2)
    kustomize(script="sleep 30")
    assert refused(api, kustomize=folder) == f"kustomize build {folder} did not end within 0.2 s."
    assert refused(api, kustomize=f"{folder}/none") == f"kustomize: {folder}/none is not a folder."
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "neither is on the PATH" in refused(api, kustomize=folder)


def test_kubectl_builds_where_there_is_no_kustomize(
    api: ApiServer, kustomize: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kustomize(SECRET, name="kubectl")
    monkeypatch.setattr(
        mcp_install.supplied.shutil, "which", {"kubectl": f"{Path(folder).parent}/programs/kubectl"}.get
    )
    assert install(kustomize=folder)["changed"] and (Path(folder) / "asked").read_text() == "kustomize\n"


# Other kinds of routes


def test_another_kind_of_route_is_the_users(api: ApiServer, kustomize: t.Callable[..., str]) -> None:
    options = {"route_kind": "httpproxy", "gateway": None, "endpoint": None}
    (note,) = install(**options)["notes"]
    assert "The route (httpproxy mcp) is yours to make" in note and ROUTE not in api.objects
    assert "replaces the HTTPRoute, but route_kind is httpproxy" in refused(api, manifests={"route": "any"}, **options)
    services = [
        {"name": f"mcp-{pool}", "port": 8080, "weight": weight} for pool, weight in (("blue", 100), ("green", 0))
    ]
    proxy = {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": "mcp"},
        "spec": {"routes": [{"services": services}]},
    }
    folder = kustomize(proxy)
    assert install(kustomize=folder, **options)["changed"]
    for at, weight in ((0, 0), (1, 100)):
        change = [{"op": "replace", "path": f"/spec/routes/0/services/{at}/weight", "value": weight}]
        api.change(PROXY, change, "json", manager="mcp.server")
    assert not install(kustomize=folder, **options)["changed"]
    assert [one["weight"] for one in api.objects[PROXY]["spec"]["routes"][0]["services"]] == [0, 100]
    # Also where it is written for another version of the API.
    other = "/apis/projectcontour.io/v1alpha1"
    api.put(other, KINDS["/apis/projectcontour.io/v1"])
    api.put(PROXY.replace("/apis/projectcontour.io/v1", other), api.objects[PROXY])
    assert not install(kustomize=kustomize({**proxy, "apiVersion": other.removeprefix("/apis/")}), **options)["changed"]


@pytest.mark.parametrize(
    ("given", "endpoint", "host"),
    [
        (None, {"url": "https://mcp.example.com:8443"}, "mcp.example.com"),
        (None, {"url": "http://127.0.0.1:8080", "host": "mcp.example.com:8443"}, "mcp.example.com"),
        ("other.example.com", {"url": "https://mcp.example.com"}, "other.example.com"),
        (None, {"url": "http://127.0.0.1:8080"}, ""),
        (None, {"url": "http://[::1]:8080"}, ""),
        (None, {"url": "http://[broken"}, ""),
        (None, {}, ""),
    ],
)
def test_the_host_name_of_the_route(given: t.Any, endpoint: dict[str, t.Any], host: str) -> None:
    assert mcp_install.hostname(given, endpoint) == host


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"gateway": None}, "gateway is not set"),
        ({"endpoint": {"url": "http://127.0.0.1"}}, "set endpoint.url, or hostname"),
        ({"image_ref": "no image"}, "no image"),
        ({"metrics_port": 8080}, "port and metrics_port are both 8080"),
        ({"server": "Mcp"}, "not a valid name"),
    ],
)
def test_options_that_are_refused_before_the_cluster_is_asked(
    api: ApiServer, options: dict[str, t.Any], says: str
) -> None:
    assert says in refused(api, **options) and api.log == []


# The documentation


def documented_inventory() -> dict[str, t.Any]:
    page = (ROOT / "docs/playbooks.md").read_text().partition("## Install a server")[2]
    (server,) = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])["mcp"]["hosts"].values()
    return t.cast(dict[str, t.Any], server)


def test_the_documented_server_is_ready_for_a_release(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its releaser, once a gateway has accepted the route."""
    its = documented_inventory()
    options = {name.removeprefix("mcp_install_"): its[name] for name in its if name.startswith("mcp_install_")}
    namespace = {"namespace": its["mcp_namespace"], "server": "mcp-server"}
    install(**namespace, endpoint=its["mcp_endpoint"], image_ref=f"{its['mcp_image']}:v1.1.5", **options)
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/mcp-prod/httproutes/mcp-server"
    route = api.objects[path]
    conditions = [{"type": kind, "status": "True", "observedGeneration": 1} for kind in ("Accepted", "ResolvedRefs")]
    route["status"] = {"parents": [{"parentRef": route["spec"]["parentRefs"][0], "conditions": conditions}]}
    role = "/apis/rbac.authorization.k8s.io/v1/namespaces/mcp-prod/roles/mcp-server-releaser"
    api.role = api.objects[role]["rules"]
    monkeypatch.setattr(mcp_preflight, "connect", lambda _params: api)
    params = ArgumentSpecValidator(mcp_preflight.SPEC.options).validate({**namespace, "scope": ["now"]})
    checks = mcp_preflight.run(Task(params.validated_parameters))["checks"]
    assert {check["id"] for check in checks} >= {"rights", "route", "workload_blue", "service_green"}
    assert [check for check in checks if not check["ok"]] == []
