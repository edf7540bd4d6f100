# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release needs later, asked of servers on loopback that answer well, badly and not at all."""

from __future__ import annotations

import json
import socket
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._preflight import dependencies as all_of
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import (
    Dependency,
    Finding,
    check_dependencies,
)
from ansible_collections.mcp.server.plugins.module_utils._preflight.options import OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, said

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
SERIES = [{"metric": {"__name__": "x", "pool": "blue"}, "values": [[1.0, "1"]]}]
SHA = "sha256:" + "a" * 64


def given(**options: t.Any) -> dict[str, t.Any]:
    validated = ArgumentSpecValidator({**OPTIONS, "image": {"type": "str"}}).validate(options)
    assert not validated.error_messages, validated.error_messages
    return validated.validated_parameters


def one(**options: t.Any) -> Finding:
    (found,) = check_dependencies(given(**options), SERVER)
    return found


def metrics(parameters: dict[str, str]) -> tuple[int, bytes]:
    return (
        said("scalar", [1000.0, "1000"])
        if parameters["query"] == "time()"
        else said("matrix", [] if "container_memory" in parameters["query"] else SERIES)
    )


def test_nothing_named_nothing_asked() -> None:
    assert check_dependencies(given(), SERVER) == []


def test_each_source_is_asked() -> None:
    with Fake(metrics) as fake:
        found = one(
            prometheus={"url": fake.url, "source": ["app", "kubelet"]}, triggers={"own": {"query": "up", "limit": 1}}
        )
        asked = [parameters["query"] for _path, parameters, _headers in fake.seen]
    assert (found.ok, found.required) == (True, True)
    assert (
        found.message
        == f"Prometheus at {fake.url} answers (app: 1 series, kubelet: no series, triggers.own: 1 series)."
    )
    assert len(asked) == 4 and "up" in asked


def refused(parameters: dict[str, str]) -> tuple[int, bytes]:
    if "container_memory" in parameters["query"]:
        return 400, json.dumps({"status": "error", "error": "bad data"}).encode()
    return metrics(parameters)


@pytest.mark.parametrize(
    ("answer", "more", "says"),
    [
        (
            lambda _parameters: (401, b""),
            {},
            "Metrics (app, kubelet): Prometheus at URL refused the credentials (401)",
        ),
        (lambda _parameters: (302, b""), {}, "answered 302, and not as Prometheus does"),
        (
            metrics,
            {"token_env": "NOT_SET_AT_ALL"},
            "Metrics (app, kubelet): No bearer token in environment variable NOT_SET_AT_ALL: it is empty or missing.",
        ),
        (
            metrics,
            {"token_file": "/no/such/file"},
            "prometheus.token_file /no/such/file cannot be read (No such file or directory)",
        ),
        (metrics, {"ca_cert": "/no/such/ca.pem", "url": "https://127.0.0.1:9"}, "could not be asked"),
        (metrics, {"url": "prometheus:9090"}, "prometheus.url is not the address of a Prometheus"),
        (metrics, {"timeout": 0}, "prometheus.timeout is 0"),
        (refused, {}, "Metrics (kubelet): Prometheus at URL refused"),
    ],
)
def test_prometheus_that_would_fail_later(answer: t.Any, more: dict[str, t.Any], says: str) -> None:
    with Fake(answer) as fake:
        found = one(prometheus={"url": fake.url, **more})
        assert not found.ok and says.replace("URL", fake.url) in found.message
    assert "Metrics (app): " not in found.message  # which answers


def test_a_source_that_is_a_typo_is_refused_by_its_name() -> None:
    validated = ArgumentSpecValidator(OPTIONS).validate({"prometheus": {"url": "http://x", "sorce": ["app"]}})
    assert "prometheus.sorce" in str(validated.error_messages)


def test_gates_that_make_no_sense() -> None:
    with Fake(metrics) as fake:
        assert "gates.erors is none of" in one(prometheus={"url": fake.url}, step_gates={"erors": {"limit": 1}}).message


def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, b'{"versionInfo": {"version": "0.27.0"}}'), "Alertmanager answers, version 0.27.0."),
        ((200, b'{"versionInfo": {"version": "\\u001b[31m0"}}'), "version [31m0."),
        ((200, b"[]"), "gave an answer that is not Alertmanager's"),
        ((200, b"<html>"), "gave an answer that is not Alertmanager's"),
        ((401, b"who are you"), "answered 401 to GET status: who are you"),
    ],
)
def test_alertmanager(answer: tuple[int, bytes], says: str) -> None:
    with Fake(lambda _parameters: answer) as fake:
        found = one(alertmanager={"url": fake.url})
        assert [path for path, _parameters, _headers in fake.seen] == ["/api/v2/status"]
    assert says in found.message and found.ok is ("version" in says) and not found.required


def test_alertmanager_without_its_token() -> None:
    assert (
        "No bearer token in environment variable NOT_SET_AT_ALL"
        in one(alertmanager={"url": closed(), "token_env": "NOT_SET_AT_ALL"}).message
    )


class Registry:
    def __init__(self, url: str, digest: str | None) -> None:
        self.url, self._digest = url, digest

    def digest(self, _image: t.Any) -> str | None:
        return self._digest


@pytest.mark.parametrize(
    ("guard_image_ref", "digest", "registry", "says"),
    [
        (
            "ghcr.io/org/ee:1.0.0",
            SHA,
            "http://mirror",
            "The guard's image ghcr.io/org/ee:1.0.0 is in the registry (sha256:aaaaaaaaaaaa).",
        ),
        (
            "ghcr.io/org/ee:9",
            None,
            "http://mirror",
            "The guard's image ghcr.io/org/ee:9 is not in the registry http://mirror: push it",
        ),
        ("quay.io/org/ee:9", None, None, "is not in the registry https://quay.io: push it"),  # the mirror is of ghcr.io
        ("NO IMAGE", None, None, "'NO IMAGE' is not an image reference"),
        ("", None, None, "The guard has no image: set guard_image_ref"),
    ],
)
def test_guard_image_ref(
    monkeypatch: pytest.MonkeyPatch, guard_image_ref: str, digest: str | None, registry: str | None, says: str
) -> None:
    def registry_for(image: t.Any, params: dict[str, t.Any]) -> Registry:
        assert params["registry"] == registry
        return Registry(registry or f"https://{image.host}", digest)

    monkeypatch.setattr(all_of.registries, "registry_for", registry_for)
    found = one(guard_image_ref=guard_image_ref, image="ghcr.io/org/mcp-server", registry="http://mirror")
    assert says in found.message and found.ok is bool(digest) and found.required


def test_files_and_the_place_of_the_report(tmp_path: Path) -> None:
    there = tmp_path / "migrate.yml"
    there.write_text("")
    assert one(files=[str(there)]).ok
    found = one(files=[str(there), "/no/such/migrate.yml"])
    assert (found.ok, found.required) == (False, True) and found.message.endswith(
        "cannot be read: /no/such/migrate.yml."
    )
    assert one(report_dest=f"{tmp_path}/new/reports").ok and not (tmp_path / "new").exists()
    found = one(report_dest="/proc/reports/x")
    assert not found.required and (found.ok or "The report cannot be written to /proc/reports/x" in found.message)


def test_side_by_side_bounded_and_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_params: t.Any, _server: t.Any) -> str:
        raise KeyError("SECRET")

    def bad(_params: t.Any, _server: t.Any) -> str:
        raise Failure("It is away.")

    def slow(_params: t.Any, _server: t.Any) -> str:
        time.sleep(2.0)
        return ""

    needs = [
        Dependency(f"need_{number}", f"need {number}", "files", True, look)
        for number, look in enumerate((slow, broken, bad, slow))
    ]
    monkeypatch.setattr(all_of, "DEPENDENCIES", needs)
    monkeypatch.setattr(all_of, "MAX_SECONDS", 0.3)
    started = time.monotonic()
    found = check_dependencies(given(files=["x"]), SERVER)
    assert time.monotonic() - started < 1.5
    assert [one.ok for one in found] == [False] * 4
    assert found[0].message == 'Check "need 0" did not finish within 0.3 s. Find out what is slow, or leave it out.'
    assert (found[1].message, found[2].message) == ('Check "need 1" failed unexpectedly (KeyError).', "It is away.")
