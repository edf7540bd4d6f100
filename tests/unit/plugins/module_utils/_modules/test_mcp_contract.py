# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

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
            return [mcp_contract.Read("pod", "modern", {})]

        monkeypatch.setattr(mcp_contract.targets, "finder", lambda params: find)
        monkeypatch.setattr(mcp_contract, "_read_each", read)
        if away:
            assert mcp_contract._read({"pool": "green"}, None).name == "pool green"
        else:
            with pytest.raises(Failure, match="was closed"):
                mcp_contract._read({"pool": "green"}, None)
    assert len(reads) == (2 if away else 1)
