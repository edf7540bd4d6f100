# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What mcp_stage applies and refuses on a cluster of plain dicts. Rollouts are in the target of the same name."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._install.apply import Installer
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_stage
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import State
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, StatusError

IMAGE = "r.io/mcp:v1.2.0@sha256:" + 64 * "a"
APPS, CORE = "/apis/apps/v1/namespaces/stage", "/api/v1/namespaces/stage"
DEPLOYMENT, SERVICE = f"{APPS}/deployments/mcp", f"{CORE}/services/mcp"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/stage/leases/mcp-release"
SECRET = "planted-in-the-manifests-Wq7"
RELEASE = {
    "id": "r1",
    "reason": "",
    "outcome": "completed",
    "steps": [],
    "from": {"pool": "blue", "image_ref": "r.io/mcp:v1"},
    "to": {"pool": "green", "image_ref": "r.io/mcp:v2"},
}
KINDS = {
    "/api/v1": {
        "resources": [
            {"name": "secrets", "kind": "Secret", "namespaced": True},
            {"name": "namespaces", "kind": "Namespace", "namespaced": False},
        ]
    },
    "/apis/example.com/v1": {"resources": []},
}


def deployment(name: str = "mcp", **more: t.Any) -> dict[str, t.Any]:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": "r.io/mcp:none"}]}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **more}, "spec": spec}


MANIFESTS: dict[str, t.Any] = {
    "a-deployment.yaml": deployment(),
    "b-secret.yml": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": SECRET}},
    "c-service.json": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mcp"},
        "spec": {"selector": {"app": "mcp"}, "ports": [{"port": 8080}]},
    },
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    one = ApiServer({CORE: {}, **KINDS})
    monkeypatch.setattr(mcp_stage.connection, "connect", lambda _params: one)
    monkeypatch.setattr(mcp_stage, "wait", lambda *_args: State(1, 1, done=True))
    return one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, manifest in MANIFESTS.items():
        (tmp_path / name).write_text(yaml.safe_dump(manifest))
    (tmp_path / "README.md").write_text("no manifest")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "other.yaml").write_text("no: manifest")
    return tmp_path


def stage(*, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"namespace": "stage", "server": "mcp", "image_ref": IMAGE, **options}
    spec = mcp_stage.SPEC
    validated = ArgumentSpecValidator(spec.options, **spec.rules()).validate(given)
    assert not validated.error_messages, validated.error_messages
    return mcp_stage.run(Task(validated.validated_parameters, check_mode=check, warn=pytest.fail))


def failed(**options: t.Any) -> tuple[list[str], str, dict[str, t.Any]]:
    """Return the verdicts of a run that fails, its message and its evidence."""
    with pytest.raises(Failure) as failure:
        stage(**options)
    evidence = failure.value.evidence
    return [one["verdict"] for one in evidence["checks"]], failure.value.msg, evidence


def image(api: ApiServer) -> str:
    return api.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["image"]


def test_a_folder_is_applied_with_the_image_and_a_second_run_writes_nothing(api: ApiServer, folder: Path) -> None:
    first = stage(folder=str(folder))
    assert [one["verdict"] for one in first["checks"]] == ["passed", "passed"] and first["changed"]
    assert image(api) == IMAGE and first["service"] == "mcp"
    # What the pods need comes before them.
    assert [one["kind"] for one in first["objects"]] == ["Secret", "Service", "Deployment"]
    assert SECRET not in json.dumps(first) and len(first["diff"]) == 3
    # The user's objects stay the user's.
    assert "labels" not in api.objects[DEPLOYMENT]["metadata"]
    assert not api.objects[LEASE]["spec"].get("holderIdentity")
    before = json.dumps(api.objects, sort_keys=True)
    api.log.clear()
    again = stage(folder=str(folder))
    assert not again["changed"] and again["diff"] == [] and api.writes() == []
    assert json.dumps(api.objects, sort_keys=True) == before


def test_check_mode_stores_nothing(api: ApiServer, folder: Path) -> None:
    would = stage(folder=str(folder), check=True)
    assert would["changed"] and len(would["diff"]) == 3
    assert [one["verdict"] for one in would["checks"]] == ["passed", "skipped"]
    assert DEPLOYMENT not in api.objects and LEASE not in api.objects


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (deployment("x", namespace="other"), "in namespace other: staging writes to namespace stage only"),
        ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}, "of the whole cluster, and staging"),
        ({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}}, "does not know Thing"),
        ({"apiVersion": "v1", "metadata": {"name": "x"}}, "has no kind"),
        (deployment(), "Deployment mcp twice"),
        ("a: [", "not valid YAML"),
    ],
)
def test_an_object_that_cannot_be_applied_is_named_and_nothing_is_written(
    api: ApiServer, folder: Path, more: t.Any, words: str
) -> None:
    (folder / "more.yaml").write_text(more if isinstance(more, str) else yaml.safe_dump(more))
    verdicts, message, evidence = failed(folder=str(folder))
    assert verdicts == ["failed", "skipped"] and words in message and not evidence["changed"]
    assert api.writes() == [] and SECRET not in message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workload": "another"}, "has no Deployment another, but Deployment mcp: name the server's workload"),
        ({"workload": {"stateful_set": "mcp"}}, "has no StatefulSet mcp, but Deployment mcp"),
        ({"container": "other"}, "has the containers main and no other"),
    ],
)
def test_the_workload_is_named_where_it_is_another(
    api: ApiServer, folder: Path, options: dict[str, t.Any], words: str
) -> None:
    verdicts, message, _evidence = failed(folder=str(folder), **options)
    assert verdicts == ["failed", "skipped"] and words in message and api.writes() == []


def test_folders_without_manifests_are_refused(api: ApiServer, tmp_path: Path) -> None:
    assert "has no manifest" in failed(folder=str(tmp_path))[1]
    assert "cannot be read (No such file" in failed(folder=str(tmp_path / "none"))[1]
    (tmp_path / "kustomization.yml").write_text("resources: []")
    assert "name it as kustomize" in failed(folder=str(tmp_path))[1]
    assert api.writes() == []


def test_what_releases_change_is_left_alone(api: ApiServer, folder: Path) -> None:
    pool = deployment("mcp-blue")
    (folder / "pool.yaml").write_text(yaml.safe_dump(pool))
    pool = {**pool, "metadata": {"name": "mcp-blue", "namespace": "stage", "annotations": {"mcp.server/run": "r"}}}
    api.objects[f"{APPS}/deployments/mcp-blue"] = {**pool, "metadata": {**pool["metadata"], "resourceVersion": "1"}}
    assert "of a server with pools, whose releases change it" in failed(folder=str(folder))[1]
    assert api.writes() == []


RECORD = f"{CORE}/configmaps/mcp-release"


@pytest.mark.parametrize("source", ["folder", "helm_release", ""])
@pytest.mark.parametrize(
    ("options", "document", "words"),
    [
        ({"blue": "mcp"}, None, "Deployment stage/mcp is pool blue of stage/mcp"),
        ({"workload": "mcp-green"}, None, "Deployment stage/mcp-green is pool green of stage/mcp"),
        ({}, RELEASE, "as its record says (ConfigMap mcp-release)"),
    ],
)
def test_a_server_with_pools_is_refused(
    api: ApiServer, folder: Path, source: str, options: dict[str, t.Any], document: t.Any, words: str
) -> None:
    if document:
        data = {"current": json.dumps(document)}
        api.objects[RECORD] = {"metadata": {"name": "mcp-release", "resourceVersion": "1"}, "data": data}
    api.objects[DEPLOYMENT] = deployment(namespace="stage", resourceVersion="1", generation=1)
    verdicts, message, _evidence = failed(**options, **({source: str(folder)} if source else {}))
    assert verdicts == ["failed", "skipped"] and words in message and "release it by bluegreen.yml" in message
    assert api.writes() == [] and image(api) == "r.io/mcp:none"


@pytest.mark.parametrize("is_meanwhile", [False, True])
def test_two_servers_with_one_folder_do_not_set_each_other_back(
    api: ApiServer, folder: Path, monkeypatch: pytest.MonkeyPatch, is_meanwhile: bool
) -> None:
    (folder / "other.yaml").write_text(yaml.safe_dump(deployment("other")))
    theirs = {"folder": str(folder), "server": "other", "image_ref": "r.io/mcp:v2"}
    if is_meanwhile:  # after this one has looked
        look = Installer.look

        def looked(self: Installer, objects: t.Any) -> t.Any:
            found = look(self, objects)
            if self.server.name == "mcp":
                staged_at = {"annotations": {"mcp.server/staged": "other"}}
                api.objects[f"{APPS}/deployments/other"] = deployment("other", resourceVersion="1", **staged_at)
            return found

        monkeypatch.setattr(Installer, "look", looked)
    else:
        (folder / "a-deployment.yaml").rename(folder / "kept")
        assert stage(**theirs)["changed"]
        (folder / "kept").rename(folder / "a-deployment.yaml")
    before = json.dumps(api.objects.get(f"{APPS}/deployments/other"))
    message = failed(folder=str(folder))[1]
    assert "Deployment other is the workload of server other" in message and "a folder of its own" in message
    assert is_meanwhile or json.dumps(api.objects[f"{APPS}/deployments/other"]) == before


def test_fields_of_others_are_refused_and_taken_by_force(api: ApiServer, folder: Path) -> None:
    stage(folder=str(folder))
    theirs = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "r.io/mcp:theirs"}]}}}}
    api.change(DEPLOYMENT, theirs, "strategic", manager="kubectl-set")
    verdicts, message, _evidence = failed(folder=str(folder))
    assert verdicts == ["failed", "skipped"] and "kubectl-set" in message and "mcp_staging_force=true" in message
    assert image(api) == "r.io/mcp:theirs"
    assert stage(folder=str(folder), force=True)["changed"] and image(api) == IMAGE


def test_a_failure_in_the_middle_tells_what_was_applied(api: ApiServer, folder: Path) -> None:
    error = StatusError(422, "spec is immutable")
    api.call(_raiser(error), "PATCH", "/deployments/mcp", times=2)
    verdicts, message, evidence = failed(folder=str(folder))
    assert verdicts == ["failed", "skipped"] and "immutable" in message
    assert evidence["changed"] and [one["kind"] for one in evidence["objects"]] == ["Secret", "Service"]
    assert not api.objects[LEASE]["spec"].get("holderIdentity")
    assert stage(folder=str(folder))["changed"] and image(api) == IMAGE


def _raiser(error: Exception) -> t.Callable[[], None]:
    """Return what raises at its second call: the first patch is the dry run."""
    calls: list[int] = []

    def act() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise error

    return act


def test_without_manifests_the_workload_gets_the_image(api: ApiServer) -> None:
    assert "mcp_staging_source" in failed()[1]
    made = deployment(namespace="stage", resourceVersion="1", generation=1)
    api.objects[DEPLOYMENT] = made
    assert stage(check=True)["changed"] and image(api) == "r.io/mcp:none"
    assert stage()["changed"] and image(api) == IMAGE
    assert not stage()["changed"]


@pytest.mark.parametrize(
    ("image_ref", "words"),
    [(IMAGE, ""), ("r.io/mcp:v1.2.0", ""), ("r.io/mcp:v1.1.5", "expected"), ("", "made no Deployment")],
)
def test_the_image_of_a_helm_release_is_looked_at(api: ApiServer, image_ref: str, words: str) -> None:
    if image_ref:
        made = deployment(namespace="stage")
        made["spec"]["template"]["spec"]["containers"][0]["image"] = image_ref
        api.objects[DEPLOYMENT] = made
    if words:
        assert words in failed(helm_release="mine")[1]
    else:
        assert stage(helm_release="mine")["checks"][0]["ok"]
    assert api.writes() == []


def test_a_rollout_that_fails_is_a_row(api: ApiServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: t.Any) -> State:
        raise Failure("Deployment stage/mcp will not become ready: no image.")

    monkeypatch.setattr(mcp_stage, "wait", fail)
    verdicts, message, evidence = failed(folder=str(folder))
    assert verdicts == ["passed", "failed"] and "ended after 0 s of 300 s" in message and evidence["changed"]


def test_another_version_that_comes_meanwhile_is_not_taken_for_this_one(
    api: ApiServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_args: t.Any) -> State:
        theirs = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "r.io/mcp:v9"}]}}}}
        api.change(DEPLOYMENT, theirs, "strategic", manager="mcp.server")
        return State(1, 1, done=True)

    monkeypatch.setattr(mcp_stage, "wait", changed)
    verdicts, message, _evidence = failed(folder=str(folder))
    assert verdicts == ["passed", "failed"] and "has got r.io/mcp:v9 in place of r.io/mcp:v1.2.0" in message


def test_an_api_server_that_is_away_is_a_row(api: ApiServer, folder: Path) -> None:
    api.fail(Unreachable("The API server does not answer."), times=1000)
    verdicts, message, _evidence = failed(folder=str(folder))
    assert verdicts == ["failed", "skipped"] and "does not answer" in message
