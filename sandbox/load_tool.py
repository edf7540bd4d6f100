# SPDX-License-Identifier: GPL-3.0-or-later
"""vegeta, a load tool (MIT licence), for the tests of mcp_load_test: python -m sandbox.load_tool builds it, once, and
prints where it is.

It is no part of the collection: users bring their own.
"""

from __future__ import annotations

from pathlib import Path

from .images import go_tools
from .machine import run
from .paths import SOURCE, key

VEGETA = SOURCE / "vegeta"


def binary() -> Path:
    """Return its executable. Raises SandboxError."""
    place = go_tools("vegeta", VEGETA, key(VEGETA, run(["go", "version"])), "")
    return place / "vegeta"


if __name__ == "__main__":
    print(binary())
