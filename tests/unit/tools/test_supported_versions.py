# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import supported_versions
from jobs import JOBS


def test_the_page_is_current():
    assert supported_versions.PAGE.read_text() == supported_versions.page(), "run tests/tools/supported_versions.py"


def test_every_environment_that_a_job_has_is_a_row():
    assert {job.environment for job in JOBS} == set(supported_versions.ENVIRONMENTS)


def test_a_version_that_is_not_there_or_not_one_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "pins.txt").write_text("a==1\nb==2\nb==3\n")
    monkeypatch.setattr(supported_versions, "ROOT", tmp_path)
    assert supported_versions.found("pins.txt", r"^a==(\S+)") == "1"
    for name in ("b", "c"):
        with pytest.raises(ValueError, match="not one thing"):
            supported_versions.found("pins.txt", rf"^{name}==(\S+)")
