# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said when the Python that runs a play lacks a library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PROMETHEUS = {"prometheus": {"url": "http://127.0.0.1:9"}}


@pytest.mark.parametrize(
    ("library", "module", "options"),
    [
        ("jmespath", "mcp_health", {"pool": "green", "health_path": "/health", "health_checks": ["ok"]}),
        ("requests", "mcp_gate", {"pool": "green", **PROMETHEUS}),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(play, tmp_path, library, module, options):
    (tmp_path / f"{library}.py").write_text(f"raise ImportError('No module named {library}')\n")
    task = {f"mcp.server.{module}": {"namespace": "mcp", "server": "weather", **options}}
    process = play([task], PYTHONPATH=str(tmp_path))
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 2, output
    words = " ".join(output.split())
    assert f"The Python library {library} is missing on " in words, words
    assert f"Install it: {Path(sys.executable).parent}/python" in words and f" -m pip install {library} " in words, (
        words
    )
    assert "ansible_python_interpreter" not in words, words
