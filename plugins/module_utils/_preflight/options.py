# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release will need later, as options of the modules that check it before. Documented in doc_fragments/later.py and those that it extends."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _alertmanager, _registry
from ansible_collections.mcp.server.plugins.module_utils._announce import webhook
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates

OPTIONS: dict[str, t.Any] = {
    **_registry.OPTIONS,
    "prometheus": gates.OPTION,
    "step_gates": {"type": "dict"},
    "triggers": {"type": "dict"},
    "webhooks": webhook.OPTION,
    "alertmanager": _alertmanager.OPTION,
    "guard_image_ref": {"type": "str"},
    "report_dest": {"type": "path"},
    "files": {"type": "list", "elements": "path", "default": []},
}
