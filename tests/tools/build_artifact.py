# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the Galaxy artifact of a commit, the same bytes each time: build_artifact.py FOLDER [COMMIT]. Prints its path
and sha256.

ansible-galaxy takes the files as they lie in the folder, with their times, in the order of the file system. Here they
come from the commit; the order is by name, and all times are the commit's.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path

Files = dict[str, bytes | None]  # by name; None is a folder
EXECUTABLE, PLAIN = 0o755, 0o644


def built(commit: str, source: Path, folder: Path) -> Path:
    """Return the artifact of a commit of the repository at source. Raise CalledProcessError."""
    seconds = int(_git(source, "show", "-s", "--format=%ct", f"{commit}^{{commit}}").decode())
    with tempfile.TemporaryDirectory() as scratch:
        tree, made = Path(scratch) / "tree", Path(scratch) / "made"
        with tarfile.open(fileobj=io.BytesIO(_git(source, "archive", "--format=tar", commit))) as packed:
            packed.extractall(tree, filter="data")
        command = [Path(sys.executable).parent / "ansible-galaxy", "collection", "build", "--output-path", made]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True)
        (artifact,) = made.glob("*.tar.gz")
        with tarfile.open(artifact) as packed:
            entries = [(one, packed.extractfile(one)) for one in packed.getmembers()]
            files: Files = {one.name: content and content.read() for one, content in entries}
            modes = {one.name: EXECUTABLE if one.isdir() or one.mode & 0o100 else PLAIN for one, _content in entries}
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / artifact.name
        target.write_bytes(packed_again(in_order(files), modes, seconds))
    return target


def in_order(files: Files) -> Files:
    """Return the files of an artifact with their list (FILES.json) by name, and its checksum in MANIFEST.json. Pure."""
    listed = json.loads(files["FILES.json"] or b"")
    listed["files"].sort(key=lambda one: one["name"])
    names = _json(listed)
    manifest = json.loads(files["MANIFEST.json"] or b"")
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(names).hexdigest()
    first = {"MANIFEST.json": _json(manifest), "FILES.json": names}
    return first | {name: files[name] for name in sorted(files) if name not in first}


def packed_again(files: Files, modes: t.Mapping[str, int], seconds: int) -> bytes:
    """Return a .tar.gz of these files in this order, all of one time, and nobody's. Pure."""
    whole = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=whole, mode="wb", filename="", compresslevel=9, mtime=seconds) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as packed,
    ):
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.mode = seconds, modes[name]
            entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            entry.size = len(content or b"")
            packed.addfile(entry, io.BytesIO(content or b""))
    return whole.getvalue()


def _json(value: t.Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def _git(source: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=source, check=True, capture_output=True).stdout


def main() -> None:
    folder, commit = Path(sys.argv[1]), (sys.argv[2:] or ["HEAD"])[0]
    try:
        artifact = built(commit, Path.cwd(), folder.absolute())
    except subprocess.CalledProcessError as error:
        sys.exit(f"Cannot build {commit}: {' '.join(map(str, error.cmd[:3]))}: {error.stderr.decode().strip()[-2000:]}")
    print(artifact, hashlib.sha256(artifact.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
