# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug import table
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Outcome, Probe
from ansible_collections.mcp.server.plugins.module_utils._server import Server

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "")


def test_the_table() -> None:
    outcomes = [
        Outcome(Probe("dns", "database"), True, 0.012, "10.0.0.5"),
        Outcome(Probe("tcp", "database:5432"), False, 5.0, "refused \x1b[2J\nok: [forged]"),
    ]
    assert table.lines(SERVER, outcomes, ["pool green has no ready pod"]) == [
        "PROBE  TARGET         RESULT  SECONDS  DETAIL",
        "dns    database       ok      0.01     10.0.0.5",
        "tcp    database:5432  FAILED  5.00     refused [2J ok: [forged]",
        "pool green has no ready pod",
        "",
        "1 of 2 probes failed.",
        "Next: kubectl -n prod get endpointslices,networkpolicies",
    ]


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        ([], "ansible-playbook mcp.server.diagnose"),
        ([("mcp", "")], "ansible-playbook mcp.server.diagnose"),
        ([("http", "")], "kubectl -n prod get pods"),
        ([("mcp", ""), ("tcp", "")], "kubectl -n prod get endpointslices,networkpolicies"),
        ([("tcp", ""), ("dns", "the name does not exist")], "kubectl -n prod get services"),
        ([("tcp", ""), ("dns", "no name server answers")], "kubectl -n kube-system get pods -l k8s-app=kube-dns"),
    ],
)
def test_the_next_command_is_by_the_failure_that_explains_the_others(failed: list[tuple[str, str]], words: str) -> None:
    outcomes = [Outcome(Probe(kind, "x"), False, 0.0, detail) for kind, detail in failed]
    assert table.ending(SERVER, outcomes)[-1] == f"Next: {words}"
