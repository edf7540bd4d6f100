# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sandbox's Prometheus is told, as far as files show it; the integration target C(monitoring) has the rest."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from mcp_server_example import metrics
from prometheus_client import generate_latest

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = ROOT / "sandbox" / "manifests" / "monitoring"
JOBS = {
    job["job_name"]: job for job in yaml.safe_load((MANIFESTS / "prometheus-config.yml").read_text())["scrape_configs"]
}
RULES = yaml.safe_load((MANIFESTS / "prometheus-rules.yml").read_text())["groups"][0]["rules"]


def relabelled(rules: list[dict], **labels: str) -> dict[str, str]:
    """What rules of the action replace make of these labels; Prometheus matches whole values too."""
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule["source_labels"])
        found = re.fullmatch(rule.get("regex", "(.*)"), value)
        if found and "target_label" in rule:
            labels[rule["target_label"]] = found.group(1)
    return labels


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("ghcr.io/org/mcp-server:v1.2.0", "v1.2.0"),
        ("127.0.0.1:5000/org/mcp-server:v1.2.0", "v1.2.0"),
        ("ghcr.io/org/mcp-server:v1.2.0@sha256:4be1", "v1.2.0"),
        ("ghcr.io/org/mcp-server@sha256:4be1", None),
        ("127.0.0.1:5000/org/mcp-server", None),
    ],
)
def test_the_version_is_the_tag_of_the_image(image: str, version: str | None) -> None:
    assert (
        relabelled(JOBS["mcp-server"]["relabel_configs"], __meta_kubernetes_pod_container_image=image).get("version")
        == version
    )


@pytest.mark.parametrize(
    ("cluster", "labels"),
    [
        ("mcp-sandbox_mcp-server-blue_8080", {"namespace": "mcp-sandbox", "server": "mcp-server", "pool": "blue"}),
        (
            "mcp-sandbox_mcp-server-green_8080_da39a3ee5e",
            {"namespace": "mcp-sandbox", "server": "mcp-server", "pool": "green"},
        ),
        ("contour", {}),
    ],
)
def test_a_cluster_of_envoy_is_a_pool(cluster: str, labels: dict[str, str]) -> None:
    assert relabelled(JOBS["envoy"]["metric_relabel_configs"], envoy_cluster_name=cluster) == {
        "envoy_cluster_name": cluster,
        **labels,
    }


@pytest.mark.parametrize("job", ["kubelet", "cadvisor"])
@pytest.mark.parametrize(
    ("pod", "labels"),
    [
        ("mcp-server-blue-77ffb5494d-2vm59", {"server": "mcp-server", "pool": "blue"}),
        ("postgresql-6f6b9f644f-rjqrm", {}),
        ("blue-1", {}),
    ],
)
def test_a_pods_name_tells_its_pool(job: str, pod: str, labels: dict[str, str]) -> None:
    assert relabelled(JOBS[job]["metric_relabel_configs"], pod=pod) == {"pod": pod, **labels}


def test_rules_read_what_the_server_has() -> None:
    metrics.REQUESTS.labels(200)
    known = set(re.findall(r"^(mcp_server_\w+)", generate_latest().decode(), re.MULTILINE))
    read = {name for rule in RULES for name in re.findall(r"mcp_server_\w+", rule["expr"])}
    assert read and read <= known


def test_the_guides_triggers_are_alerts() -> None:
    limits = {rule["labels"]["trigger"]: (float(rule["expr"].rpartition("> ")[2]), rule["for"]) for rule in RULES}
    assert limits == {"errors": (0.05, "2m"), "latency": (0.5, "5m"), "database": (0.1, "1m"), "memory": (0.9, "3m")}


def test_what_is_reached_from_outside_is_on_loopback_only(machine) -> None:
    for name in ("prometheus", "alertmanager"):
        deployment = next(
            one for one in yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text()) if one["kind"] == "Deployment"
        )
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        (port,) = container["ports"]
        paths = sys.modules["the_sandbox.paths"]
        assert f"{port['hostIP']}:{port['hostPort']}" == getattr(paths, name.upper())
        # What outlives the pod is in the state that the sandbox takes away.
        assert [Path(volume["hostPath"]["path"]).parent for volume in pod["volumes"] if "hostPath" in volume] == [
            paths.STATE
        ]
