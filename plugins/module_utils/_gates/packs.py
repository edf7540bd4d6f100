# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics packs: which metrics of a source give which measure. Plain data; a new source is one row of PACKS.

Values of labels are regular expressions that match as a whole. They may contain {namespace}, {server}, {route},
{container}, {blue} and {green} (the pools' Deployments or StatefulSets), {blue_service}, {green_service} and
{both_pods} (the names of all pods), and those of a pool {pool}, {deployment}, {service}, {service_port} (the port where
it follows the Service's name and a hyphen) and {pods}.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
from dataclasses import dataclass, fields, is_dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import (
    Labels,
    Names,
    PoolSeries,
    Selector,
    render,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.measures import (
    Histogram,
    Measure,
    Rate,
    Ratio,
    Utilization,
)
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


@dataclass(frozen=True)
class Pack:
    """The metrics of one source."""

    server: Labels  # of all series of the server
    pools: t.Sequence[Labels]  # of a pool's series, one alternative each
    measures: t.Mapping[str, Measure]  # by the name that gates use
    pod_label: str = "pod"  # the name of the label with the pod that was scraped, which series may lack
    scrape_labels: t.Sequence[str] = ()  # further labels that only say who scraped a sample

    def query(self, names: Names, seconds: float) -> str:
        """Return PromQL for all samples of the pack's series of both pools in the last seconds."""
        metrics = sorted({name for measure in self.measures.values() for name in measure.metrics()})
        matchers = [
            f'__name__=~"{"|".join(metrics)}"',
            *(f'{quoted(label)}=~"{value}"' for label, value in render(self.server, names).items()),
        ]
        return f"{{{', '.join(matchers)}}}[{math.ceil(seconds)}s]"

    def select(self, series: t.Sequence[Series], names: Names) -> PoolSeries:
        """Return those of the pack's series that belong to the pool of these names."""
        measured = {"le"}

        def note(labels: Labels) -> Labels:
            measured.update(labels)
            return labels

        for measure in self.measures.values():
            _with_labels(measure, note)
        return PoolSeries(
            self.server,
            self.pools,
            series,
            names,
            pod_label=self.pod_label,
            measured=sorted(measured),
            scrape_labels=self.scrape_labels,
        )


PODS: Labels = {"namespace": "{namespace}", "pod": "{both_pods}"}
POD_OF_POOL: Labels = {"pod": "{pods}"}
LOST = "400|404|503"  # answers to a client whose session is gone


def _by_code(name: str, label: str) -> dict[str, Measure]:
    """Return the measures of a counter of requests that has a label with the HTTP status."""
    requests = Selector(name)
    return {
        "requests": Rate(requests),
        "errors": Ratio(requests, Selector(name, {label: "5.."})),
        "lost_sessions": Ratio(requests, Selector(name, {label: LOST})),
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
        {"envoy_cluster_name": "{namespace}_(?:{blue_service}|{green_service})_.*"},
        ({"envoy_cluster_name": "{namespace}_{service}_.*"},),
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
    # The conventions for MCP servers have no HTTP status, those for HTTP servers do.
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
        ({"canary": "{namespace}-{service}-{service_port}"}, {"canary": "", "service": "{service}"}),
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


def chosen(option: t.Mapping[str, t.Any]) -> list[Pack]:
    """Return the packs of the option prometheus, with its names of labels. Raise Failure."""
    return [
        replace(renamed(PACKS[name], option["labels"]), scrape_labels=tuple(option.get("replica_labels") or ()))
        for name in option["source"]
    ]


def renamed(pack: Pack, labels: Labels) -> Pack:
    """Return the pack with other names of labels, {its own name: the name in Prometheus}. Raise Failure."""
    for own, name in labels.items():
        if not isinstance(name, str) or not name:
            raise Failure(f"prometheus.labels.{own} must be the name of a label, such as kubernetes_pod_name.")

    def rename(patterns: Labels) -> Labels:
        return {labels.get(label, label): pattern for label, pattern in patterns.items()}

    return Pack(
        rename(pack.server),
        [rename(patterns) for patterns in pack.pools],
        {name: _with_labels(measure, rename) for name, measure in pack.measures.items()},
        labels.get(pack.pod_label, pack.pod_label),
    )


def _with_labels(value: t.Any, change: t.Callable[[Labels], Labels]) -> t.Any:
    """Return a measure, or a part of one, with all its labels changed."""
    if isinstance(value, t.Mapping):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_with_labels(each, change) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _with_labels(getattr(value, each.name), change) for each in fields(value)})
    return value


def quoted(label: str) -> str:
    """Return a label's name as PromQL writes it: in quotes when it has dots, as OpenTelemetry's own names have."""
    return label if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", label) else json.dumps(label, ensure_ascii=False)
