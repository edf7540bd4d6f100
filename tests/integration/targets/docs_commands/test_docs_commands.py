# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the pages for users, page by page, as a reader types them: ../../command_pages.py is the table."""

from __future__ import annotations

import pytest
from command_pages import RUN
from playing import CONFIG

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.soak if its.soak else ()) for page, its in RUN.items()]
)
def test_the_commands_of_a_page(page: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(RUN[page].world).run_page(page)
