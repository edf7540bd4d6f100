# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import typing as t
from pathlib import Path

from ansible.utils.display import Display

DOCUMENTATION = r"""
name: report_artifact
short_description: Return a report as text that fits into job stats
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - The HTML file of M(mcp.server.mcp_report), compressed (gzip) and in base64. In a container it is gone with the job;
    job stats (M(ansible.builtin.set_stats)) are kept by AWX as artifacts.
  - A report that is not there, or is larger than 96 kB then, is left out, with a warning.
positional: server
options:
  _input:
    description: The file.
    type: path
    required: true
  server:
    description: The server.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Publish the report of a release
  ansible.builtin.set_stats:
    data:
      mcp_report: "{{ '/tmp/report.html' | mcp.server.report_artifact('mcp-server') }}"
"""

RETURN = r"""
_value:
  description: The text by the name of the server; empty when it is left out.
  type: dict
"""

LARGEST = 96_000


def report_artifact(path: str, server: str) -> dict[str, str]:
    try:
        text = base64.b64encode(gzip.compress(Path(path).read_bytes(), mtime=0)).decode()
        problem = "" if len(text) <= LARGEST else f"it is larger than {LARGEST // 1000} kB"
    except OSError as error:
        text, problem = "", str(error.strerror)
    if problem:
        Display().warning(f"The report {path} is not in the job stats: {problem}.")
        return {}
    return {server: text}


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"report_artifact": report_artifact}
