# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from record_terminal import cleaned, inserted

SAID = """
PLAY [Break the glass] *****

TASK [Skip hosts that are no MCP server] *****
skipping: [day-1]

TASK [mcp.server.break_glass : Send all traffic to the pool] *****
\x1b[32m  [day-1] cluster https://127.0.0.1:6443 (of /tmp/x-0/y/breaker.kubeconfig)\x1b[0m
changed: [day-1]

TASK [mcp.server.break_glass : Fail when something could not be done] *****
ok: [day-1]

PLAY RECAP *****
day-1 : ok=5
"""
SHOWN = """PLAY [Break the glass] *****

TASK [mcp.server.break_glass : Send all traffic to the pool] *****
  [mcp-server] cluster https://127.0.0.1:6443 (of breaker.kubeconfig)
changed: [mcp-server]

PLAY RECAP *****
mcp-server : ok=5
"""


def test_of_a_failed_task_the_reason_is_shown() -> None:
    said = 'fatal: [a]: FAILED! => {"changed": true, "gates": [1, 2], "msg": "v2 was rolled back."}'
    assert cleaned(said) == 'fatal: [a]: FAILED! => {..., "msg": "v2 was rolled back."}\n'
    assert cleaned("fatal: [a]: FAILED! => odd") == "fatal: [a]: FAILED! => odd\n"


def test_what_a_page_shows() -> None:
    assert cleaned(SAID, [("day-1", "mcp-server")]) == SHOWN


def test_long_lines_go_on_below_and_rows_of_tables_stay() -> None:
    row = "POD" + 120 * " " + "NODE"
    assert cleaned(f"TASK [a] **\n{row}\n{'word ' * 40}\n").splitlines() == [
        "TASK [a] **",
        row,
        " ".join(["word"] * 24),
        8 * " " + " ".join(["word"] * 16),
    ]
    assert cleaned("TASK [a] **\n[ERROR]: Task failed: why\n66   a\n67\n  ^ column 7\nfatal: why\n").splitlines() == [
        "TASK [a] **",
        "fatal: why",
    ]


def test_a_block_is_written_anew() -> None:
    page = "# Page\n\n<!-- terminal: one -->\n\n```text\nold\n```\n\n<!-- terminal: two -->\n```text\nkept\n```\n"
    assert inserted(page, "one", "new \\1\n") == page.replace("old", "new \\1")
    with pytest.raises(ValueError, match="terminal: three"):
        inserted(page, "three", "new\n")
