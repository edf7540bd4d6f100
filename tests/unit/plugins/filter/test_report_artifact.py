# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import gzip
import random

from ansible_collections.mcp.server.plugins.filter.report_artifact import report_artifact


def test_a_report_comes_back_as_it_was(tmp_path):
    text = "<html>é" + "0" * 100_000 + "</html>"
    (tmp_path / "report.html").write_text(text)
    found = report_artifact(str(tmp_path / "report.html"), "shop")
    assert gzip.decompress(base64.b64decode(found["shop"])).decode() == text
    assert len(found["shop"]) < 1000 and found == report_artifact(str(tmp_path / "report.html"), "shop")


def test_what_is_missing_or_too_large_is_left_out(tmp_path):
    assert report_artifact(str(tmp_path / "nothing.html"), "shop") == {}
    (tmp_path / "large.html").write_bytes(random.Random(1).randbytes(80_000))
    assert report_artifact(str(tmp_path / "large.html"), "shop") == {}
