# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The deployment guide as a document: version, review, whom to call, and the compatibility matrix. Data only.

tests/tools/guide.py writes the head and the tables of docs/guide from it. It is Python, as a module that is sent to
another host takes no other file with it.
"""

from __future__ import annotations

import typing as t

# The version of the guide that this collection automates, and the day on which somebody last read all of docs/guide
# against it. After a review, change the day and run tests/tools/guide.py.
GUIDE_VERSION = "1.0"
REVIEWED = "2026-11-28"

OWNER = "Platform Engineering"
# Whom the guide names. What playbooks print is mcp_escalation of the inventory, as these are roles without a number.
CONTACTS = (
    ("Primary On-Call", "Platform Engineering Rotation"),
    ("Secondary", "MCP Development Team Lead"),
    ("Escalation", "Engineering Director"),
)
# The Escalation Tree, by the kinds of mcp_escalation, the lowest first.
ESCALATION = {
    "deployment": "Platform Engineering On-Call",
    "application": "MCP Development Team Lead",
    "business": "Engineering Director",
    "customer": "Engineering VP + Customer Success",
}


class Row(t.TypedDict):
    """What goes with a version of the guide. An empty value sets no limit."""

    guide: str
    server: str  # the server's versions, such as "1.0.x - 1.2.x"
    revisions: list[str]  # of MCP, by date; the server must accept one of them
    kubernetes: str  # its versions, such as "1.24+"
    notes: str


# The compatibility matrix: a row for each version of the guide, in its words. Users add rows of their own. It has no
# revisions of MCP: those of its own version are what the collection speaks.
ROWS: tuple[Row, ...] = (
    {
        "guide": "1.0",
        "server": "1.0.x - 1.2.x",
        "revisions": ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"],
        "kubernetes": "1.24+",
        "notes": "Current",
    },
    {
        "guide": "0.9",
        "server": "0.8.x - 1.1.x",
        "revisions": [],
        "kubernetes": "1.22+",
        "notes": "Legacy",
    },
)
