# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every kind of route."""

from __future__ import annotations

import contextlib
import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.doc_fragments.server import ModuleDocFragment
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import Right
from ansible_collections.mcp.server.plugins.module_utils._release.pools import Stable, note, split
from ansible_collections.mcp.server.plugins.module_utils._server import ROUTE_KINDS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import kinds
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import RUN, STABLE, Stamp, unchanged
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.tests.unit.fakes.routes import CUSTOM, Cluster, objects, server

ROOT = Path(__file__).parents[6]
DOCUMENTED = (ROOT / "docs" / "routes.md").read_text()
BLUE, GREEN, HALF = split("blue", 100), split("green", 100), split("blue", 50)


def given(kind):
    return server(kind, route_custom=CUSTOM if kind == "custom" else None)


def write(cluster, server, wanted, stamp=None, dry_run=False):
    kind = kind_of(server)
    return kind.write(cluster, server, kind.read(cluster, server), wanted, stamp, dry_run=dry_run)


def weights(cluster, server):
    return kind_of(server).weights(kind_of(server).read(cluster, server), server)


def test_the_option_offers_every_kind():
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["route_kind"]["choices"]
    assert list(ROUTE_KINDS) == documented


def test_every_kind_is_in_the_table():
    routes = Path(kinds.__file__).parent
    assert {path.stem for path in routes.glob("*.py")} - {"__init__", "kind", "kinds"} == set(ROUTE_KINDS)
    for kind in ROUTE_KINDS:
        assert type(kind_of(server(kind))).__module__.rpartition(".")[2] == kind


def test_an_unknown_kind_is_refused():
    with pytest.raises(Failure, match="route_kind is 'nginx': it must be one of httproute, service, "):
        kind_of(server("nginx"))


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_every_kind_is_documented(kind):
    assert f"\n| `{kind}`" in DOCUMENTED


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_a_tool_that_holds_it_is_seen(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    route = kind_of(its).read(cluster, its)
    assert gitops.find(cluster, its) == []
    metadata = kind_of(its).written(route)["metadata"]
    (path,) = [path for path, obj in cluster.objects.items() if obj.get("metadata") == metadata]
    cluster.change(path, {"metadata": {"labels": {"argocd.argoproj.io/instance": "shop"}}})
    assert {claim.field.choice for claim in gitops.find(cluster, its)} == {"route"}


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_there_and_back_again(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    assert weights(cluster, its) == BLUE
    for wanted in (HALF, GREEN, HALF, BLUE):
        changed, route = write(cluster, its, wanted)
        assert changed and weights(cluster, its) == kind_of(its).weights(route, its) == wanted
        cluster.log.clear()
        assert not write(cluster, its, wanted)[0] and cluster.writes() == []


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_a_dry_run_changes_nothing(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    assert write(cluster, its, HALF, dry_run=True)[0] and cluster.writes() == [] and weights(cluster, its) == BLUE


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_what_is_not_a_weight_is_not_touched(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    before = copy.deepcopy(cluster.objects)
    write(cluster, its, HALF)
    write(cluster, its, GREEN)
    for path in objects(kind):
        now = cluster.objects[path]
        versions = {
            key: value for key, value in before[path]["metadata"].items() if key in ("resourceVersion", "generation")
        }
        left = {**now, "metadata": {**now["metadata"], **versions}}
        left["metadata"].pop("managedFields", None)  # which the API server keeps, like the versions
        assert differences(before[path], left) <= {
            "weight",
            "nginx.ingress.kubernetes.io/canary-weight",
            "pool",
            "mcp.server/serving",
        }


def differences(one, two):
    """The names of the fields in which they differ."""
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return set().union(*(differences(*pair) for pair in zip(one, two, strict=True)))
    if isinstance(one, dict) and isinstance(two, dict):
        return set().union(
            *(
                differences(one[key], two[key])
                if key in one and key in two and isinstance(one[key], (dict, list))
                else {key}
                for key in {*one, *two}
                if one.get(key) != two.get(key)
            )
        )
    return set() if one == two else {f"{one} {two}"}


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_a_change_by_somebody_else_is_a_conflict(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    route = kind_of(its).read(cluster, its)
    write(cluster, its, HALF)
    before = copy.deepcopy(cluster.objects)
    with pytest.raises(Conflict):
        kind_of(its).write(cluster, its, route, GREEN, dry_run=False)
    assert cluster.objects == before


@pytest.mark.parametrize(
    "kind, rules",
    [
        ("httproute", [("gateway.networking.k8s.io", "httproutes", ("get", "patch"), ("mcp",))]),
        ("custom", [("example.io", "splits", ("get", "patch"), ("mcp",))]),
    ],
)
def test_what_the_role_must_grant(kind, rules):
    """Of those that docs/routes.md does not spell out; of the others, the page is the table
    (test_the_documentation_has_the_rules).
    """
    its = given(kind)
    assert list(kind_of(its).rules(its)) == rules


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_what_the_role_grants_is_enough(kind):
    """And what the server's own Role grants beside it, for every kind."""
    cluster, its = Cluster(objects(kind)), given(kind)
    lists = [("", "pods"), ("discovery.k8s.io", "endpointslices")]
    cluster.role = [
        Right(rule.group, rule.resource, rule.verbs, "", rule.names).rule() for rule in kind_of(its).rules(its)
    ]
    cluster.role += [Right(group, resource, ("list",), "").rule() for group, resource in lists]
    cluster.role.append(Right("", "services", ("get",), "", ("mcp-blue", "mcp-green")).rule())
    write(cluster, its, HALF, STAMP)
    assert weights(cluster, its) == HALF
    # One that is narrowed to other objects does not do
    cluster.role = [
        {**rule, **({"resourceNames": ["other"]} if "resourceNames" in rule else {})} for rule in cluster.role
    ]
    with pytest.raises(Forbidden):
        write(cluster, its, GREEN, STAMP)


@pytest.mark.parametrize("kind", [kind for kind in ROUTE_KINDS if kind not in ("httproute", "custom")])
def test_the_documentation_has_the_rules(kind):
    its = given(kind)
    row = next(line for line in DOCUMENTED.splitlines() if line.startswith(f"| `{kind}` | `{{"))
    shown = [yaml.safe_load(rule.replace("ROUTE", its.route)) for rule in re.findall(r"`({[^`]*})`", row)]
    assert shown == [
        Right(rule.group, rule.resource, rule.verbs, "", rule.names).rule() for rule in kind_of(its).rules(its)
    ]


def test_the_sandbox_grants_what_each_kind_asks_for_and_no_more():
    manifests = yaml.safe_load_all((ROOT / "sandbox/manifests/routes/routes.yaml").read_text())
    (granted,) = [
        one["rules"] for one in manifests if one["metadata"]["name"] == "mcp-releaser-routes" and one["kind"] == "Role"
    ]
    wanted = []
    for kind in ROUTE_KINDS:
        if kind in ("httproute", "custom"):  # the first is in the server's Role, the other an object of another kind
            continue
        its = replace(given(kind), route="mcp-server-public" if kind == "service" else "mcp-server")
        wanted += [
            Right(rule.group, rule.resource, rule.verbs, "", rule.names).rule() for rule in kind_of(its).rules(its)
        ]
    assert sorted(map(str, granted)) == sorted(map(str, wanted))


STAMP = Stamp(note(Stable("blue"), HALF), "run")


@pytest.mark.parametrize("kind", ROUTE_KINDS)
@pytest.mark.parametrize("annotations", [None, {"theirs": "x"}])
def test_the_stamp_goes_with_the_weights(kind, annotations):
    """In one request, and nothing else of the object's annotations is touched."""
    cluster, its = Cluster(objects(kind)), given(kind)
    for path in objects(kind):
        cluster.change(path, {"metadata": {"annotations": annotations or {}}})
    before = copy.deepcopy(cluster.objects)
    changed, route = write(cluster, its, HALF, STAMP)
    assert changed and (kind_of(its).run(route), kind_of(its).stable(route, its)) == ("run", Stable("blue"))
    *others, path = [request.path for request in cluster.writes()]
    assert path not in others
    left = {
        key: value
        for key, value in cluster.objects[path]["metadata"]["annotations"].items()
        if key not in (RUN, STABLE)
    }
    was = before[path]["metadata"].get("annotations") or {}
    assert {key: value for key, value in left.items() if "weight" not in key} == {
        key: value for key, value in was.items() if "weight" not in key
    }
    # Moved by a person since: what is noted does not count
    write(cluster, its, GREEN)
    assert kind_of(its).stable(kind_of(its).read(cluster, its), its) is None
    write(cluster, its, HALF, Stamp(None, "next"))
    route = kind_of(its).read(cluster, its)
    assert STABLE not in kind_of(its).written(route)["metadata"]["annotations"] and kind_of(its).run(route) == "next"


@pytest.mark.parametrize("kind", ROUTE_KINDS)
@pytest.mark.parametrize("alone", [True, False])
def test_a_stamp_without_a_change_of_weights(kind, alone):
    """An emergency writes it, once; whose run it is makes no difference."""
    cluster, its = Cluster(objects(kind)), given(kind)
    stamp = Stamp(note(Stable("blue"), BLUE), "run", alone)
    assert write(cluster, its, BLUE, stamp, dry_run=True)[0] is alone and cluster.writes() == []
    assert write(cluster, its, BLUE, stamp)[0] is alone and len(cluster.writes()) == alone
    assert not write(cluster, its, BLUE, stamp._replace(run="another"))[0] and weights(cluster, its) == BLUE
    assert kind_of(its).stable(kind_of(its).read(cluster, its), its) == (Stable("blue") if alone else None)


@pytest.mark.parametrize("kind", [kind for kind in ROUTE_KINDS if kind != "service"])
def test_a_write_of_the_status_is_no_conflict(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    for number, stamp in enumerate((STAMP, STAMP, None)):
        route = kind_of(its).read(cluster, its)
        for path in objects(kind):
            cluster.change(f"{path}/status", {"status": {"number": number}})
        assert kind_of(its).write(cluster, its, route, HALF if stamp else GREEN, stamp, dry_run=False)


@pytest.mark.parametrize("kind", ROUTE_KINDS)
@pytest.mark.parametrize("before", [{}, {RUN: "run"}])
def test_the_stamp_of_another_run_is_a_conflict(kind, before):
    """Also when that run changed nothing else."""
    cluster, its = Cluster(objects(kind)), given(kind)
    for path in objects(kind):
        cluster.change(path, {"metadata": {"annotations": before}})
    route = kind_of(its).read(cluster, its)
    for path in objects(kind):
        cluster.change(path, {"metadata": {"annotations": {RUN: "another"}}})
    with pytest.raises(Conflict):
        kind_of(its).write(cluster, its, route, GREEN, STAMP, dry_run=False)


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_annotations_that_somebody_adds_meanwhile_are_kept(kind):
    cluster, its = Cluster(objects(kind)), given(kind)
    route = kind_of(its).read(cluster, its)
    for path in objects(kind):
        cluster.change(path, {"metadata": {"annotations": {"theirs": "x"}}})
    with contextlib.suppress(Conflict):  # where there were some before, there is none
        kind_of(its).write(cluster, its, route, GREEN, STAMP, dry_run=False)
    assert all(cluster.objects[path]["metadata"]["annotations"]["theirs"] == "x" for path in objects(kind))


@pytest.mark.parametrize(
    "metadata, changes, expected",
    [
        ({"resourceVersion": "7"}, ["/spec/a"], {"/metadata/resourceVersion": "7"}),
        (
            {"generation": 3},
            ["/spec/a", "/spec/b"],
            {"/metadata/generation": 3, "/spec/a": 1, "/spec/b": None, "/metadata/annotations": None},
        ),
        (
            {"generation": 3, "annotations": {}},
            [],
            {"/metadata/generation": 3, "/metadata/annotations/mcp.server~1run": None},
        ),
        (
            {"generation": 3, "annotations": {RUN: "x"}},
            [],
            {"/metadata/generation": 3, "/metadata/annotations/mcp.server~1run": "x"},
        ),
        # The API server's JSON has it as \u003c, ours has not: they would never be equal
        ({"generation": 3, "annotations": {RUN: "<x>"}}, [], {"/metadata/generation": 3}),
    ],
)
def test_what_must_be_as_it_was(metadata, changes, expected):
    operations = unchanged(
        {"metadata": metadata, "spec": {"a": 1}}, [{"op": "add", "path": path, "value": 5} for path in changes]
    )
    assert {operation["path"]: operation["value"] for operation in operations} == expected
