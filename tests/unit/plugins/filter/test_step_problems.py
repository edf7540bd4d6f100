# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.filter.step_problems import step_problems


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([10, 50, 100], []),
        ([0, "100"], []),  # a variable of -e
        ([], ["The steps (none) do not end at 100 %"]),
        ([10, 50], ["The steps (10, 50) do not end at 100 %"]),
        ([50, 10], ["decrease (50, 10)"]),
        ([-1, 100, 101], ["A step has weight -1", "A step has weight 101"]),
    ],
)
def test_problems(weights, said):
    found = step_problems([{"weight": weight, "seconds": 1} for weight in weights])
    assert len(found) == len(said)
    assert all(words in problem for words, problem in zip(said, found, strict=True))


@pytest.mark.parametrize("steps", [None, 100, ["100"], [{"seconds": 1}], [{"weight": "half"}]])
def test_no_steps(steps):
    with pytest.raises(AnsibleFilterError, match="mcp_steps"):
        step_problems(steps)
