# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the other tests judge by finds what it is there to find."""

from __future__ import annotations

import base64
import json
import urllib.parse

import planted
import pytest
from looking import MISSING, cleaned, differences

SECRET = planted.REGISTRY_PASSWORD


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"{SECRET[:9]}\n    {SECRET[9:]}",
        f"{SECRET[:9]}\x1b[0m{SECRET[9:]}",
        urllib.parse.quote(SECRET, safe=""),
        json.dumps({"a": SECRET}),
        *(base64.b64encode(f"{before}{SECRET}:and more".encode()).decode() for before in ("", "a", "ab", "abc")),
    ],
)
def test_a_secret_is_found_in_any_form(text: str) -> None:
    assert planted.shown(text, planted.PLANTED) == [SECRET]


def test_what_is_hidden_is_not_found() -> None:
    assert planted.shown(f"password=******** {SECRET[:8]}", planted.PLANTED) == []


def test_objects_differ_by_what_somebody_wrote() -> None:
    before = {"metadata": {"name": "a", "generation": 1, "annotations": {"x": "1"}}, "spec": {"list": [{"a": 1}]}}
    after = {"metadata": {"name": "a", "generation": 2}, "spec": {"list": [{"a": 2}]}, "status": {"ready": 1}}
    assert differences({"Kind a": cleaned(before)}, {"Kind a": cleaned(after), "Kind b": cleaned(after)}) == {
        "Kind a metadata.annotations.x": ("1", MISSING),
        "Kind a spec.list[0].a": (1, 2),
        "Kind b": (MISSING, cleaned(after)),
    }
