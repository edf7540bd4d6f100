# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._status import quantities

MIB = 1024.0**2


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", 0.25),
        ("1", 1.0),
        (2, 2.0),
        ("1.5", 1.5),
        ("3n", 3e-9),
        ("7u", 7e-6),
        ("128Mi", 128 * MIB),
        ("1Gi", 1024 * MIB),
        ("57344Ki", 56 * MIB),
        ("1M", 1e6),
        ("2e3", 2000.0),
        ("1E", 1e18),
        *((odd, None) for odd in ("", "x", "1 Mi", "1mi", None, True, [], {}, "--1", "1e999", "9" * 400)),
    ],
)
def test_a_quantity(text, number):
    found = quantities.number(text)
    assert found == (None if number is None else pytest.approx(number))


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none()))
def test_whatever_it_is_the_number_is_finite(text):
    found = quantities.number(text)
    assert found is None or math.isfinite(found)


@pytest.mark.parametrize(
    ("used", "limit", "memory", "cpu"),
    [
        (None, 1.0, "-", "-"),
        (51 * MIB, 256 * MIB, "51 of 256 MiB (20 %)", None),
        (51 * MIB, None, "51 MiB", None),
        (0.02, 0.5, None, "20m of 500m (4 %)"),
        (0.0001, None, None, "1m"),
        (0.0, None, "0 MiB", "0m"),
    ],
)
def test_for_people(used, limit, memory, cpu):
    assert memory is None or quantities.memory(used, limit) == memory
    assert cpu is None or quantities.cpu(used, limit) == cpu
