# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _files


def test_a_file_is_written_once_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "report.html"
    with pytest.raises(FileNotFoundError):
        _files.write(path, "one")
    assert _files.write(path, "one", make_folder=True) == "" and path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    inode = path.stat().st_ino
    assert _files.write(path, "one") == "one" and path.stat().st_ino == inode
    assert _files.write(path, "two", dry_run=True) == "one" and path.read_text() == "one"
    assert _files.write(path, "two") == "one" and path.read_text() == "two" and path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"\xff")
    assert _files.write(path, "three") is None and path.read_text() == "three"
    assert os.listdir(path.parent) == ["report.html"]


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe"])
def test_what_others_put_there_is_neither_read_nor_written_through(kind: str, tmp_path: Path) -> None:
    secret, path = tmp_path / "secret", tmp_path / "report.html"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(secret)
    if kind == "link":
        secret.write_text("s3cr3t")
    assert _files.write(path, "one") == "" and not path.is_symlink() and path.read_text() == "one"
    assert not secret.exists() or secret.read_text() == "s3cr3t"


def test_a_link_at_the_name_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in (f"contract.json.{os.getpid()}", f".contract.json.{os.getpid()}"):
        (tmp_path / name).symlink_to(victim)
    _files.write(tmp_path / "contract.json", "one")
    assert victim.read_text() == "precious" and not (tmp_path / "contract.json").is_symlink()


def test_a_folder_at_the_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        _files.write(tmp_path, "one")
