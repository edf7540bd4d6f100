# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artifact is the same each time; release/release.yml releases a copy of this repository to a scratch remote, and
publishes it to a stand-in for Galaxy.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from fake_galaxy import TOKEN, Galaxy, listening

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
IDENTITY = {
    **{f"GIT_{who}_{what}": "release@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(where: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=where, env={**os.environ, **IDENTITY}, check=True, capture_output=True, text=True
    ).stdout.strip()


def built(clone: Path, folder: Path, umask: int, **environment: str) -> tuple[bytes, str]:
    """Return the artifact that a clone gives, and what was said."""
    done = subprocess.run(
        [sys.executable, "tests/tools/build_artifact.py", folder],
        cwd=clone,
        umask=umask,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (artifact,) = folder.glob("*.tar.gz")
    return artifact.read_bytes(), done.stdout


def test_two_clones_give_the_same_artifact(tmp_path: Path) -> None:
    """Made at different times, with other permissions, in another time zone, and with a file that is not committed."""
    clones = [tmp_path / name for name in ("first", "second")]
    for clone, umask in zip(clones, ("0022", "0077"), strict=True):
        subprocess.run(["sh", "-c", f"umask {umask}; git clone -q {ROOT} {clone}"], check=True)
        time.sleep(1.1)
    (clones[1] / "docs" / "left.md").write_text("not committed")
    os.utime(clones[1] / "README.md", (0, 0))
    first, said = built(clones[0], tmp_path / "a", 0o022)
    second, _said = built(clones[1], tmp_path / "b", 0o077, TZ="Asia/Tokyo", LC_ALL="C", LANG="de_DE")
    assert first == second
    assert said.split()[-1] == hashlib.sha256(first).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(first)) as packed:
        entries = packed.getmembers()
        listed = json.loads(packed.extractfile("FILES.json").read())["files"]  # type: ignore[union-attr]
        manifest = json.loads(packed.extractfile("MANIFEST.json").read())  # type: ignore[union-attr]
        sums = {
            one.name: hashlib.sha256(packed.extractfile(one).read()).hexdigest()  # type: ignore[union-attr]
            for one in entries
            if one.isfile()
        }
    assert {(one.uid, one.gid, one.uname, one.mtime) for one in entries} == {
        (0, 0, "", int(git(clones[0], "show", "-s", "--format=%ct")))
    }
    # What Galaxy and ansible-galaxy verify.
    assert manifest["file_manifest_file"]["chksum_sha256"] == sums["FILES.json"]
    assert {one["name"]: one["chksum_sha256"] for one in listed if one["ftype"] == "file"} == {
        name: value for name, value in sums.items() if name not in ("FILES.json", "MANIFEST.json")
    }


LONG = pytest.mark.skipif(os.environ.get("MCP_TEST_KIND") != "soak", reason="long; one release is killed in make test")


class Release:
    """A remote with a copy of this repository, and runs of the playbook."""

    def __init__(self, folder: Path, galaxy: Galaxy) -> None:
        self.folder, self.galaxy, self.said = folder, galaxy, ""
        self.remote = folder / "remote.git"
        subprocess.run(["git", "clone", "-q", "--bare", ROOT, self.remote], check=True)
        self.version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
        git(self.remote, "branch", "-f", "main", git(ROOT, "rev-parse", "HEAD"))
        for tag in git(self.remote, "tag").split():
            git(self.remote, "tag", "-d", tag)

    def change(self, change: t.Callable[[Path], None]) -> None:
        """Commit a change to the remote's branch."""
        clone = self.folder / "person"
        git(self.folder, "clone", "-q", "-b", "main", str(self.remote), str(clone))
        change(clone)
        git(clone, "commit", "-qam", "Ready for the release")
        git(clone, "push", "-q", "origin", "main")

    def start(self, *words: str, **variables: t.Any) -> subprocess.Popen[str]:
        given = {
            "version": self.version,
            "release_remote": str(self.remote),
            "release_galaxy": self.galaxy.url,
            "release_checks": "true",
            "release_folder": str(self.folder / "kept"),
            **variables,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment |= IDENTITY | {"GALAXY_TOKEN": TOKEN, "ANSIBLE_HOME": str(self.folder / "home")}
        environment |= {"TMPDIR": str(self.folder), "ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_INTERVAL": "1"}
        return subprocess.Popen(
            [str(BIN / "ansible-playbook"), str(ROOT / "release/release.yml"), "-vv", "-e", json.dumps(given), *words],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, **variables: t.Any) -> int:
        process = self.start(*words, **variables)
        self.said = " ".join(process.communicate(timeout=900)[0].split())
        assert TOKEN not in self.said and not self.galaxy.on_command_lines
        return process.returncode

    def kill_when(self, so: t.Callable[[], bool], **variables: t.Any) -> None:
        process = self.start(**variables)
        deadline = time.monotonic() + 600
        while not so():
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def public(self) -> tuple[str, str]:
        """Return the remote's branch and the commit of the tag, empty for none."""
        tagged = subprocess.run(
            ["git", "rev-parse", "-q", "--verify", f"v{self.version}^{{commit}}"],
            cwd=self.remote,
            capture_output=True,
            text=True,
            check=False,
        )
        return git(self.remote, "rev-parse", "main"), tagged.stdout.strip()


@pytest.fixture
def release(tmp_path: Path) -> t.Iterator[Release]:
    with listening() as galaxy:
        yield Release(tmp_path, galaxy)


def without_the_note(clone: Path) -> None:
    for page in [clone / "README.md", *(clone / "docs").glob("*.md")]:
        page.write_text(re.sub(r"Version \S+ is not released yet: [^.]*\.", "", page.read_text()))


def test_a_release_that_is_killed_between_git_and_galaxy(release: Release) -> None:
    release.change(without_the_note)
    before = release.public()
    assert release.run("--check") == 0, release.said
    assert f"Release {release.version}" in release.said and "CHANGELOG.rst" in release.said
    assert f"would be published to {release.galaxy.url}" in release.said
    assert release.public() == before and not release.galaxy.uploaded and not before[1]

    release.galaxy.hangs.set()
    release.galaxy.is_asked.clear()
    release.kill_when(release.galaxy.is_asked.is_set)
    release.galaxy.hangs.clear()
    main, tagged = release.public()
    assert main == tagged != before[0] and not release.galaxy.uploaded

    # Galaxy has it only some time after the upload.
    release.galaxy.pending = 2
    assert release.run() == 0, release.said
    assert release.public() == (main, tagged) and len(release.galaxy.uploaded) == 1
    (kept,) = (release.folder / "kept").iterdir()
    assert kept.read_bytes() == release.galaxy.uploaded[0]
    assert hashlib.sha256(kept.read_bytes()).hexdigest() in release.said

    changelog = yaml.safe_load(git(release.remote, "show", f"{tagged}:changelogs/changelog.yaml"))
    changes = changelog["releases"][release.version]["changes"]
    assert changes["release_summary"] and len(changes["minor_changes"]) > 50
    assert "Release Summary" in git(release.remote, "show", f"{tagged}:CHANGELOG.rst")
    left = git(release.remote, "ls-tree", "--name-only", f"{tagged}:changelogs").split()
    assert left == ["changelog.yaml", "config.yaml"]


@LONG
def test_a_release_that_is_killed_elsewhere(release: Release) -> None:
    before = release.public()
    # A page still says that there is no release.
    assert release.run() != 0 and "is not released yet" in release.said
    assert release.public() == before
    release.change(without_the_note)
    before = release.public()
    # Before anything is public: by its checks.
    marker = release.folder / "checking"
    release.kill_when(marker.exists, release_checks=f"sh -c 'touch {marker}; sleep 60'")
    assert release.public() == before
    assert release.run(release_checks="false") != 0
    assert release.public() == before and not release.galaxy.uploaded

    assert release.run() == 0, release.said
    public = release.public()
    assert public[0] == public[1] != before[0]
    # What a killed run has uploaded is refused, and there a little later.
    release.galaxy.pending = 2
    assert release.run() == 0, release.said
    assert release.galaxy.refused == 1
    assert release.run() == 0 and "changed=0" in release.said and len(release.galaxy.uploaded) == 1
    # Somebody else's artifact of that version.
    release.galaxy.stored = "0" * 64
    assert release.run() != 0 and "does not have mcp.server" in release.said
    assert release.public() == public


@LONG
@pytest.mark.parametrize(
    ("variables", "why"),
    [({"version": "1.0"}, "Give a version such as"), ({"version": "9.9.9"}, "must have the version 9.9.9")],
)
def test_what_is_refused(release: Release, variables: dict[str, t.Any], why: str) -> None:
    before = release.public()
    assert release.run(**variables) != 0
    assert why in release.said and release.public() == before
