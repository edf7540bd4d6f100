# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that ci_scaffold.yml writes: by the checkers of others, again, after a change by hand. No cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from pipelines import git
from playing import ROOT
from repositories import PREPARE, commit, repository, scaffold

from sandbox.workflow_tool import binary

BOTH = {"mcp_ci_forges": ["github", "gitlab"]}
WORKFLOW, GITLAB, SCRIPT = ".github/workflows/mcp-release.yml", ".gitlab/mcp-release.yml", "ci/mcp-release.sh"
# Values with what YAML, a shell and both forges read as more than text.
AWKWARD = {
    "mcp_ci_language": "python",
    "mcp_ci_runner": ["self-hosted", "linux: x64 # 'a'"],
    "mcp_ci_gitlab_tags": ["yes", "{a}"],
    "mcp_ci_gitlab_image": "registry.example.com:5000/ci@sha256:" + "0" * 64,
    "mcp_ci_audience": "https://a.example/?b=c&d=\"e\" 'f'",
    "mcp_ci_branches": ["main", "release/1.x"],
    "mcp_ci_staging": "1.5",
    "mcp_ci_minutes": "90",
    "mcp_ci_production_arguments": ["-e", '{"mcp_reason": "it\'s $HOME; `id`"}'],
    "mcp_ci_overwrite": "[]",
}
# actionlint 1.7.12 does not know concurrency.queue yet; the schema, which is newer, does. Labels are this test's own.
IGNORED = ["-ignore", 'unexpected key "queue" for "concurrency"', "-ignore", 'label ".+" is unknown']


def test_the_checkers_of_both_forges_find_nothing(tmp_path: Path) -> None:
    checks = subprocess.run(
        [sys.executable, str(ROOT / "tests/tools/venv.py"), "pipeline-schemas"],
        capture_output=True, text=True, timeout=300, check=True,
    ).stdout.strip()  # fmt: skip
    for name, given in {"plain": {"mcp_ci_language": "go"}, "awkward": AWKWARD}.items():
        folder = tmp_path / name
        git("init", "-q", str(folder), cwd=tmp_path)
        code, said = scaffold(folder, **BOTH, **given)
        assert code == 0, said
        schema = f"{checks}/bin/check-jsonschema"
        for words in (
            [str(binary()), *IGNORED, str(folder / WORKFLOW)],
            [schema, "--builtin-schema", "vendor.github-workflows", str(folder / WORKFLOW)],
            [schema, "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(folder / GITLAB)],
            ["sh", "-n", str(folder / SCRIPT)],
        ):
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
    workflow, script = yaml.safe_load((folder / WORKFLOW).read_text()), (folder / SCRIPT).read_text()
    assert workflow["jobs"]["staging"]["runs-on"] == AWKWARD["mcp_ci_runner"]
    assert workflow["jobs"]["staging"]["environment"] == "1.5"
    jobs = yaml.safe_load((folder / GITLAB).read_text())
    assert jobs[".mcp-release"]["tags"] == ["yes", "{a}"]
    assert jobs["mcp-production"]["id_tokens"]["MCP_ID_TOKEN"]["aud"] == AWKWARD["mcp_ci_audience"]
    # As a shell reads the words
    (line,) = [line for line in script.splitlines() if "play bluegreen" in line]
    shell = f'released() {{ :; }}; play() {{ printf "%s\\n" "$@"; }}\n{line}'
    read = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert AWKWARD["mcp_ci_production_arguments"][1] in read.splitlines()


def test_jobs_have_the_rights_that_they_need(tmp_path: Path) -> None:
    git("init", "-q", str(tmp_path / "a"), cwd=tmp_path)
    assert scaffold(tmp_path / "a", mcp_ci_language="go", **BOTH)[0] == 0
    workflow = yaml.safe_load((tmp_path / "a" / WORKFLOW).read_text())
    for name, job in workflow["jobs"].items():
        released = name != "build"
        expected = {"contents": "read", "packages": "read" if released else "write"}
        assert job["permissions"] == expected | ({"id-token": "write"} if released else {})
        assert job["timeout-minutes"] and (not released or job["concurrency"]["cancel-in-progress"] is False)
        assert not any("${{" in step.get("run", "") for step in job["steps"])  # a tag's name is no part of a script
    assert workflow["jobs"]["production"]["needs"] == ["build", "staging"]
    for name, job in yaml.safe_load((tmp_path / "a" / GITLAB).read_text()).items():
        assert name.startswith(".") or ("timeout" in job and ("id_tokens" in job) == (name != "mcp-build"))


def test_a_second_run_changes_nothing_and_hand_edits_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    git("init", "-q", str(folder), cwd=tmp_path)
    (folder / ".gitlab-ci.yml").write_text("stages: [build, deploy]\n")
    code, said = scaffold(folder, "--check", "--diff", mcp_ci_language="python", **BOTH)
    assert code == 0 and "+name: MCP server release" in said, said
    assert [file.name for file in folder.iterdir() if file.name != ".git"] == [".gitlab-ci.yml"]

    code, said = scaffold(folder, mcp_ci_language="python", **BOTH)
    assert code == 0 and "It needs a line with .gitlab/mcp-release.yml: add it." in said, said
    assert (folder / ".gitlab-ci.yml").read_text() == "stages: [build, deploy]\n"
    written = texts(folder)
    assert f"{SCRIPT}" in written and "src/server_info.py" in written
    code, said = scaffold(folder, mcp_ci_language="python", **BOTH)
    assert code == 0 and "changed=0" in said and texts(folder) == written

    # One is changed by hand; the others follow a variable.
    by_hand = written[WORKFLOW].replace("ubuntu-24.04", "our-own")
    (folder / WORKFLOW).write_text(by_hand)
    (folder / GITLAB).write_bytes(written[GITLAB].replace("\n", "\r\n").encode())  # as Git does on Windows
    code, said = scaffold(folder, "--diff", mcp_ci_language="python", mcp_ci_minutes=90, **BOTH)
    assert code == 0 and f"{WORKFLOW} was changed by hand, or is not of this collection, so it is kept." in said, said
    assert "+    timeout-minutes: 90" in said and "our-own" in said
    assert (folder / WORKFLOW).read_text() == by_hand and "timeout: 90 minutes" in (folder / GITLAB).read_text()
    assert said.count("changed: [") == 1  # GitLab's

    code, said = scaffold(folder, mcp_ci_language="python", mcp_ci_minutes=90, mcp_ci_overwrite=WORKFLOW, **BOTH)
    assert code == 0 and "was changed by hand" not in said, said
    assert "timeout-minutes: 90" in (folder / WORKFLOW).read_text()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"mcp_ci_language": "python", "mcp_source": "/nowhere"}, "which is no clone of a Git repository"),
        ({"mcp_ci_language": "rust"}, "mcp_ci_language"),
        ({"mcp_ci_language": "go", "mcp_ci_runner": ["a$HOME"]}, "a forge would put something in place"),
        ({"mcp_ci_language": "go", "mcp_ci_overwrite": ["README.md"]}, "which is none of the files: ci/mcp-release.sh"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path: Path, variables: dict[str, t.Any], says: str) -> None:
    git("init", "-q", str(tmp_path / "a"), cwd=tmp_path)
    code, said = scaffold(tmp_path / "a", **variables)
    assert code != 0 and says in said and "Traceback" not in said, said
    assert [file.name for file in (tmp_path / "a").iterdir()] == [".git"]


def test_tags_that_are_no_release(tmp_path: Path) -> None:
    """The step that looks at the tag, in a clone of GitHub's kind."""
    folder = repository(tmp_path / "a", "python")
    assert scaffold(folder, mcp_ci_language="python", mcp_ci_branches=["main"])[0] == 0
    commit(folder, "v1.0.0")

    def version(tag: str) -> tuple[int, str]:
        clone = tmp_path / f"clone-{len([*tmp_path.iterdir()])}"
        git("clone", "-q", "--branch", tag, f"file://{folder}", str(clone), cwd=tmp_path)
        environment = {"PATH": os.environ["PATH"], "GITHUB_REF_NAME": tag, "RUNNER_TEMP": str(tmp_path / "temp")}
        words = ["sh", "ci/mcp-release.sh", "version"]
        done = subprocess.run(words, cwd=clone, env=environment, capture_output=True, text=True, check=False)
        info = json.loads((clone / "src/serverInfo.json").read_text())
        assert info["version"] == (tag[1:] if done.returncode == 0 else "0.0.0-dev")
        assert done.returncode or info["commit"] == git("rev-parse", "HEAD", cwd=clone)
        return done.returncode, done.stderr

    assert version("v1.0.0") == (0, "")
    git("tag", "v1", cwd=folder)
    assert "The tag 'v1' is no version such as v1.2.0" in version("v1")[1]
    # The release candidate becomes the release: the newer of two annotated tags is what git describe says.
    git("tag", "-d", "v1", cwd=folder)
    commit(folder, "v1.1.0-rc.1")
    git("tag", "v1.1.0", cwd=folder)
    assert "git describe says v1.1.0-rc.1 here, not v1.1.0: " in version("v1.1.0")[1]
    git("switch", "-q", "-c", "feature", cwd=folder)
    commit(folder, "v1.2.0")
    assert "on none of the branches that are released: main." in version("v1.2.0")[1]


@pytest.mark.soak
def test_each_language_reads_the_version(tmp_path: Path) -> None:
    """What is built says the version; the images are built in test_pipelines.py."""
    for language in PREPARE:
        folder = repository(tmp_path / language, language)
        assert scaffold(folder, mcp_ci_language=language)[0] == 0
        for command in PREPARE[language]:
            subprocess.run(command, shell=True, cwd=folder, check=True, timeout=300)
    source = "import server_info; print(server_info.VERSION)"
    said = subprocess.run([sys.executable, "-c", source], cwd=tmp_path / "python/src", capture_output=True, check=True)
    assert said.stdout == b"0.0.0-dev\n"
    assert (tmp_path / "typescript/dist/serverInfo.json").exists()  # tsc has copied it


def texts(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file() and ".git" not in file.relative_to(folder).parts]
    return {str(file.relative_to(folder)): file.read_text() for file in files}
