# SPDX-License-Identifier: GPL-3.0-or-later
"""actionlint, which checks workflows of GitHub (MIT licence), for the tests of the role ci_scaffold:
python -m sandbox.workflow_tool builds it, once, and prints where it is.

It is no part of the collection.
"""

from __future__ import annotations

from pathlib import Path

from .images import go_tools
from .machine import run
from .paths import SOURCE, key

ACTIONLINT = SOURCE / "actionlint"


def binary() -> Path:
    """Return its executable. Raises SandboxError."""
    place = go_tools("actionlint", ACTIONLINT, key(ACTIONLINT, run(["go", "version"])), "")
    return place / "actionlint"


if __name__ == "__main__":
    print(binary())
