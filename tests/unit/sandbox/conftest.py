# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example server is no part of the collection: its package is found in its own folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "sandbox" / "server"))


@pytest.fixture(scope="session")
def machine():
    # By path: this folder is called sandbox as well.
    specification = importlib.util.spec_from_file_location(
        "the_sandbox", ROOT / "sandbox" / "__init__.py", submodule_search_locations=[str(ROOT / "sandbox")]
    )
    sys.modules["the_sandbox"] = importlib.util.module_from_spec(specification)
    return importlib.import_module("the_sandbox.machine")
