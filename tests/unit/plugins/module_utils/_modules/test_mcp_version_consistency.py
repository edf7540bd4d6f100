# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_version_consistency against a fake API server and registry, scripted MCP servers and real clones."""

from __future__ import annotations

import json
import subprocess
import typing as t
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._contract import normalise
from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_version_consistency
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import LEGACY, Script, Scripted
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server
from ansible_collections.mcp.server.tests.unit.fakes.records import RECORD, release

from .test_mcp_contract_reads import initialize_as

SHA, OTHER = ("sha256:" + letter * 64 for letter in "ab")
SERVER = {"namespace": "prod", "server": "mcp", "health_path": "/health"}


class Registry:
    """Stands in for the client of a registry, which has tests of its own."""

    url = "https://ghcr.io"

    def __init__(self, digest: str | None = SHA, labels: t.Any = None, failure: str = "") -> None:
        self._digest, self._labels, self._failure = digest, labels, failure

    def digest(self, _image: t.Any) -> str | None:
        if self._failure:
            raise Failure(self._failure)
        return self._digest

    def aliases(self, _image: t.Any) -> set[str]:
        return set()

    def config(self, _image: t.Any) -> dict[str, t.Any]:
        return {"config": {"Labels": self._labels}}


@pytest.fixture
def live() -> t.Iterator[Scripted]:
    def health(handler: t.Any, _message: t.Any) -> None:
        handler.answer(200, json.dumps({"status": "HEALTHY", "version": "1.1.5"}))

    scripts: dict[str, Script] = {**LEGACY, "GET": health, "initialize": initialize_as("2025-06-18")}
    with ExitStack() as stack:
        yield stack.enter_context(Scripted(scripts))


def cluster_of(live: Scripted | None = None, image: str = "x:v1.1.5", image_id: str = SHA) -> ApiServer:
    """Return a cluster whose pool blue has the traffic, and a ready pod."""
    api = ApiServer(mcp_server("prod", "mcp", blue=image, green="x:v1.2.0"))
    if live is not None:
        status = {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "mcp", "ready": True, "imageID": f"x@{image_id}"}],
        }
        labels = {"app": "mcp", "pool": "blue"}
        api.put("/api/v1/namespaces/prod/pods/blue-1", {"metadata": {"labels": labels}, "status": status})
        api.ports["blue-1"] = live.server_port
    return api


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    def call(api: ApiServer, registry: Registry | None = None, **given: t.Any) -> dict[str, t.Any]:
        module = mcp_version_consistency
        for one in (targets, module):
            monkeypatch.setattr(one, "connect", lambda _params: api)
        monkeypatch.setattr(module, "registry_for", lambda _image, _params: registry or Registry())
        validation = ArgumentSpecValidator(module.SPEC.options, **module.SPEC.rules()).validate({**SERVER, **given})
        assert not validation.error_messages
        try:
            return module.run(Task(validation.validated_parameters))
        except Failure as failure:
            return {"msg": failure.msg, **failure.evidence}

    return call


def verdicts(found: dict[str, t.Any]) -> dict[str, str]:
    return {one["id"].removeprefix("version_"): one["verdict"] for one in found["checks"]}


def failed(found: dict[str, t.Any]) -> dict[str, bool]:
    return {one["id"].removeprefix("version_"): one["required"] for one in found["checks"] if not one["ok"]}


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=Tester", "-c", "user.email=tester@mcp.example"]
    return subprocess.run(
        ["git", *author, *words], cwd=folder, capture_output=True, text=True, timeout=30, check=True
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone of mcp"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=first")
    git(folder, "tag", "v1.1.5")
    return folder


def recorded(contract: str = "", **side: str) -> dict[str, t.Any]:
    one = release()
    one["from"], one["to"] = {**one["to"], "pool": "green"}, {**one["to"], "pool": "blue", "image_ref": "x:v1.1.5"}
    one["to"] |= {"digest": SHA, **side}
    if contract:
        one["to"]["contract"] = {"structure_hash": contract}
    return {"data": {"current": json.dumps(one)}}


def test_all_agrees(run: t.Any, live: Scripted, clone: Path) -> None:
    live.scripts["initialize"] = initialize_as("2025-06-18")
    api = cluster_of(live)
    commit = git(clone, "rev-parse", "HEAD")
    labels = {"org.opencontainers.image.version": "1.1.5", "org.opencontainers.image.revision": commit}
    offer = {
        "protocol_versions": ["2025-06-18"],
        "session_mode": "stateful",
        "capabilities": {"tools": {}},
        "tools": [{"name": "forecast", "inputSchema": {"type": "object"}}],
    }
    api.put(RECORD, recorded(normalise.structure_hash(normalise.normalise(offer))))
    found = run(api, Registry(labels=labels), source=str(clone), compare_version=["health"])
    assert verdicts(found) == {"agrees": "passed", "server_info": "skipped"}  # its 1 is no number such as v1.2.0
    for part in ("tag", "git describe", "image.version", "image.revision", "health", "digest", "record", "contract"):
        assert part in found["checks"][0]["message"]
    assert (found["pool"], found["image_ref"]) == ("blue", "x:v1.1.5")
    # No session is left open.
    assert live.requests.count("initialize") == live.requests.count("DELETE")


def test_each_disagreement_is_named(run: t.Any, live: Scripted, clone: Path) -> None:
    git(clone, "commit", "--quiet", "--allow-empty", "--message=second")
    api = cluster_of(live, "x:v1.2.0", OTHER)
    api.put(RECORD, recorded("f" * 64, image_ref="x:v1.1.5"))
    labels = {"org.opencontainers.image.version": "22.4.0", "org.opencontainers.image.revision": "0" * 40}
    found = run(api, Registry(labels=labels), source=str(clone))
    assert failed(found) == {
        "git": True,
        "label": False,
        "health": False,
        "revision": True,
        "digest": True,
        "record": True,
        "contract": True,
    }
    for part in (
        "git describe of mcp_source says v1.1.5-1-g",
        f"Pods run {OTHER}",
        "Pool blue has image x:v1.2.0, but the record has x:v1.1.5",
        "The server offers another contract",
    ):
        assert part in found["msg"]
    assert failed(run(api, compare_version=["health"]))["health"]


def test_what_is_missing_is_skipped_with_a_reason(run: t.Any) -> None:
    found = run(cluster_of(), health_path=None, check_registry=False)
    assert verdicts(found) == {
        "agrees": "passed",
        **dict.fromkeys(
            ("git", "label", "health", "server_info", "revision", "digest", "record", "contract"), "skipped"
        ),
    }
    for one in found["checks"]:
        assert one["message"].endswith(".")


def test_what_cannot_be_read_is_no_agreement(run: t.Any, live: Scripted, tmp_path: Path) -> None:
    def broken(handler: t.Any, _message: t.Any) -> None:
        handler.answer(503, "starting", "text/plain")

    live.scripts |= {"GET": broken, "initialize": broken, "server/discover": broken}
    found = run(cluster_of(live), Registry(failure="The registry is away."), source=str(tmp_path))
    assert failed(found) == dict.fromkeys(("git", "health", "server_info", "digest", "contract"), True)
    assert {one["verdict"] for one in found["checks"] if not one["ok"]} == {"cannot_measure"}
    for part in ("not a git repository", "The registry is away.", "503"):
        assert part in found["msg"]


def test_a_pod_that_does_not_answer_is_not_the_whole_pool(run: t.Any, live: Scripted) -> None:
    api = cluster_of(live)
    status = api.objects["/api/v1/namespaces/prod/pods/blue-1"]["status"]
    labels = {"app": "mcp", "pool": "blue"}
    api.put("/api/v1/namespaces/prod/pods/blue-0", {"metadata": {"labels": labels}, "status": status})
    with Scripted({}) as silent:  # nothing listens there any longer
        api.ports["blue-0"] = silent.server_port
    found = run(api)
    assert "cannot_measure" not in {one["verdict"] for one in found["checks"]}, found["checks"]
    assert "the health document" in found["checks"][0]["message"]


@pytest.mark.parametrize("labels", [None, [], "text", {"org.opencontainers.image.version": 7}])
def test_labels_of_another_form(run: t.Any, live: Scripted, labels: t.Any) -> None:
    assert verdicts(run(cluster_of(live), Registry(labels=labels)))["label"] == "skipped"


def test_labels_of_the_base_image(run: t.Any, live: Scripted) -> None:
    labels = {"org.opencontainers.image.version": "22.04", "org.opencontainers.image.ref.name": "ubuntu"}
    found = run(cluster_of(live), Registry(labels=labels))
    label = next(one for one in found["checks"] if one["id"] == "version_label")
    assert label["verdict"] == "skipped"
    assert "22.04, is that of its base, ubuntu" in label["message"]


def test_an_image_that_is_gone_from_the_registry(run: t.Any, live: Scripted) -> None:
    found = run(cluster_of(live), Registry(digest=None))
    assert failed(found) == {"digest": True}
    assert "The registry has no x:v1.1.5" in found["msg"]


def test_the_other_pool(run: t.Any, live: Scripted) -> None:
    found = run(cluster_of(live), pool="green")
    assert found["pool"] == "green"
    assert "is not live" in next(one["message"] for one in found["checks"] if one["id"] == "version_record")


def test_a_release_that_read_the_contract_as_legacy_clients_do(run: t.Any, live: Scripted) -> None:
    def discover(handler: t.Any, message: t.Any) -> None:
        handler.result(message, {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}, "logging": {}}})

    live.scripts["server/discover"] = discover
    offer = {
        "protocol_versions": ["2025-06-18", "2026-07-28"],
        "session_mode": "stateful",
        "capabilities": {"tools": {}},
        "tools": [{"name": "forecast", "inputSchema": {"type": "object"}}],
    }
    api = cluster_of(live)
    api.put(RECORD, recorded(normalise.structure_hash(normalise.normalise(offer))))
    assert "contract" not in verdicts(run(api))  # it is among what agrees


def test_nothing_of_a_clone_is_run(run: t.Any, live: Scripted, clone: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "pager.describe", "core.sshCommand", "core.editor"):
        git(clone, "config", name, str(script))
    git(clone, "config", "core.hooksPath", str(tmp_path))
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (tmp_path / hook).hardlink_to(script)
    before = sorted(str(one) for one in clone.rglob("*"))
    assert "git" not in verdicts(run(cluster_of(live), source=str(clone)))
    assert not mark.exists()
    assert sorted(str(one) for one in clone.rglob("*")) == before


def test_a_folder_below_a_clone_is_none(run: t.Any, live: Scripted, clone: Path) -> None:
    (clone / "below").mkdir()
    found = run(cluster_of(live), source=str(clone / "below"))
    assert failed(found) == {"git": True}
