# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_scaffold import run
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

TEXT = "# @STAMP@\nold\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    return tmp_path / "clone"


def write(clone: Path, content: str = TEXT, *, check: bool = False, **given: t.Any) -> tuple[dict[str, t.Any], list]:
    """Return the result, and the warnings."""
    warned: list[str] = []
    params = {"path": "ci/a.sh", "once": False, "mention": None, "overwrite": False, **given}
    return run(Task({"folder": str(clone), "content": content, **params}, check_mode=check, warn=warned.append)), warned


def test_check_mode_writes_nothing_and_a_second_run_changes_nothing(clone: Path) -> None:
    result, _warned = write(clone, check=True)
    assert result["changed"] and result["state"] == "created" and not (clone / "ci").exists()
    assert result["diff"]["before"] == "" and result["diff"]["after"].endswith("old\n")
    assert write(clone)[0] == result
    assert (clone / "ci/a.sh").read_text() == result["diff"]["after"]
    again, warned = write(clone)
    assert (again["changed"], again["state"], warned) == (False, "unchanged", [])
    assert again["diff"]["before"] == again["diff"]["after"]


def test_a_change_by_hand_is_kept_until_it_is_given_up_by_name(clone: Path) -> None:
    write(clone)
    file = clone / "ci/a.sh"
    file.write_text(file.read_text().replace("old", "mine"))
    file.chmod(0o755)
    result, warned = write(clone, TEXT.replace("old", "new"))
    assert (result["changed"], result["state"]) == (False, "kept") and "mine" in file.read_text()
    assert warned == [result["note"]] and "-e mcp_ci_overwrite=ci/a.sh" in result["note"]
    assert {"-mine", "+new"} <= {*result["difference"]}
    result, warned = write(clone, TEXT.replace("old", "new"), overwrite=True)
    assert (result["changed"], result["state"], warned) == (True, "updated", []) and "new" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o755


def test_a_file_that_is_made_once(clone: Path) -> None:
    assert write(clone, "{}\n", once=True)[0]["state"] == "created"
    (clone / "ci/a.sh").write_text("mine\n")
    result, warned = write(clone, "{}\n", once=True)
    assert (result["state"], result["note"], warned) == ("unchanged", "", [])
    result, warned = write(clone, "{}\n", once=True, mention="include.yml")
    assert warned == ["ci/a.sh was there and is kept. It needs a line with include.yml: add it."]


def test_links_and_what_is_no_text_are_somebody_elses(clone: Path, tmp_path: Path) -> None:
    (clone / "ci").mkdir()
    (tmp_path / "theirs").write_text("theirs\n")
    (clone / "ci/a.sh").symlink_to(tmp_path / "theirs")
    assert write(clone)[0]["state"] == "kept" and (tmp_path / "theirs").read_text() == "theirs\n"
    (clone / "ci/b.sh").write_bytes(b"\xff\n")
    assert write(clone, path="ci/b.sh")[0]["state"] == "kept"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"path": "/etc/passwd"}, "/etc/passwd is not in "),
        ({"path": "../a"}, "../a is not in "),
        ({"path": "out/a"}, "out/a is not in "),
        ({"path": ""}, " is not in "),
        ({"path": "ci"}, "Cannot write "),
        ({"path": "file/a"}, "Cannot write "),
        ({"content": "no stamp\n"}, "has no @STAMP@ in its first lines"),
        ({"folder": "/nonexistent"}, "folder (mcp_source) is /nonexistent, which is no clone"),
    ],
)
def test_what_is_refused_with_a_sentence(clone: Path, tmp_path: Path, given: dict[str, str], says: str) -> None:
    (clone / "out").symlink_to(tmp_path)
    (clone / "ci").mkdir()
    (clone / "file").write_text("")
    before = sorted(os.walk(tmp_path))
    with pytest.raises(Failure) as failed:
        write(Path(given.pop("folder", clone)), given.pop("content", TEXT), **given)
    assert says in failed.value.msg and sorted(os.walk(tmp_path)) == before
