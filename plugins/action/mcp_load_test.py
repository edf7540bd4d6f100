# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of every module: the other files of this folder are links to this one, unless they set more."""

from __future__ import annotations

import importlib

from ansible_collections.mcp.server.plugins.plugin_utils._in_process import InProcessAction

_MODULES = "ansible_collections.mcp.server.plugins.module_utils._modules"
# Ansible imports each link by its own name.
_MODULE = importlib.import_module(f"{_MODULES}.{__name__.rpartition('.')[2]}")


class ActionModule(InProcessAction):
    SPEC = _MODULE.SPEC
    RUN = _MODULE.run
