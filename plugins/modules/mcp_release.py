#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_release
short_description: x
options: {}
"""
EXAMPLES = ""
RETURN = ""

from ansible_collections.mcp.server.plugins.module_utils._task import main
from ansible_collections.mcp.server.plugins.module_utils._traffic.release import SPEC, run

if __name__ == "__main__":
    main(SPEC, run)
