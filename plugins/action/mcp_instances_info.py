# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_instances_info import SPEC, run
from ansible_collections.mcp.server.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    SPEC = SPEC
    RUN = run
