# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_secret_scan
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._secret_scan import files
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

ROOT = Path(__file__).parents[5]
BAD = "db_password: planted-hunter2\n"


def run(**params):
    given = {name: option["default"] for name, option in mcp_secret_scan.SPEC.options.items()}
    return mcp_secret_scan.run(Task({**given, **params}))


def found(result):
    return [(Path(one["path"]).name, one["line"], one["kind"]) for one in result["findings"]]


def test_an_inventory_has_its_variables_beside_it(tmp_path):
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "a.yml").write_text(BAD)
    (tmp_path / "other.yml").write_text(BAD)
    hosts = tmp_path / "hosts"
    hosts.write_text(f"[all]\na {BAD}")
    with pytest.raises(Failure) as failed:
        run(inventory=[str(hosts), "localhost,", "/nowhere"])
    assert found(failed.value.evidence) == [("a.yml", 1, "named_value")] or found(failed.value.evidence) == [
        ("hosts", 2, "named_value"),
        ("a.yml", 1, "named_value"),
    ]
    assert "planted" not in f"{failed.value} {failed.value.evidence}"
    assert "host_vars/a.yml:1 (a value with the name of a secret)" in str(failed.value)


def test_links_binaries_pipes_and_large_files_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    for folder in (outside, inside, inside / ".git"):
        folder.mkdir()
    (outside / "a.yml").write_text(BAD)
    (inside / "link.yml").symlink_to(outside / "a.yml")
    (inside / "folder").symlink_to(outside)
    (inside / "binary.yml").write_bytes(b"\0" + BAD.encode())
    (inside / ".git" / "config").write_text(BAD)
    (inside / "large.yml").write_text(BAD + "x" * 1000)
    os.mkfifo(inside / "pipe.yml")
    (inside / "latin.yml").write_bytes("name: caf\xe9\n".encode("latin-1"))
    result = run(paths=[str(inside)])
    assert result["findings"] == [] and result["files"] == 1
    assert "1 file (1 left out: larger than 1 MiB, or not readable)" in result["checks"][0]["message"]


def test_a_link_that_is_named_is_followed(tmp_path):
    (tmp_path / "a.yml").write_text(BAD)
    (tmp_path / "link.yml").symlink_to(tmp_path / "a.yml")
    with pytest.raises(Failure) as failed:
        run(paths=[str(tmp_path / "link.yml"), str(tmp_path / "a.yml")])
    assert len(failed.value.evidence["findings"]) == 1  # a file is read once


@pytest.mark.parametrize(
    ("allow", "is_allowed"),
    [
        ([], False),
        (["a.yml"], True),
        (["folder/a.yml"], True),
        (["folder/*"], True),
        (["*/a.yml:named_value"], True),
        (["a.yml:private_key"], False),
        (["b.yml"], False),
        (["C:a.yml"], False),
    ],
)
def test_findings_that_are_none(allow, is_allowed):
    assert files.is_allowed("/home/jane/folder/a.yml", "named_value", allow) is is_allowed


def test_too_many_files_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_FILES", 2)
    for number in range(4):
        (tmp_path / f"{number}.yml").write_text("a: b\n")
    with pytest.raises(CannotMeasure, match="too many files"):
        files.scan([tmp_path], [], [])
    assert files.scan([tmp_path], [], ["[23].yml"]).files == 2


def test_a_path_that_is_missing_fails():
    with pytest.raises(Failure, match="/nowhere does not exist"):
        run(paths=["/nowhere"])


def test_nothing_to_look_at_is_skipped():
    assert run(inventory=["a,b"])["checks"][0]["verdict"] == "skipped"


def test_many_findings_are_cut(tmp_path):
    (tmp_path / "a.yml").write_text(BAD * 600)
    with pytest.raises(Failure, match="500 secrets in 1 file: .* and 490 more in findings") as failed:
        run(paths=[str(tmp_path)])
    assert len(failed.value.evidence["findings"]) == 500


def test_this_collection_has_no_secret():
    folders = [str(ROOT / name) for name in ("docs", "inventory", "playbooks", "roles", "changelogs", "README.md")]
    assert run(paths=folders)["files"] > 100
