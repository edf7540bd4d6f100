# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of probes, as lines for people. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._debug.probes import DNS, MCP, TCP, Outcome
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._table import Row, table

MAX_CELL = 120  # characters


def lines(server: Server, outcomes: t.Sequence[Outcome], notes: t.Sequence[str]) -> list[str]:
    """Return the lines: a row for each probe, what is to be known of them, and what to do next."""
    rows: list[Row] = [("PROBE", "TARGET", "RESULT", "SECONDS", "DETAIL")]
    rows += [
        (one.probe.kind, one.probe.target, "ok" if one.ok else "FAILED", f"{one.seconds:.2f}", one.detail)
        for one in outcomes
    ]
    return [*table(rows, MAX_CELL), *notes, "", *ending(server, outcomes)]


def ending(server: Server, outcomes: t.Sequence[Outcome]) -> list[str]:
    """Return how many failed, and what to do next."""
    failed = [one for one in outcomes if not one.ok]
    if not failed:
        return ["All probes passed.", "Next: ansible-playbook mcp.server.diagnose"]
    return [f"{len(failed)} of {len(outcomes)} probes failed.", f"Next: {_next(server, failed)}"]


def _next(server: Server, failed: t.Sequence[Outcome]) -> str:
    """Return the command by which to go on, by the failure that explains the others."""
    kinds = {one.probe.kind for one in failed}
    if any(one.probe.kind == DNS and "name server" in one.detail for one in failed):
        return "kubectl -n kube-system get pods -l k8s-app=kube-dns"
    if DNS in kinds:
        return f"kubectl -n {server.namespace} get services"
    if TCP in kinds:
        return f"kubectl -n {server.namespace} get endpointslices,networkpolicies"
    if MCP in kinds:
        return "ansible-playbook mcp.server.diagnose"
    return f"kubectl -n {server.namespace} get pods"
