# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which series tell what, for each source of metrics. Plain data, and for each kind of measure how it is read.

Values of labels are regular expressions that match as a whole. They may name
{namespace}, {server}, {route}, {container}, {blue} and {green} (the pools'
Deployments and Services), and those of a pool {pool} and {deployment}.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate

Labels = t.Mapping[str, str]


@dataclass(frozen=True)
class Selector:
    name: str
    labels: Labels = field(default_factory=dict)


class Measure(t.Protocol):
    """One way to make a measure of metrics."""

    def metrics(self) -> list[str]:
        """Return the names of the series that Prometheus is asked for."""

    def read(self, reading: t.Any, gate: Gate, memory_limit: float | None) -> t.Any:
        """Return what this gate is judged by, a C(measurements.Measured), out of one pool's C(measurements.Reading).

        memory_limit: bytes of a pod, where Prometheus does not tell.
        """


@dataclass(frozen=True)
class Ratio:
    """counted: those of all, out of counters."""

    all: Selector
    counted: Selector

    def metrics(self) -> list[str]:
        return [self.all.name, self.counted.name]

    def read(self, reading: t.Any, gate: Gate, memory_limit: float | None) -> t.Any:
        return reading.share(self)


@dataclass(frozen=True)
class Histogram:
    """A histogram by its name without a suffix. seconds: what 1 in it is."""

    name: str
    labels: Labels = field(default_factory=dict)
    seconds: float = 1.0

    def metrics(self) -> list[str]:
        return [f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum")]

    def read(self, reading: t.Any, gate: Gate, memory_limit: float | None) -> t.Any:
        return reading.duration(self) if gate.versus else reading.slower(self, gate.limit)


@dataclass(frozen=True)
class Utilization:
    """How much of what there may be is used, in percent; of the pods the fullest. most: the first of these that there is, of the same pod."""

    used: Selector
    most: t.Sequence[Selector]

    def metrics(self) -> list[str]:
        return [self.used.name, *(pick.name for pick in self.most)]

    def read(self, reading: t.Any, gate: Gate, memory_limit: float | None) -> t.Any:
        return reading.fill(self, memory_limit)


@dataclass(frozen=True)
class Pack:
    """server: labels of all series of the server. pools: those of a pool, one alternative each."""

    server: Labels
    pools: t.Sequence[Labels]
    measures: t.Mapping[str, Measure]


POD = "[0-9a-z]+-[0-9a-z]+"  # what a pod's name has after its Deployment's
PODS: Labels = {"namespace": "{namespace}", "pod": f"(?:{{blue}}|{{green}})-{POD}"}
POD_OF_POOL: Labels = {"pod": f"{{deployment}}-{POD}"}
LOST = "400|404|503"  # what clients of a session that is gone are told


def _by_code(name: str, label: str, **labels: str) -> dict[str, Measure]:
    everything = Selector(name, labels)
    return {
        "errors": Ratio(everything, Selector(name, {**labels, label: "5.."})),
        "lost_sessions": Ratio(everything, Selector(name, {**labels, label: LOST})),
    }


PACKS: dict[str, Pack] = {
    "app": Pack(
        PODS,
        (POD_OF_POOL,),
        {
            **_by_code("mcp_server_requests_total", "code"),
            "latency": Histogram("mcp_server_request_duration_seconds"),
            "database": Ratio(
                Selector("mcp_server_database_requests_total"), Selector("mcp_server_database_errors_total")
            ),
            "mcp_errors": Ratio(
                Selector("mcp_server_operations_total"),
                Selector("mcp_server_operations_total", {"outcome": "error|tool_error"}),
            ),
        },
    ),
    "envoy": Pack(
        {"envoy_cluster_name": "{namespace}_(?:{blue}|{green})_.*"},
        ({"envoy_cluster_name": "{namespace}_{deployment}_.*"},),
        {
            **_by_code("envoy_cluster_upstream_rq", "envoy_response_code"),
            "latency": Histogram("envoy_cluster_upstream_rq_time", seconds=0.001),
        },
    ),
    "istio": Pack(
        {
            "destination_workload_namespace": "{namespace}",
            "destination_workload": "{blue}|{green}",
            "reporter": "source|waypoint",
        },
        ({"destination_workload": "{deployment}"},),
        {
            **_by_code("istio_requests_total", "response_code"),
            "latency": Histogram("istio_request_duration_milliseconds", seconds=0.001),
        },
    ),
    # The conventions for HTTP servers tell what those for MCP do not.
    "otel": Pack(
        PODS,
        (POD_OF_POOL,),
        {
            **_by_code("http_server_request_duration_seconds_count", "http_response_status_code"),
            # A subscription lasts for hours, and is not slow.
            "latency": Histogram(
                "mcp_server_operation_duration_seconds", {"mcp_method_name": "(?!subscriptions/listen).*"}
            ),
            "mcp_errors": Ratio(
                Selector("mcp_server_operation_duration_seconds_count"),
                Selector("mcp_server_operation_duration_seconds_count", {"error_type": ".+"}),
            ),
        },
    ),
    # The canary's answers are counted under the main Ingress, and canary names the Service.
    "ingress_nginx": Pack(
        {"namespace": "{namespace}", "ingress": "{route}"},
        ({"canary": "{namespace}-{deployment}-.*"}, {"canary": "", "service": "{deployment}"}),
        {
            **_by_code("nginx_ingress_controller_requests", "status"),
            "latency": Histogram("nginx_ingress_controller_request_duration_seconds"),
        },
    ),
    "kubelet": Pack(
        {**PODS, "container": "{container}"},
        (POD_OF_POOL,),
        {
            "memory": Utilization(
                Selector("container_memory_working_set_bytes"),
                (
                    Selector("container_spec_memory_limit_bytes"),
                    Selector("kube_pod_container_resource_limits", {"resource": "memory"}),
                ),
            ),
        },
    ),
}


def renamed(pack: Pack, labels: Labels) -> Pack:
    """The pack where labels are called otherwise: {ours: theirs}."""

    def rename(patterns: Labels) -> Labels:
        return {labels.get(label, label): pattern for label, pattern in patterns.items()}

    return Pack(rename(pack.server), [rename(patterns) for patterns in pack.pools], pack.measures)
