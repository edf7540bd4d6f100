# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/dashboard/mcp-server.json, a Grafana dashboard, out of the packs and the triggers; a unit test compares
them. Grafana's own library makes the JSON, so it has the form that Grafana's schema asks for.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard

from ansible_collections.mcp.server.plugins.module_utils._announce.payload import GRAFANA_TAG
from ansible_collections.mcp.server.plugins.module_utils._gates import thresholds
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import Names, names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.packs import PACKS
from ansible_collections.mcp.server.plugins.module_utils._gates.promql import PoolQueries
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other

FILE = Path(__file__).resolve().parents[2] / "docs" / "dashboard" / "mcp-server.json"
UID = "mcp-server"
# Gateways first, as they count requests that never reached the server, too. The first source that has series is taken.
SOURCES = ("envoy", "istio", "ingress_nginx", "otel", "app", "kubelet")
WINDOW = "$__rate_interval"
# Grafana puts the values of its variables where the names of a server stand. Those of the pools' objects are the
# usual ones.
SERVER = Server("${namespace}", "${server}", "{server}-{pool}", "${server}", "${container}")
# Of Deployments, or of StatefulSets
POD_SUFFIX = "([0-9a-z]+-[0-9a-z]+|[0-9]+)"
COLORS = {"blue": "blue", "green": "green"}
DATASOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
NOW_AND_BEFORE = "2m"  # in which the share has to move for an annotation, by so many points:
MOVED = 5


def names(pool: str) -> Names:
    pods = {one: f"{SERVER.workload(one)}-{POD_SUFFIX}" for one in POOLS}
    return {**names_of(SERVER, pool), "pods": pods[pool], "both_pods": "|".join(pods.values())}


def first(queries: t.Iterable[str]) -> str:
    """Return the query of the first of these that has a result."""
    return "\nor ".join(queries)


def by_source(measure: str, pool: str, query: t.Callable[[PoolQueries, t.Any, PoolQueries], str]) -> str:
    """Return what the first source that has it says of a measure. query: of the pool, the measure, the other pool."""
    return first(
        query(
            *(PoolQueries(PACKS[one], names(pool), WINDOW), found, PoolQueries(PACKS[one], names(other(pool)), WINDOW))
        )
        for one in SOURCES
        if (found := PACKS[one].measures.get(measure))
    )


def of_pods(pool: str, metric: str, more: str = "") -> str:
    return f'{metric}{{namespace=~"${{namespace}}", pod=~"{names(pool)["pods"]}"{more}}}'


def share(pool: str) -> str:
    return by_source("errors", pool, lambda its, measure, others: its.share(measure, others))


def percent(measure: str) -> t.Callable[[str], str]:
    return lambda pool: by_source(measure, pool, lambda its, found, _others: its.percent(found))


def requests(pool: str) -> str:
    return by_source("requests", pool, lambda its, measure, _others: its.requests(measure))


def quantile(of_all: float) -> t.Callable[[str], str]:
    return lambda pool: by_source("latency", pool, lambda its, found, _others: its.quantile(found, of_all))


def memory(pool: str) -> str:
    return by_source("memory", pool, lambda its, measure, _others: its.fullest(measure))


def restarts(pool: str) -> str:
    container = ', container=~"${container}"'
    return first(
        (
            f"sum (increase({of_pods(pool, 'kube_pod_container_status_restarts_total', container)}[{WINDOW}]))",
            f"sum (changes({of_pods(pool, 'container_start_time_seconds', container)}[{WINDOW}]))",
        )
    )


def ready(pool: str) -> str:
    cluster = f'{{envoy_cluster_name=~"{PACKS["envoy"].pools[0]["envoy_cluster_name"]}"}}'
    for name, value in names(pool).items():
        cluster = cluster.replace(f"{{{name}}}", value)
    workload = SERVER.workload(pool)
    of = '{namespace=~"${namespace}", %s=~"' + workload + '"}'
    return first(
        (
            f"sum (kube_deployment_status_replicas_ready{of % 'deployment'})",
            f"sum (kube_statefulset_status_replicas_ready{of % 'statefulset'})",
            f"max (envoy_cluster_membership_healthy{cluster})",
            f"count ({of_pods(pool, 'up')} == 1)",
        )
    )


def sessions(pool: str) -> str:
    return f"sum ({of_pods(pool, 'mcp_server_sessions_open')})"


class Drawing(t.NamedTuple):
    """A panel, with a line for each pool and each of lines."""

    title: str
    unit: str  # as Grafana names it
    lines: t.Mapping[str, t.Callable[[str], str]]  # by what follows the pool in the legend
    measure: str = ""  # the one whose triggers' limits are drawn
    width: int = 12
    top: float | None = None  # of the axis


DRAWINGS = (
    Drawing("Share of the traffic", "percent", {"": share}, top=100),
    Drawing("Requests", "reqps", {"": requests}),
    Drawing("Error share, 5xx", "percent", {"": percent("errors")}, "errors"),
    Drawing("Latency", "s", {" p50": quantile(0.5), " p95": quantile(0.95), " p99": quantile(0.99)}, "latency"),
    Drawing("MCP errors and isError", "percent", {"": percent("mcp_errors")}, "mcp_errors", width=8),
    Drawing("Lost sessions: 400, 404 and 503", "percent", {"": percent("lost_sessions")}, "lost_sessions", width=8),
    Drawing("Failed queries of the database", "percent", {"": percent("database")}, "database", width=8),
    Drawing("Memory of the fullest pod, of its limit", "percent", {"": memory}, "memory"),
    Drawing("Restarts", "short", {"": restarts}, width=4),
    Drawing("Ready endpoints or replicas", "short", {"": ready}, width=4),
    Drawing("Open sessions", "short", {"": sessions}, width=4),
)


def limits(measure: str) -> builders.ThresholdsConfig:
    """Return the limits of the triggers of a measure as thresholds."""
    found = sorted(gate.limit for gate in thresholds.TRIGGERS if gate.measure == measure)
    # The first one has no value: it begins below all others.
    steps = [
        dashboard.Threshold(color="transparent"),
        *(dashboard.Threshold(value=limit, color="red") for limit in found),
    ]
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def panel(drawing: Drawing) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .title(drawing.title)
        .datasource(DATASOURCE)
        .unit(drawing.unit)
        .min(0)
        .span(drawing.width)
        .height(8)
        .fill_opacity(8)
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )
    triggers = [gate for gate in thresholds.TRIGGERS if gate.measure == drawing.measure]
    if triggers:
        made.thresholds(limits(drawing.measure)).thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
        made.description(
            " ".join(f"Trigger {one.name}: above {one.limit:g} {one.unit} for {one.window:g} s." for one in triggers)
        )
    if drawing.top is not None:
        made.max(drawing.top)
    for number, (pool, label) in enumerate((pool, label) for label in drawing.lines for pool in POOLS):
        query = prometheus.Dataquery().expr(drawing.lines[label](pool)).legend_format(f"{pool}{label}")
        made.with_target(query.ref_id(chr(ord("A") + number)).datasource(DATASOURCE).range())
    for pool, color in COLORS.items():
        made.override_by_regexp(
            f"^{pool}", [dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})]
        )
    return made


def variable(name: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .query(query)
        .datasource(DATASOURCE)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )


def pool_of_pod() -> str:
    """Return the regular expression that finds a server's name in that of a pod."""
    return f"/^(.+)-(?:{'|'.join(POOLS)})-{POD_SUFFIX.replace('(', '(?:')}$/"


def moving() -> str:
    """Return the query of when the share of a pool moves, as an annotation takes it: its title is this label."""
    moved = f"abs (delta(({share(POOLS[1])})[{NOW_AND_BEFORE}:15s])) > {MOVED}"
    return f'label_replace({moved}, "alertname", "The share moves", "", "")'.replace(WINDOW, "1m")


def made() -> dashboard.Dashboard:
    servers = variable(
        "server", f'label_values({{namespace="${{namespace}}", pod=~".+-({"|".join(POOLS)})-{POD_SUFFIX}"}}, pod)'
    ).regex(pool_of_pod())
    containers = (
        variable(
            "container",
            'label_values({namespace="${namespace}", pod=~"${server}-(blue|green)-.+", container!=""}, container)',
        )
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(dashboard.VariableOption(text="All", value="$__all", selected=True))
    )
    releases = (
        builders.AnnotationQuery()
        .name("Releases")
        .datasource(dashboard.DataSourceRef(type_val="grafana", uid="-- Grafana --"))
        .enable(True)
        .icon_color("purple")
        .target(
            builders.AnnotationTarget()
            .limit(100)
            .match_any(False)
            .type("tags")
            .tags([GRAFANA_TAG, "${namespace}/${server}"])
        )
    )
    moves = (
        builders.AnnotationQuery()
        .name("Traffic moves")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("yellow")
        .expr(moving())
    )
    whole = (
        builders.Dashboard("MCP server, blue/green")
        .uid(UID)
        .description("Both pools of an MCP server, beside the limits by which mcp.server takes a release back.")
        .tags(["mcp", "kubernetes"])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(builders.DatasourceVariable("datasource").type("prometheus"))
        .with_variable(variable("namespace", "label_values(namespace)"))
        .with_variable(servers)
        .with_variable(containers)
        .annotation(releases)
        .annotation(moves)
    )
    for number, drawing in enumerate(DRAWINGS, 1):
        whole.with_panel(panel(drawing).id(number))
    return whole.build()


def text() -> str:
    return JSONEncoder(indent=2, sort_keys=True).encode(made()) + "\n"


def expressions() -> dict[str, str]:
    """Return all queries of the file, by where they are in it."""
    data = json.loads(FILE.read_text())
    found = {
        f"{one['title']}: {target['legendFormat']}": target["expr"]
        for one in data["panels"]
        for target in one["targets"]
    }
    return found | {one["name"]: one["expr"] for one in data["annotations"]["list"] if "expr" in one}


def filled(query: str, namespace: str, server: str, window: str) -> str:
    """Return a query as Grafana sends it."""
    values = {"namespace": namespace, "server": server, "container": ".+", "__rate_interval": window}
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda one: values[one[1] or one[2]], query)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text())
