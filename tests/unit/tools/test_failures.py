# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import failures
import pytest

PYTEST = """\
test_a.py::test_one PASSED [ 50%]
test_a.py::test_two[x] FAILED [100%]
>       assert code == 0, said
E       AssertionError: the play said
E         more of it
E       assert 2 == 0
test_a.py:7: AssertionError
>       assert found
E       assert []
"""


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (
            PYTEST,
            ["test_a.py::test_two[x] FAILED [100%]", "E       AssertionError: the play said", "E       assert []"],
        ),
        ("make: begins\n\na.py:1:2: E501\nFound 1 error.\n", ["make: begins", "a.py:1:2: E501", "Found 1 error."]),
        ("", []),
        ("x" * 1000, ["x" * failures.WIDTH]),
    ],
)
def test_the_reasons_of_a_failure(log: str, says: list[str]) -> None:
    assert failures.reasons(log) == says


def test_many_failures_are_some_lines() -> None:
    log = "\n".join(f"test_a.py::test_{n} FAILED\nE   reason {n}\nx" for n in range(100))
    assert len(failures.reasons(log)) == 2 * failures.MOST


def test_a_second_try_leaves_the_reasons_of_the_first() -> None:
    assert failures.first_try("b.py::test_b PASSED\n") == ""
    log = f"{PYTEST}{failures.SECOND_TRY}\ntest_a.py::test_two[x] PASSED\n"
    assert failures.reasons(failures.first_try(log)) == failures.reasons(PYTEST)
    script = Path(__file__).parents[2] / "integration" / "pytest.sh"
    assert f'echo "{failures.SECOND_TRY}"' in script.read_text()
