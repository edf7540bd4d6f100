# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a task that ends with ending.py, which takes longer to import."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._traffic import revert_monitor

# Documented in doc_fragments/ending.py. A dict has the options of the module of that name.
OPTIONS: dict[str, t.Any] = {
    "failed_replicas": {"type": "int", "default": 0},
    "rollback_retry_timeout": {"type": "float", "default": 600.0},
    "rollback_timeout": {"type": "float", "default": 120.0},
    "start_timeout": {"type": "float", "default": 300.0},
    "ready_grace": {"type": "float", "default": 30.0},
    **revert_monitor.OPTIONS,
    "silence": {"type": "dict"},
    "announce": {"type": "dict"},
    "report": {"type": "dict"},
}
