# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that name what a release needs later. Documented in doc_fragments/later.py and those that it extends."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _alertmanager
from ansible_collections.mcp.server.plugins.module_utils._announce import webhook
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries

OPTIONS: dict[str, t.Any] = {
    **registries.OPTIONS,
    "prometheus": gates.OPTION,
    "step_gates": {"type": "dict"},
    "triggers": {"type": "dict"},
    "webhooks": webhook.OPTION,
    "alertmanager": _alertmanager.OPTION,
    "guard_image_ref": {"type": "str"},
    "report_dest": {"type": "path"},
    "bypassed": {"type": "list", "elements": "str", "default": [], "no_log": False},
    # Of what has to be there now, which the plan looks at, too.
    "nodes_scale": {"type": "bool", "default": False},
    "image_check_command": {"type": "list", "elements": "str", "default": []},
    "image_check_timeout": {"type": "float", "default": 60.0},
    "files": {"type": "list", "elements": "path", "default": []},
}
