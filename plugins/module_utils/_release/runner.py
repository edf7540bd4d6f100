# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name of whoever releases, for the record and the Lease."""

from __future__ import annotations

import getpass
import os
import socket

from ansible_collections.mcp.server.plugins.module_utils._text import printable

# Who started AWX's job, which AWX says in variables of the play, and the action plugins in the environment.
LAUNCHER = "MCP_AWX_USER"
LAUNCHER_VARIABLES = ("awx_user_name", "tower_user_name")
MAX_LAUNCHER = 60  # characters


def runner_name() -> str:
    """Return the AWX job and who started it, or else USER@MACHINE."""
    if "AWX_PRIVATE_DATA_DIR" in os.environ and os.environ.get("JOB_ID"):
        launcher = printable(os.environ.get(LAUNCHER, ""), MAX_LAUNCHER)
        return f"AWX job {os.environ['JOB_ID']}" + (f" of {launcher}" if launcher else "")
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container with a user id that has no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
