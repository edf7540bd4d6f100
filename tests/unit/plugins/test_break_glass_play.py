# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""break_glass.yml as a user starts it, against a fake API server: text for everything, tags, the end of its output."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import ANNOTATION
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

ROOT = Path(__file__).parents[3]
ROUTE, SERVICE, DEPLOYMENT = "HTTPRoute", "Service", "Deployment"
KINDS = {"httproutes": ROUTE, "services": SERVICE, "deployments": DEPLOYMENT}
TEXT = {"mcp_reason": "INC-42: nothing answers, 100 %", "mcp_restore": "false", "mcp_break_glass_pool": "green"}
Play = t.Callable[..., tuple[int, str]]


@pytest.fixture
def api() -> ApiServer:
    found = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2"))
    for path, obj in found.objects.items():
        if "/deployments/" in path:
            obj["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {"tcpSocket": {"port": 1}}
    return found


@pytest.fixture
def play(api: ApiServer, tmp_path: Path) -> t.Iterator[Play]:
    with serving(api) as url:
        server = {"mcp_namespace": "prod", "mcp_api_host": url, "mcp_api_key": "s3cret-token"}
        server["mcp_escalation"] = [
            {"kind": "customer", "name": "Eva"},
            {"name": ""},
            {"kind": "business", "name": "Bo"},
        ]
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(json.dumps({"servers": {"hosts": {"mcp": server}}}))
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_", "KUBE"))}
        clean |= {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"), "ANSIBLE_NOCOLOR": "1"}

        def start(*words: str, **extra: str) -> tuple[int, str]:
            command = ["ansible-playbook", "mcp.server.break_glass", "-i", str(inventory), *words]
            if extra:
                command += ["-e", json.dumps(extra)]
            done = subprocess.run(
                command, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=60, check=False
            )
            assert "s3cret-token" not in done.stdout + done.stderr
            return done.returncode, done.stdout + done.stderr

        yield start


def changed(api: ApiServer) -> set[str]:
    """Return the kinds of the objects with a note."""
    return {
        KINDS[path.split("/")[-2]]
        for path, obj in api.objects.items()
        if ANNOTATION in (obj.get("metadata", {}).get("annotations") or {})
    }


def test_text_for_everything_is_taken_and_the_end_says_what_is_next(api: ApiServer, play: Play) -> None:
    code, said = play(mcp_replicas="3", **TEXT)
    assert code == 0, said
    assert changed(api) == {ROUTE, SERVICE, DEPLOYMENT}
    (note,) = [one["metadata"]["annotations"][ANNOTATION] for path, one in api.objects.items() if "httproutes" in path]
    assert json.loads(note)["reason"] == TEXT["mcp_reason"]
    end = said.partition("whom to call")[2]
    places = [end.index(part) for part in ("DID    HTTPRoute prod/mcp", "-l mcp -e mcp_restore=true", "1. Customer")]
    assert places == sorted(places)
    assert "Bo" not in end
    code, said = play(mcp_restore="true")
    assert code == 0, said
    assert changed(api) == set()
    assert api.get("/apis/apps/v1/namespaces/prod/deployments/mcp-green")["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("--tags", "traffic"), {ROUTE}),
        (("--tags", "readiness"), {SERVICE}),
        (("--tags", "scale"), {DEPLOYMENT}),
        (("--tags", "probes"), {DEPLOYMENT}),
        (("--skip-tags", "traffic,scale"), {SERVICE}),
        (("--tags", "all,probes"), {ROUTE, SERVICE, DEPLOYMENT}),
    ],
)
def test_each_action_is_a_tag(api: ApiServer, play: Play, words: tuple[str, ...], kinds: set[str]) -> None:
    code, said = play(*words, mcp_replicas="3", **TEXT)
    assert code == 0, said
    assert changed(api) == kinds
    container = api.get("/apis/apps/v1/namespaces/prod/deployments/mcp-green")["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert ("livenessProbe" in container) is ("probes" not in words[1])


def test_what_fails_is_said_at_the_end_and_the_rest_is_done(api: ApiServer, play: Play) -> None:
    api.refused.add("patch httproutes")
    code, said = play(mcp_replicas="3", **TEXT)
    assert code != 0
    assert changed(api) == {SERVICE, DEPLOYMENT}
    assert "FAILED Traffic: HTTPRoute prod/mcp was not changed: The API server refuses" in said


def test_a_reason_that_ansible_splits_at_its_spaces_is_noted_whole(api: ApiServer, play: Play) -> None:
    code, said = play(
        "-e", "mcp_reason=INC-42, nothing answers", "-e", "mcp_break_glass_pool=green", "--tags", "traffic"
    )
    assert code == 0, said
    assert any(
        json.loads(note)["reason"] == "INC-42, nothing answers"
        for one in api.objects.values()
        if (note := (one.get("metadata", {}).get("annotations") or {}).get(ANNOTATION))
    )


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({}, "takes a reason, which stands on each changed object"),
        ({**TEXT, "mcp_restore": "ture"}, "mcp_restore must be true or false, not 'ture'."),
        ({**TEXT, "mcp_break_glass_pool": "purple"}, "mcp_break_glass_pool must be one of blue, green, not 'purple'."),
        ({**TEXT, "mcp_replicas": "0"}, "replicas (mcp_replicas) is 0: it must be 1 or more."),
        ({**TEXT, "mcp_replicas": "some"}, "mcp_replicas must be a whole number, not 'some'."),
    ],
)
def test_what_is_wrong_changes_nothing_and_is_one_sentence(
    api: ApiServer, play: Play, extra: dict[str, str], says: str
) -> None:
    code, said = play(**extra)
    assert code != 0
    assert says in " ".join(said.split())
    assert "Nothing was changed" in said or "Task failed" in said
    assert not api.writes()
