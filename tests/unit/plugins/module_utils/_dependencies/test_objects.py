# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._dependencies import objects, trying
from ansible_collections.mcp.server.plugins.module_utils._dependencies.objects import Dependency
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "")
TEMPLATE: dict[str, t.Any] = {
    "metadata": {"labels": {"app": "mcp", "pool": "blue"}},
    "spec": {
        "serviceAccountName": "mcp",
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "mcp"}],
        "hostNetwork": True,
        "dnsConfig": {"nameservers": ["10.0.0.1"]},
        "affinity": {
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]},
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}},
        },
        "securityContext": {"fsGroup": 2000, "runAsUser": 10001, "seccompProfile": {"type": "Unconfined"}},
        "volumes": [
            {"name": "certificates", "secret": {"secretName": "tls"}},
            {"name": "unused", "secret": {"secretName": "other"}},
            {"name": "disk", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "host", "hostPath": {"path": "/"}},
            {
                "name": "tokens",
                "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"secret": {"name": "s"}}]},
            },
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        ],
        "containers": [
            {"name": "proxy", "image": "r/proxy:1", "env": [{"name": "PROXY", "value": "1"}]},
            {
                "name": "mcp",
                "image": "r/mcp:1",
                "imagePullPolicy": "Always",
                "workingDir": "/app",
                "command": ["serve"],
                "args": ["--port", "8080"],
                "ports": [{"containerPort": 8080}],
                "readinessProbe": {"httpGet": {"port": 8080}},
                "env": [
                    {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "url"}}},
                    {"name": "API_TOKEN", "value": "written-into-the-template"},
                    {
                        "name": "CPU",
                        "valueFrom": {"resourceFieldRef": {"containerName": "mcp", "resource": "limits.cpu"}},
                    },
                ],
                "envFrom": [{"secretRef": {"name": "all"}}],
                "resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "4Gi", "nvidia.com/gpu": 1}},
                "securityContext": {"readOnlyRootFilesystem": True, "privileged": True},
                "volumeMounts": [
                    {"name": "certificates", "mountPath": "/tls", "readOnly": True},
                    {"name": "disk", "mountPath": "/data"},
                    {"name": "host", "mountPath": "/host"},
                    {"name": "tokens", "mountPath": "/tokens"},
                    {"name": "token", "mountPath": "/token"},
                ],
            },
        ],
    },
}


def job(template: dict[str, t.Any] | None = None, **more: t.Any) -> dict[str, t.Any]:
    options = {name: more.pop(name) for name in ("labels", "pull_secrets", "ttl") if name in more}
    dependency = Dependency(**{"name": "database", "command": ("psql", "-c", "SELECT $$1 $(date)"), **more})
    return objects.job("mcp-check-1", dependency, TEMPLATE if template is None else template, "mcp", **options)


def pod(*args: t.Any, **more: t.Any) -> dict[str, t.Any]:
    found: dict[str, t.Any] = job(*args, **more)["spec"]["template"]["spec"]
    return found


def container(*args: t.Any, **more: t.Any) -> dict[str, t.Any]:
    (found,) = pod(*args, **more)["containers"]
    return t.cast("dict[str, t.Any]", found)


def test_it_has_the_environment_of_the_server_and_nothing_of_its_traffic() -> None:
    own = container()
    assert [one["name"] for one in own["env"]] == ["DATABASE_URL", "API_TOKEN", "CPU"]
    assert own["env"][0]["valueFrom"] == {"secretKeyRef": {"name": "s", "key": "url"}}
    assert own["env"][2]["valueFrom"] == {"resourceFieldRef": {"resource": "limits.cpu"}}
    assert own["envFrom"] == [{"secretRef": {"name": "all"}}]
    assert not {"ports", "readinessProbe", "args"} & own.keys()
    assert (own["image"], own["imagePullPolicy"], own["workingDir"]) == ("r/mcp:1", "Always", "/app")
    # A variable of the shell, and nothing that Kubernetes replaces.
    assert own["command"] == ["psql", "-c", "SELECT $$$$1 $$(date)"]
    spec = pod()
    assert spec["readinessGates"], "a pod that is never ready gets no traffic"
    labels = job()["spec"]["template"]["metadata"]["labels"]
    assert labels == objects.LABELS
    assert TEMPLATE["spec"]["containers"][1]["env"][2]["valueFrom"]["resourceFieldRef"]["containerName"] == "mcp"


def test_it_runs_where_the_server_would_and_meets_the_level_restricted() -> None:
    spec, own = pod(), container()
    assert spec["nodeSelector"] == {"disk": "ssd"} and spec["tolerations"] == [{"key": "mcp"}]
    assert list(spec["affinity"]) == ["nodeAffinity"] and spec["serviceAccountName"] == "mcp"
    assert spec["dnsConfig"] and "hostNetwork" not in spec and spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {
        "fsGroup": 2000,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "readOnlyRootFilesystem": True,
        "runAsUser": 10001,
    }
    assert own["resources"] == {"requests": objects.REQUESTS, "limits": {"memory": "4Gi"}}


def test_only_what_a_second_pod_may_have_is_mounted() -> None:
    spec = pod()
    volumes = {one["name"]: one for one in spec["volumes"]}
    assert list(volumes) == ["certificates", "tokens", "mcp-tmp"]
    assert volumes["tokens"]["projected"]["sources"] == [{"secret": {"name": "s"}}]
    assert [one["name"] for one in container()["volumeMounts"]] == list(volumes)
    with_token = pod(token=True)
    assert with_token["automountServiceAccountToken"] is True
    assert [one["name"] for one in with_token["volumes"]] == ["certificates", "tokens", "token", "mcp-tmp"]


def test_a_folder_of_the_servers_own_at_tmp_stays() -> None:
    own = {"name": "mcp", "image": "r/mcp:1", "volumeMounts": [{"name": "t", "mountPath": "/tmp"}]}
    template = {"spec": {"containers": [own], "volumes": [{"name": "t", "emptyDir": {}}]}}
    assert [one["name"] for one in pod(template)["volumes"]] == ["t"]
    # One on a disk does not.
    template["spec"]["volumes"] = [{"name": "t", "persistentVolumeClaim": {}}]
    assert container(template)["volumeMounts"] == [{"name": "mcp-tmp", "mountPath": "/tmp"}]


def test_a_client_has_its_own_image_and_limits() -> None:
    own = container(image_ref="postgres:15")
    assert (own["image"], own["imagePullPolicy"]) == ("postgres:15", "IfNotPresent")
    assert own["resources"]["limits"] == objects.LIMITS and "workingDir" not in own


@pytest.mark.parametrize(
    ("template_user", "image_ref", "user", "found"),
    [
        (10001, None, None, 10001),
        (10001, "postgres:15", None, 10001),
        (None, None, None, None),  # the image's
        (None, "postgres:15", None, objects.USER),
        (0, None, None, objects.USER),  # root may not
        (10001, "postgres:15", 0, None),
        (10001, None, 7, 7),
    ],
)
def test_the_user(template_user: int | None, image_ref: str | None, user: int | None, found: int | None) -> None:
    given = {} if template_user is None else {"runAsUser": template_user}
    template = {"spec": {"containers": [{"name": "mcp", "image": "r/mcp:1", "securityContext": given}]}}
    own = container(template, image_ref=image_ref, user=user)
    assert own["securityContext"].get("runAsUser") == found
    assert own["securityContext"]["runAsNonRoot"] is True


def test_what_the_user_adds() -> None:
    own = container(
        env=({"name": "API_TOKEN", "value": "x"}, {"name": "MORE", "value": "y"}), env_from=({"configMapRef": {}},)
    )
    assert [(one["name"], one.get("value")) for one in own["env"]] == [
        ("DATABASE_URL", None),
        ("CPU", None),
        ("API_TOKEN", "x"),
        ("MORE", "y"),
    ]
    assert own["envFrom"] == [{"secretRef": {"name": "all"}}, {"configMapRef": {}}]
    made = job(labels={"app": "mcp", "app.kubernetes.io/component": "mine"}, pull_secrets=("others", "registry"), ttl=5)
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "mcp", **objects.LABELS}
    assert made["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}, {"name": "others"}]
    assert made["spec"]["ttlSecondsAfterFinished"] == 5


def test_the_cluster_ends_it() -> None:
    spec = job(timeout=30.5)["spec"]
    assert spec["activeDeadlineSeconds"] == 101 and spec["backoffLimit"] == 0 and spec["ttlSecondsAfterFinished"] == 60


def test_a_template_of_nothing_makes_no_traceback() -> None:
    for template in ({}, {"spec": None}, {"spec": {"containers": [{}], "volumes": [7], "affinity": None}}):
        assert container(template)["command"]


def test_secrets_that_are_written_down_are_known() -> None:
    dependency = Dependency(
        "database", ("x",), env=({"name": "URL", "value": "a://b:c@d"}, {"name": "MODE", "value": "on"})
    )
    assert objects.secrets_of(dependency, TEMPLATE, "mcp") == ["written-into-the-template", "a://b:c@d"]


@pytest.mark.parametrize(
    ("selector", "labels", "refused"),
    [
        ({"app": "mcp", "pool": "blue"}, {"app": "mcp"}, False),
        ({"app": "mcp", "pool": "blue"}, {"app": "mcp", "pool": "blue"}, True),
        ({"app": "mcp"}, {"app": "mcp"}, True),
        ({}, {"app": "mcp"}, False),
        ({"app.kubernetes.io/managed-by": "mcp.server"}, {}, True),
    ],
)
def test_labels_that_a_pool_selects_are_refused(
    selector: dict[str, str], labels: dict[str, str], refused: bool
) -> None:
    every = {**labels, **objects.LABELS}
    if not refused:
        trying.refuse_traffic({"blue": selector}, every, SERVER)
        return
    with pytest.raises(Failure, match="would select the pods of the Jobs"):
        trying.refuse_traffic({"green": {"pool": "none"}, "blue": selector}, every, SERVER)
