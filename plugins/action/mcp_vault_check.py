# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of mcp_vault_check, which hands it the lookup plugins of another collection."""

from __future__ import annotations

import functools

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_vault_check
from ansible_collections.mcp.server.plugins.plugin_utils import _vault_lookups
from ansible_collections.mcp.server.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    SPEC = mcp_vault_check.SPEC
    RUN = functools.partial(mcp_vault_check.run, ask=_vault_lookups.ask)
