# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name of whoever releases, for the record and the Lease."""

from __future__ import annotations

import getpass
import os
import socket


def runner_name() -> str:
    """Return the AWX job, or else USER@MACHINE."""
    if "AWX_PRIVATE_DATA_DIR" in os.environ and os.environ.get("JOB_ID"):
        return f"AWX job {os.environ['JOB_ID']}"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container with a user id that has no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
