# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml

from ansible_collections.mcp.server.plugins.plugin_utils import _ci, _variables

ROOT = Path(__file__).parents[4]
GIVEN: dict[str, t.Any] = {
    **{
        name.removeprefix("mcp_ci_"): spec.get("default")
        for name, spec in _variables.of_role("ci_scaffold").items()
        if name.startswith("mcp_ci_")
    },
    "image": "ghcr.io/org/mcp-server",
    "language": "python",
}


def paths(**more: t.Any) -> list[str]:
    found = _ci.plan({**GIVEN, **more})
    assert found["problem"] == ""
    return [file["path"] for file in found["files"]]


def test_which_files() -> None:
    common = ["ci/mcp-release.sh", "ci/requirements.txt"]
    github, gitlab = [".github/workflows/mcp-release.yml"], [".gitlab/mcp-release.yml", ".gitlab-ci.yml"]
    assert paths() == [*common, "src/serverInfo.json", "src/server_info.py", *github]
    assert paths(language="go", forges=["gitlab"]) == [*common, "serverInfo.json", "serverinfo.go", *gitlab]
    assert paths(language="typescript", source_folder="app/src/", forges=["gitlab", "github"]) == [
        *common, "app/src/serverInfo.json", "app/src/serverInfo.ts", *github, *gitlab,
    ]  # fmt: skip
    found = _ci.plan({**GIVEN, "image": "127.0.0.1:5000/org/mcp", "overwrite": ["src/server_info.py"]})
    assert (found["registry"], found["info"]) == ("127.0.0.1:5000", "src/serverInfo.json")
    assert [file["path"] for file in found["files"] if file["overwrite"]] == ["src/server_info.py"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"image": "Not An Image"}, "mcp_image must be an image without a tag"),
        ({"inventory": "/etc/hosts"}, "mcp_ci_inventory is '/etc/hosts': it must be a path in the repository"),
        ({"build_context": "../other"}, "mcp_ci_build_context is '../other'"),
        ({"build_context": "-v"}, "mcp_ci_build_context is '-v'"),
        ({"source_folder": "a b"}, "mcp_ci_source_folder is 'a b'"),
        ({"staging": "a,b"}, "mcp_ci_staging is 'a,b': it must be the name of an environment"),
        ({"production": "-e"}, "mcp_ci_production is '-e'"),
        ({"production": "staging"}, "mcp_ci_staging and mcp_ci_production are both staging"),
        ({"branches": ["main", "$(id)"]}, "mcp_ci_branches has '$(id)', which is no name of a branch."),
        ({"go_package": "Main"}, "mcp_ci_go_package is 'Main'"),
        ({"forges": []}, "mcp_ci_forges is empty"),
        ({"minutes": 0}, "mcp_ci_minutes is 0"),
        ({"audience": "${{ secrets.A }}"}, "mcp_ci_audience has '${{ secrets.A }}'"),
        ({"runner": ["a\nb"]}, r"mcp_ci_runner has 'a\nb'"),
        ({"gitlab_image": "$CI_IMAGE"}, "mcp_ci_gitlab_image has '$CI_IMAGE'"),
        ({"runner": []}, "mcp_ci_runner is empty."),
        ({"overwrite": ["README.md"]}, "mcp_ci_overwrite has 'README.md', which is none of the files: ci/mcp-release"),
    ],
)
def test_what_is_refused(more: dict[str, t.Any], says: str) -> None:
    found = _ci.plan({**GIVEN, **more})
    assert found["problem"].startswith(says) and found["files"] == []


def test_every_file_has_its_template() -> None:
    folder = ROOT / "roles/ci_scaffold/templates"
    used = {
        file["template"]
        for language in _ci.READERS
        for file in _ci.plan({**GIVEN, "language": language, "forges": ["github", "gitlab"]})["files"]
    }
    assert {file.name for file in folder.iterdir()} == used


def rendered(template: str, **more: t.Any) -> str:
    """Return a file as the role writes it; its filters are Ansible's, which shlex and json stand in for."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "roles/ci_scaffold/templates"),
        variable_start_string="[[",
        variable_end_string="]]",
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"quote": shlex.quote, "to_json": json.dumps}
    given = {**GIVEN, **more}
    named = {f"ci_scaffold_{name}": value for name, value in given.items()}
    return environment.get_template(template).render(ci_scaffold_plan=_ci.plan(given), **named)


def run_script(folder: Path, step: str, variables: dict[str, str], **more: t.Any) -> tuple[int, str]:
    (folder / "release.sh").write_text(rendered("release.sh.j2", **more))
    environment = {"PATH": os.environ["PATH"], "MCP_TEMP": str(folder / "temp"), **variables}
    words = ["sh", "release.sh", step]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_what_prepares_the_build_has_no_secrets(tmp_path: Path) -> None:
    secrets = {"REGISTRY_USERNAME": "eva", "REGISTRY_PASSWORD": "planted-1", "GITHUB_TOKEN": "planted-2"}
    code, said = run_script(tmp_path, "prepare", secrets, prepare=["env", "echo prepared"])
    assert code == 0 and "prepared" in said and "planted" not in said
    jobs = yaml.safe_load(rendered("github.yml.j2", prepare=["env"]))["jobs"]
    (step,) = [step for step in jobs["build"]["steps"] if step.get("run", "").endswith(" prepare")]
    assert "env" not in step and "env" not in jobs["build"]
    script = yaml.safe_load(rendered("gitlab.yml.j2", prepare=["env"]))["mcp-build"]["script"]
    assert [line.split()[-1] for line in script] == ["version", "prepare", "build"]


def test_without_anything_to_prepare_there_is_no_such_step(tmp_path: Path) -> None:
    assert "prepare" not in rendered("github.yml.j2") + rendered("gitlab.yml.j2")
    code, said = run_script(tmp_path, "prepare", {})
    assert code == 1 and "There is no step 'prepare'. There is: version, build," in said


@pytest.mark.parametrize("tag", ["v1.2.0$(touch ran)", "v1.2.0;touch ran", "v1.2.0-`touch ran`", "v{{1.2.0}}", "v1"])
def test_a_tag_is_never_run(tmp_path: Path, tag: str) -> None:
    code, said = run_script(tmp_path, "version", {"GITHUB_REF_NAME": tag})
    assert code == 1 and f"The tag '{tag}' is no version" in said
    assert not (tmp_path / "ran").exists()


def test_the_jobs_install_what_is_tested() -> None:
    tools = (ROOT / "tests/tools/requirements/tools.txt").read_text().split()
    assert {*GIVEN["requirements"]} <= {*tools}
    ours = (ROOT / "requirements.txt").read_text()
    assert {re.split("[=<>!]", one)[0] for one in GIVEN["requirements"]} == {
        *re.findall(r"^[\w-]+", ours, re.MULTILINE)
    }
    assert GIVEN["collection"] == f"mcp.server:=={yaml.safe_load((ROOT / 'galaxy.yml').read_text())['version']}"
