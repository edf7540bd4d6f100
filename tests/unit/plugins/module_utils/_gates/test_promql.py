# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What report and dashboard ask; the sandbox's Prometheus is asked for real in the target monitoring."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.packs import PACKS, renamed
from ansible_collections.mcp.server.plugins.module_utils._gates.promql import PoolQueries
from ansible_collections.mcp.server.plugins.module_utils._server import Server

GREEN = names_of(Server("prod", "mcp", "{server}-{pool}", "mcp", "main"), "green")


def test_the_fullest_pod():
    pack = renamed(PACKS["kubelet"], {"pod": "pod_name"})
    of = 'namespace=~"prod", pod_name=~"mcp-green-[0-9a-z]+-[0-9a-z]+", container=~"main"'
    by = "namespace, pod_name, container"
    assert PoolQueries(pack, GREEN, "1m").fullest(pack.measures["memory"]) == (
        f"100 * max (max by ({by}) (container_memory_working_set_bytes{{{of}}}) / on ({by}) "
        f"(max by ({by}) (container_spec_memory_limit_bytes{{{of}}} > 0) "
        f'or max by ({by}) (kube_pod_container_resource_limits{{{of}, resource=~"memory"}} > 0)))'
    )


def test_both_ways_of_counting_a_canary():
    query = PoolQueries(PACKS["ingress_nginx"], GREEN, "1m").requests(PACKS["ingress_nginx"].measures["requests"])
    assert query.count("rate(nginx_ingress_controller_requests{") == 2 and " or " in query


def test_what_a_value_must_not_be():
    """Prometheus' regular expressions (RE2) have no lookahead: it would refuse the whole query."""
    query = PoolQueries(PACKS["otel"], GREEN, "1m").quantile(PACKS["otel"].measures["latency"], 0.99)
    assert 'mcp_method_name!~"subscriptions/listen.*"' in query
    assert "(?!" not in query


@pytest.mark.parametrize("pack", PACKS)
def test_what_is_no_counter_has_no_requests(pack):
    for measure in PACKS[pack].measures.values():
        queries = PoolQueries(PACKS[pack], GREEN, "1m")
        if hasattr(measure, "limits"):
            with pytest.raises(TypeError, match="counts no requests"):
                queries.requests(measure)
        else:
            assert queries.requests(measure).startswith("sum (rate(")
