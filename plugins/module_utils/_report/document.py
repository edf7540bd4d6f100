# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTML around a page's content. Pure."""

from __future__ import annotations

from html import escape

from ansible_collections.mcp.server.plugins.module_utils._report.style import STYLE
from ansible_collections.mcp.server.plugins.module_utils._text import escaped


def document(title: str, body: str) -> str:
    """Return a file without fonts, images or scripts from elsewhere. body: HTML in which all text is escaped."""
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    # Text of others may turn the direction of writing, or have what is no UTF-8.
    return escaped(page, keep="\n")
