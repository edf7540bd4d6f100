# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug import objects
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import Options
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Probe
from ansible_collections.mcp.server.plugins.module_utils._jobs import running
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import NAME
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

ASKED = [Probe("dns", "database"), Probe("http", "http://a/$(HOME)")]


def server(name: str = "mcp") -> Server:
    return Server("prod", name, "{server}-{pool}", name, "")


def is_restricted(container: dict[str, t.Any], pod: dict[str, t.Any]) -> bool:
    """Return whether a container meets the level restricted of the Pod Security Standards."""
    own, whole = container["securityContext"], pod.get("securityContext", {})
    return (
        own["allowPrivilegeEscalation"] is False
        and own["capabilities"] == {"drop": ["ALL"]}
        and (own.get("runAsNonRoot") or whole.get("runAsNonRoot")) is True
        and own.get("runAsUser", 1) != 0
        and (own.get("seccompProfile") or whole.get("seccompProfile"))["type"] == "RuntimeDefault"
    )


@pytest.mark.parametrize("user", [65534, None])
def test_the_job_is_restricted_bounded_and_nobodys(user: int | None) -> None:
    job = objects.job("mcp-debug-1", ASKED, Options("tools:1", 60.0, user=user))
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert is_restricted(container, pod) and container["securityContext"].get("runAsUser") == user
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False and "serviceAccountName" not in pod
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (70, 60)
    assert set(container["resources"]["limits"]) == set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert job["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "mcp.server"
    labels = spec["template"]["metadata"]["labels"]
    assert not {"app", "pool", "app.kubernetes.io/name"} & labels.keys()
    assert len(json.dumps(job)) < 20_000


def test_the_image_is_pulled_with_the_secrets_of_other_pods() -> None:
    secrets = [[{"name": "a"}], [{"name": "b"}, {"name": "a"}], [{"name": 7}, "x", {}], None]
    names = running.pull_secrets_of([*({"spec": {"imagePullSecrets": one}} for one in secrets), {}])
    assert names == ("a", "b")
    spec = objects.job("d", ASKED, Options("tools:1", pull_secrets=names))["spec"]["template"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert "imagePullSecrets" not in objects.job("d", ASKED, Options("tools:1"))["spec"]["template"]["spec"]


def test_an_ephemeral_container_is_restricted_and_ends_by_itself() -> None:
    patch = objects.ephemeral("debug-1", ASKED, Options("tools:1", 30.0, stay=600))
    (container,) = patch["spec"]["ephemeralContainers"]
    assert is_restricted(container, {}) and container["command"][:2] == ["timeout", "640"]
    # The API server refuses an ephemeral container with any of these.
    assert not {"resources", "ports", "livenessProbe", "readinessProbe", "lifecycle"} & container.keys()


def test_kubernetes_finds_no_variable_in_the_command() -> None:
    words = objects.command(ASKED, Options("tools:1"))
    assert "http://a/$$(HOME)" in words
    assert all("$" not in word.replace("$$", "") for word in words)


@pytest.mark.parametrize("name", ["mcp", "a" * 253, "a." * 100 + "a", "a" * 39 + "." + "b" * 10])
def test_the_name_of_the_job_is_one_that_a_pod_may_have(name: str) -> None:
    found = objects.job_name(server(name), "0123abcd")
    assert NAME.fullmatch(found) and len(found) + len("-xxxxx") <= 63 and found.endswith("-debug-0123abcd")


def test_a_hostile_target_makes_no_job() -> None:
    with pytest.raises(Failure):
        objects.job("mcp-debug-1", [Probe("dns", "a;b")], Options("tools:1"))
