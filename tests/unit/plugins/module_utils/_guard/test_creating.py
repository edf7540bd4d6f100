# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guard.job import identity, job, name
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import retry
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unanswered
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_guard
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
FORMER, WANTED = (job(SERVER, run, "ee:1", "releaser", {"release_id": "r"}) for run in ("former", "ours"))


PATH = f"/apis/batch/v1/namespaces/prod/jobs/{name(SERVER)}"


@pytest.mark.parametrize(("leaves", "lost"), [(1, False), (9, False), (1, True), (3, True)])
def test_a_guard_is_made_once_the_former_one_is_gone(leaves: int, lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """leaves: at which create it is gone. lost: whether the answer to the one that is stored is."""
    monkeypatch.setattr(retry, "LONGEST", 0.01)
    api = ApiServer({PATH: FORMER})
    api.call(lambda: len(api.asked("POST")) == leaves and api.objects.pop(PATH), "POST", times=leaves)
    if lost:
        api.fail(Unanswered("no answer"), "POST", after=True)
    made = mcp_guard._create(api, SERVER, WANTED, 5.0, dry_run=False)
    assert made == api.objects[PATH] and identity(made) == identity(WANTED)
    assert len(api.asked("POST")) == leaves and not api.rules
