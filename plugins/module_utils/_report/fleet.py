# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a fleet: how each of its servers ended. Pure."""

from __future__ import annotations

import typing as t
from html import escape

from ansible_collections.mcp.server.plugins.module_utils._fleet import state
from ansible_collections.mcp.server.plugins.module_utils._report.document import document

TONES = {
    **dict.fromkeys(state.GOOD, "good"),
    state.ROLLED_BACK: "warn",
    state.PAUSED: "warn",
    state.TAKEN_BACK: "warn",
    state.FAILED: "bad",
    state.NOT_TAKEN_BACK: "bad",
}


def page(rows: t.Sequence[state.Row], summary: str, version: str, contacts: t.Sequence[str], at: str) -> str:
    """Return the file. rows: of an ended fleet. summary: of state.summary(). contacts: whom to call, as lines."""
    good = not state.is_bad(rows)
    badge = "✓ released" if good else "✕ not released everywhere"
    calls = f"<section><h2>Whom to call</h2><p>{'<br>'.join(map(escape, contacts))}</p></section>" if contacts else ""
    head = "<thead><tr><th>Server</th><th>Wave</th><th>State</th><th>Weight</th><th>Verdict</th></tr></thead>"
    body = "\n".join(map(_row, rows))
    return document(
        f"Release of {version} to {len(rows)} servers",
        f"""<span class="badge {"good" if good else "bad"}">{badge}</span>
<h1>{escape(f"Release of {version} to {len(rows)} servers")}</h1>
<p class="id">Ended {escape(at)}</p>
<section class="why {"good" if good else "bad"}"><h2>Outcome</h2><p>{escape(summary)}</p></section>
{calls}
<section><h2>Servers</h2>
<table>{head}
<tbody>
{body}
</tbody></table></section>
<footer>Made by the Ansible collection mcp.server. The report of each server has its steps and gates. \
All times are UTC.</footer>""",
    )


def _row(row: state.Row) -> str:
    weight = "–" if row.weight is None else f"{row.weight} %"
    return (
        f'<tr><td>{escape(row.host)}</td><td class="n">{row.wave}</td>'
        f'<td class="{TONES.get(row.state, "")}">{escape(row.state)}</td><td class="n">{weight}</td>'
        f"<td>{escape(row.text)}</td></tr>"
    )
