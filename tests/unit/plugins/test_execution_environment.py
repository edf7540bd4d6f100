# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pins of the execution environment: complete, with hashes, and within what the collection supports."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
EXECUTION_ENVIRONMENT = ROOT / "execution-environment"
# What is there for ansible-builder only.
OF_THE_BUILDER = {"bindep", "dumb-init", "packaging", "pyyaml"}


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", file.read_text(), re.MULTILINE))


def test_every_requirement_is_pinned_in_the_same_version() -> None:
    asked, locked = pins(EXECUTION_ENVIRONMENT / "requirements.in"), pins(EXECUTION_ENVIRONMENT / "requirements.txt")
    assert asked and asked.items() <= locked.items()


def test_every_pin_has_hashes_and_nothing_else_is_in_the_file() -> None:
    text = (EXECUTION_ENVIRONMENT / "requirements.txt").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    bad = [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[^\s;]+(\s+--hash=sha256:[0-9a-f]{64})+\s*", line)]
    assert lines and not bad


def test_the_pins_are_what_the_collection_asks_for() -> None:
    asked = pins(EXECUTION_ENVIRONMENT / "requirements.in")
    ranges = [Requirement(line) for line in (ROOT / "meta" / "ee-requirements.txt").read_text().split()]
    assert {one.name for one in ranges} == set(asked) - OF_THE_BUILDER - {"ansible-core", "ansible-runner"}
    assert not [str(one) for one in ranges if asked[one.name] not in one.specifier]


def test_tests_start_jobs_by_the_runner_that_is_in_the_image() -> None:
    tools = pins(ROOT / "tests" / "tools" / "requirements" / "execution-environment.txt")
    asked = pins(EXECUTION_ENVIRONMENT / "requirements.in")
    assert all(tools[name] == asked[name] for name in ("ansible-core", "ansible-runner"))
