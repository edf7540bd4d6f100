# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ansible-core the collection needs. An older one only warns, and fails later with errors about arguments."""

from __future__ import annotations

import re
import sys

from ansible.release import __version__

OLDEST = (2, 19)  # as requires_ansible in meta/runtime.yml


def problem(version: str = __version__) -> str:
    """Return a sentence when this version of ansible-core is too old; empty when it is not."""
    found = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if found >= OLDEST:
        return ""
    oldest = ".".join(map(str, OLDEST))
    return (
        f"mcp.server needs ansible-core {oldest} or newer, and this is {version} of {sys.executable}. "
        f"Install ansible-core>={oldest}, or use an execution environment that has it (in AWX: of the job template)."
    )
