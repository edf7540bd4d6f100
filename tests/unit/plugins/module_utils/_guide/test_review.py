# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import date

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guide import document
from ansible_collections.mcp.server.plugins.module_utils._guide.review import review_warning


@pytest.mark.parametrize(
    ("reviewed", "warning"),
    [
        ("2026-11-28", ""),
        ("2026-08-28", ""),  # 92 days ago
        ("2026-08-27", "last reviewed on 2026-08-27, more than a quarter ago"),
        ("2025-08-25", "last reviewed on 2025-08-25, more than a quarter ago"),
        ("2027-01-01", ""),  # a newer collection than the clock of an API server
        ("last summer", "no date: 'last summer'"),
        ("", "no date: ''"),
    ],
)
def test_a_review_is_due_after_a_quarter(reviewed, warning):
    said = review_warning(reviewed, date(2026, 11, 28))
    assert (warning in said) if warning else said == ""


def test_the_document_has_a_day():
    assert review_warning(document.REVIEWED, date.fromisoformat(document.REVIEWED)) == ""


def test_the_version_of_the_guide_has_a_row():
    assert [row["guide"] for row in document.ROWS].count(document.GUIDE_VERSION) == 1
