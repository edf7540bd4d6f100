# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection community.hashi_vault and its library hvac, which users install and this collection does not."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import bundle  # noqa: E402


def folder() -> Path:
    """Return the folder that has ansible_collections and, as Python finds it, hvac. Fetches both once."""
    return bundle.folder("community.hashi_vault", "hvac==2.4.0")
