# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import image, needs
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.idle import Idle
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Skipped, Warns
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

DIGEST = "sha256:" + "a" * 64
SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")


def node(name: str, architecture: str) -> dict[str, t.Any]:
    info = {"operatingSystem": "linux", "architecture": architecture}
    return {"metadata": {"name": name}, "status": {"nodeInfo": info}}


AMD, ARM = node("amd", "amd64"), node("arm", "arm64")
AFFINITY = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}


@pytest.mark.parametrize(
    ("platforms", "able", "spec", "words", "fits"),
    [
        (["linux/amd64"], [AMD], {}, "is for linux/amd64, as the nodes are.", True),
        (["linux/amd64", "linux/arm64"], [AMD, ARM], {}, "is for linux/amd64 and linux/arm64, as", True),
        (["linux/amd64"], [AMD, ARM], {}, "could be placed on arm (linux/arm64), where it does not start", False),
        (["linux/amd64"], [AMD, ARM], AFFINITY, "which the nodeAffinity of its pods has to leave out", True),
        (["linux/amd64"], [ARM], AFFINITY, "could be placed on arm", False),
        ([], [ARM], {}, "names no platform", True),
        (["linux/amd64"], [], {}, "no node takes its pods now", True),
        (["linux/amd64"], [{"metadata": {"labels": {"kubernetes.io/arch": "amd64"}}}], {}, "as the nodes are", True),
        (["windows/amd64"], [AMD], {}, "could be placed on amd (linux/amd64)", False),
    ],
)
def test_the_platform(
    platforms: list[str], able: list[dict[str, t.Any]], spec: dict[str, t.Any], words: str, fits: bool
) -> None:
    found, judged = image.judge(platforms, able, spec)
    assert words in found
    assert judged is fits


def context(monkeypatch: pytest.MonkeyPatch, **params: t.Any) -> Context:
    class Registry:
        url = "https://r.io"

        def digest(self, _image: t.Any) -> str | None:
            return params.get("digest", DIGEST)

    monkeypatch.setattr(image, "registry_for", lambda _image, _params: Registry())
    return Context(ApiServer({}), SERVER, {"image": "r.io/mcp", "version": "v1.2.0", **params})


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_that_accepts_the_image_is_given_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    argv = python("import os; print('signed:', os.environ['MCP_IMAGE_REF'], os.environ['MCP_VERSION'])")
    said = image.command(context(monkeypatch, image_check_command=argv))
    assert said == f"The command accepts r.io/mcp@{DIGEST}: signed: r.io/mcp@{DIGEST} v1.2.0"
    assert "MCP_IMAGE_REF" not in os.environ


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "print('no matching signatures'); raise SystemExit(3)",
            "ended with exit code 3; its output ends with: no match",
        ),
        ("import time; time.sleep(60)", "did not end within 0.3 s (timeout)"),
        ("import sys; print('Authorization: Bearer planted-4c1e6f0b9d.token'); sys.exit(1)", "ended with exit code 1"),
    ],
)
def test_a_command_that_refuses_the_image(monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
    with pytest.raises(Failure) as failure:
        image.command(
            context(monkeypatch, image_check_command=python(code), image_check_timeout=0.3 if "time" in code else 20)
        )
    assert words in failure.value.msg
    assert "planted" not in failure.value.msg


def test_a_command_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="could not be started"):
        image.command(context(monkeypatch, image_check_command=["/no/such/cosign"]))


def test_an_image_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = context(monkeypatch, digest=None, image_check_command=["true"])
    for check in (image.registry, image.command):
        with pytest.raises(Failure, match="is not in the registry https://r.io: push it"):
            check(missing)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"version": ""}, "No version is named"),
        ({"image": None}, "No version is named"),
        ({"check_registry": False}, "check_registry"),
        ({"bypassed": ["registry"]}, "is bypassed"),
    ],
)
def test_when_no_registry_is_asked(monkeypatch: pytest.MonkeyPatch, params: dict[str, t.Any], words: str) -> None:
    for check in (image.registry, image.platform):
        with pytest.raises(Skipped, match=words):
            check(context(monkeypatch, image_check_command=["false"], **params))


@pytest.mark.parametrize("params", [{"check_registry": False}, {"bypassed": ["registry"]}])
def test_a_command_is_not_left_out_together_with_the_registry(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, t.Any]
) -> None:
    """A signature that nobody has looked at would be a row that the table of a release does not show."""
    with pytest.raises(CannotMeasure, match="name the version with its digest, or bypass image_check, too"):
        image.command(context(monkeypatch, image_check_command=["true"], **params))
    by_digest = context(monkeypatch, image_check_command=["true"], version=f"v1.2.0@{DIGEST}", **params)
    assert image.command(by_digest).startswith(f"The command accepts r.io/mcp@{DIGEST}")
    with pytest.raises(Skipped, match="No version is named"):
        image.command(context(monkeypatch, image_check_command=["true"], **{**params, "version": ""}))


@pytest.mark.parametrize(
    ("params", "digest"),
    [
        ({"image_check_command": ["true"]}, DIGEST),
        ({"image_check_command": ["true"], "bypassed": ["image_check"]}, ""),
        ({"image_check_command": ["true"], "digest": None}, ""),
        ({}, ""),
    ],
)
def test_the_digest_that_the_command_has_looked_at(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, t.Any], digest: str
) -> None:
    assert image.checked_digest(context(monkeypatch, **params)) == digest


@pytest.mark.parametrize(
    ("found", "able", "template", "error"),
    [
        ({"linux/amd64"}, [AMD, ARM], {}, Warns),
        ({"linux/amd64"}, [ARM], {}, Failure),
        ({"linux/amd64"}, [ARM], AFFINITY, Warns),
    ],
)
def test_an_image_that_some_nodes_can_run_refuses_no_release(
    monkeypatch: pytest.MonkeyPatch, found: set[str], able: list[t.Any], template: t.Any, error: type[Failure]
) -> None:
    where = context(monkeypatch)
    ready = [{**one, "status": {**one["status"], "conditions": [{"type": "Ready", "status": "True"}]}} for one in able]
    pool = Idle("green", {"spec": template}, 1, 0, needs.Needs((), {}, {}))
    where.once("idle", lambda: pool)
    where.once("nodes", lambda: ready)
    registry = type("Registry", (), {"digest": lambda *_: DIGEST, "platforms": lambda *_: found})
    monkeypatch.setattr(image, "registry_for", lambda _image, _params: registry())
    with pytest.raises(Failure) as failure:
        image.platform(where)
    assert failure.type is error


def test_a_store_of_configurations_that_only_nodes_reach_refuses_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def platforms(*_: t.Any) -> set[str]:
        raise Failure("The registry https://store.io does not answer.")

    where = context(monkeypatch)
    where.once("idle", lambda: Idle("green", {"spec": {}}, 1, 0, needs.Needs((), {}, {})))
    where.once("nodes", lambda: [AMD])
    registry = type("Registry", (), {"digest": lambda *_: DIGEST, "platforms": platforms})
    monkeypatch.setattr(image, "registry_for", lambda _image, _params: registry())
    with pytest.raises(Warns, match="are not compared with those of the nodes: The registry https://store.io does not"):
        image.platform(where)
