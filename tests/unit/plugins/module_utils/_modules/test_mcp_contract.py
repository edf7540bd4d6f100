# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._contract import compare
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_contract
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


@pytest.mark.parametrize("away", [60.0, 0.0])
def test_what_fails_while_the_api_server_is_away_is_read_again(monkeypatch, away):
    """The pods are asked through it."""
    with outage.waiting(outage.Waiting()) as waiting:
        found, reads = [], []

        def find():
            found.append(1)
            waiting.seconds += away if len(found) == 2 else 0
            return ["pod"]

        def read(endpoints, settings):
            reads.append(endpoints)
            if len(reads) == 1:
                raise Failure("The connection was closed.")
            return [mcp_contract.ReadContract("pod", "modern", {})]

        monkeypatch.setattr(mcp_contract.targets, "finder", lambda params: find)
        monkeypatch.setattr(mcp_contract, "_read_each", read)
        if away:
            assert mcp_contract._read({"pool": "green"}, None).name == "pool green"
        else:
            with pytest.raises(Failure, match="was closed"):
                mcp_contract._read({"pool": "green"}, None)
    assert len(reads) == (2 if away else 1)


def change(number: int) -> compare.Change:
    return compare.Change(
        "breaking", f"tools/t{number}", "removed", f"Tool t{number} is gone: clients that use it fail."
    )


@pytest.mark.parametrize(
    ("count", "middle"),
    [
        (1, "in 1 way that may break clients: [tools/t0] Tool t0 is gone: clients that use it fail. Fix"),
        (2, "in 2 ways that may break clients: [tools/t0] Tool t0 is gone: clients that use it fail. [tools/t1] Tool"),
        (5, "[tools/t4] Tool t4 is gone: clients that use it fail. Fix"),
        (6, "[tools/t4] Tool t4 is gone: clients that use it fail. And 1 more. Fix"),
    ],
)
def test_the_failure_names_five_changes_and_counts_the_others(count: int, middle: str) -> None:
    message = mcp_contract.failure_sentence("pool green of mcp/weather", "pool blue", list(map(change, range(count))))
    assert message.startswith("The contract of pool green of mcp/weather differs from that of pool blue in ")
    assert middle in message
    assert message.endswith("Fix the new version, or accept these changes by the names in brackets (option accept).")
    assert message.count("[tools/") == min(count, 5)
