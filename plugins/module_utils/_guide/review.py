# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the guide's review is due. Pure."""

from __future__ import annotations

from datetime import date

# Days after which something is overdue: commands each month, the rest with the guide's own review.
MONTH, QUARTER = 31, 92
CURE = "install a newer version, or review docs/guide against it"


def review_warning(reviewed: str, today: date) -> str:
    """Return in a sentence why the guide must be reviewed; empty when it need not. reviewed: a day, ISO 8601."""
    try:
        age = (today - date.fromisoformat(reviewed)).days
    except ValueError:
        return f"The day of the guide's last review is no date: {reviewed!r}."
    if age > QUARTER:
        return f"The guide of this collection was last reviewed on {reviewed}, more than a quarter ago: {CURE}."
    return ""
