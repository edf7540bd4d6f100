# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The style of reports: light, dark and on paper, without fonts or images from elsewhere."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #16181d; --soft: #565b66; --line: #dfe1e6; --grid: #ebecef;
  --blue: #1f6fd1; --green: #0b8a43; --good: #0b7a33; --warn: #8a5a00; --bad: #c22f2f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1d2026; --ink: #eceef2; --soft: #a6adba; --line: #343943; --grid: #2a2e36;
    --blue: #62a4f5; --green: #4cc27c; --good: #4cc27c; --warn: #e2b04a; --bad: #f27a72;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 980px; margin: 0 auto; padding: 28px 20px 40px; }
h1 { font-size: 22px; line-height: 1.3; margin: 10px 0 2px; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 0 0 10px; }
h3 { font-size: 13px; margin: 14px 0 0; font-weight: 600; }
h3 small { color: var(--soft); font-weight: 400; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px;
  margin-top: 16px; overflow-x: auto;
}
p { margin: 4px 0; }
.soft, .id { color: var(--soft); }
.id { font-size: 13px; overflow-wrap: anywhere; }
.badge {
  display: inline-block; border: 1px solid currentColor; border-radius: 99px; padding: 1px 12px;
  font-weight: 600; font-size: 13px;
}
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.why { border-left: 4px solid var(--line); overflow-wrap: anywhere; white-space: pre-line; }
.why.bad { border-left-color: var(--bad); color: inherit; }
.why.warn { border-left-color: var(--warn); color: inherit; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.logs pre { max-height: 420px; overflow: auto; margin: 4px 0 10px; }
pre { margin: 0; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th {
  text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--line);
  padding: 4px 14px 4px 0; vertical-align: bottom;
}
td { border-bottom: 1px solid var(--grid); padding: 5px 14px 5px 0; vertical-align: top; }
tr:last-child td { border-bottom: 0; }
.n { text-align: right; white-space: nowrap; }
.swatch { display: inline-block; width: 18px; height: 0; border-top: 3px solid; margin: 0 6px 4px 0; }
.swatch.set { border-top: 2px dashed var(--soft); }
.legend span { margin-right: 18px; white-space: nowrap; font-size: 13px; }
.blue { color: var(--blue); } .green { color: var(--green); }
svg { display: block; width: 100%; min-width: 560px; height: auto; }
svg text { font-size: 11.5px; fill: var(--soft); stroke: none; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg path { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg path.blue, svg line.blue { stroke: var(--blue); } svg path.green, svg line.green { stroke: var(--green); }
svg circle { stroke: var(--card); stroke-width: 1.5; }
svg circle.blue, svg text.blue { fill: var(--blue); } svg circle.green, svg text.green { fill: var(--green); }
svg text.end { font-weight: 600; }
svg path.set { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg line.mark, svg line.bad, svg line.good, svg line.warn {
  stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3;
}
svg line.bad { stroke: var(--bad); stroke-dasharray: none; }
svg line.good { stroke: var(--good); stroke-dasharray: none; }
svg line.warn { stroke: var(--warn); stroke-dasharray: none; }
svg text.bad { fill: var(--bad); font-weight: 600; } svg text.good { fill: var(--good); font-weight: 600; }
svg text.warn { fill: var(--warn); font-weight: 600; }
footer { color: var(--soft); font-size: 12.5px; margin-top: 18px; }
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --grid: #dddddd;
    --blue: #1f6fd1; --green: #0b8a43; --good: #0b7a33; --warn: #8a5a00; --bad: #c22f2f;
  }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  section {
    border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 10px 0; margin-top: 10px;
    overflow: visible;
  }
  section.why { padding-left: 12px; }
  .chart, tr, dl { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
