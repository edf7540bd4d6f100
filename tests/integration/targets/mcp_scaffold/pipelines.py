# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the pipelines of a repository, step by step, as GitHub's and GitLab's runners document it.

It is ours, and knows only what the files use: anything else fails, so that nothing passes by being left out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import typing as t
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
SECONDS = 420  # for each step


@dataclass
class Forge:
    """What a forge has beside the repository.

    origin: the repository, folder: where jobs work. environment: of every job, as the runner's machine has it.
    variables: of the settings, by environment. token: makes an ID token for an audience. secrets, job_token: as a step
    may be given them. ran: the jobs with their outputs, output: all that they said.
    """

    origin: Path
    folder: Path
    environment: dict[str, str]
    variables: dict[str, dict[str, str]]
    token: t.Callable[[str], str]
    job_token: str
    secrets: dict[str, str] = field(default_factory=dict)
    ran: dict[str, dict[str, str]] = field(default_factory=dict)
    environments: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    output: str = ""

    def shell(self, text: str, words: list[str], cwd: Path, environment: dict[str, str]) -> None:
        """Run a step. Raise StepFailed."""
        script = self.folder / "step.sh"
        script.write_text(text)
        done = subprocess.run(
            [*words, str(script)],
            cwd=cwd,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.output += f"$ {text}\n{done.stdout}\n"
        if done.returncode:
            raise StepFailed(done.stdout)

    def check_out(self, place: Path, tag: str, *, whole: bool) -> None:
        """Clone the tag, with its history and branches or without, and without credentials."""
        depth = [] if whole else ["--depth=1"]
        git("clone", "-q", *depth, "--branch", tag, f"file://{self.origin}", str(place), cwd=self.folder)


class StepFailed(AssertionError):
    """A step did not end with 0. Its text is what it said."""


def git(*words: str, cwd: Path) -> str:
    names = [word for name in ("user.name", "user.email") for word in ("-c", f"{name}=tester@example.com")]
    quiet = ("-c", "advice.detachedHead=false", "-c", "tag.gpgSign=false")
    done = subprocess.run(
        ["git", *names, *quiet, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def github(forge: Forge, tag: str, only: str | None = None) -> None:
    """Run the workflow for a pushed tag. only: this job, of those that need no other one."""
    (file,) = (forge.origin / ".github" / "workflows").glob("*.yml")
    workflow = yaml.safe_load(file.read_text())
    # YAML 1.1 reads "on" as true.
    assert workflow[True] == {"push": {"tags": ["v*"]}} and workflow["permissions"] == {}
    assert workflow["defaults"] == {"run": {"shell": "bash"}} and "env" not in workflow
    jobs: dict[str, dict[str, t.Any]] = {}
    while len(jobs) < len(workflow["jobs"]):
        jobs |= {name: job for name, job in workflow["jobs"].items() if {*job.get("needs", [])} <= jobs.keys()}
    for name, job in jobs.items():
        if only in (None, name):
            with _token_server(forge) as asking:
                _github_job(forge, name, job, tag, asking)


def _github_job(forge: Forge, name: str, job: dict[str, t.Any], tag: str, asking: dict[str, str]) -> None:
    # GitHub empties this folder after a job. Here Ansible stays in it, as installing it takes longer than all else.
    place, temporary = forge.folder / f"{tag}-{name}", forge.folder / "temp"
    temporary.mkdir(exist_ok=True)
    known = {
        "github.token": forge.job_token,
        **{f"vars.{key}": value for key, value in forge.variables.get(job.get("environment", ""), {}).items()},
        **{f"secrets.{key}": value for key, value in forge.secrets.items()},
        **{
            f"needs.{one}.outputs.{key}": value for one in job.get("needs", []) for key, value in forge.ran[one].items()
        },
    }

    def evaluated(given: dict[str, str]) -> dict[str, str]:
        values = {key: EXPRESSION.sub(lambda found: known.get(found[1], ""), value) for key, value in given.items()}
        assert not [value for value in values.values() if "${{" in value]
        return values

    if "environment" in job:
        forge.environments.append(job["environment"])
    may_ask = job["permissions"].get("id-token") == "write"
    environment = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "octocat",
        "GITHUB_REF_NAME": tag,
        "GITHUB_REF": f"refs/tags/{tag}",
        "RUNNER_TEMP": str(temporary),
        **(asking if may_ask else {}),
        **evaluated(job.get("env", {})),
    }
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/checkout@[0-9a-f]{40}", step["uses"]), step
            assert step["with"].pop("persist-credentials") is False and step["with"].keys() <= {"fetch-depth"}
            forge.check_out(place, tag, whole=step["with"].get("fetch-depth") == 0)
            continue
        assert step.keys() <= {"name", "id", "env", "run"}, step
        outputs = temporary / "outputs"
        outputs.write_text("")
        its = {**environment, **evaluated(step.get("env", {})), "GITHUB_OUTPUT": str(outputs)}
        forge.shell(step["run"], ["bash", "--noprofile", "--norc", "-eo", "pipefail"], place, its)
        if "id" in step:
            known |= {f"steps.{step['id']}.outputs.{key}": value for key, value in _pairs(outputs)}
    forge.ran[name] = evaluated(job.get("outputs", {}))


@contextmanager
def _token_server(forge: Forge) -> t.Iterator[dict[str, str]]:
    """GitHub's endpoint of ID tokens; yield the variables that name it."""
    password = os.urandom(12).hex()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            (audience,) = urllib.parse.parse_qs(self.path.partition("?")[2])["audience"]
            good = self.headers["Authorization"] == f"Bearer {password}"
            forge.asked.append(audience)
            body = json.dumps({"value": forge.token(audience)} if good else {}).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: t.Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.server_address[1]}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": password,
        }
    finally:
        server.shutdown()
        server.server_close()


def gitlab(forge: Forge, tag: str, only: str | None = None) -> None:
    """Run the pipeline for a pushed tag; jobs that wait for a person are started."""
    included = yaml.safe_load((forge.origin / ".gitlab-ci.yml").read_text())["include"]
    (local,) = [one["local"] for one in included]
    jobs = yaml.safe_load((forge.origin / local.lstrip("/")).read_text())
    for name, given in jobs.items():
        if name.startswith(".") or only not in (None, name.removeprefix("mcp-")):
            continue
        job = {**jobs[given["extends"]], **given}
        assert job["rules"][0]["if"] == "$CI_COMMIT_TAG =~ /^v/" and job["interruptible"] is False
        assert {*job.get("needs", [])} <= {f"mcp-{one}" for one in forge.ran}  # they are in order
        _gitlab_job(forge, name, job, tag)


def _gitlab_job(forge: Forge, name: str, job: dict[str, t.Any], tag: str) -> None:
    place = forge.folder / f"{tag}-{name}"
    where = job.get("environment", {}).get("name", "")
    if where:
        forge.environments.append(where)
    environment = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_COMMIT_TAG": tag,
        "CI_PROJECT_DIR": str(place),
        "CI_REGISTRY": "ghcr.io",  # where this project's registry would be
        "CI_REGISTRY_USER": "gitlab-ci-token",
        "CI_REGISTRY_PASSWORD": forge.job_token,
        **forge.variables.get(where, {}),
        **{key: value for one in job.get("needs", []) for key, value in forge.ran[one.removeprefix("mcp-")].items()},
        **{key: forge.token(given["aud"]) for key, given in job.get("id_tokens", {}).items()},
    }
    forge.asked += [given["aud"] for given in job.get("id_tokens", {}).values()]
    for key, value in job["variables"].items():
        environment[key] = value.replace("$CI_PROJECT_DIR", str(place))
        assert "$" not in environment[key]
    forge.check_out(place, tag, whole=job["variables"]["GIT_DEPTH"] == "0")
    assert "before_script" not in job
    try:
        # A runner gives all lines to one shell, which ends with the first that fails.
        forge.shell("set -eo pipefail\n" + "\n".join(job["script"]), ["bash"], place, environment)
    finally:
        forge.shell("\n".join(job["after_script"]), ["bash"], place, environment)
    report = job.get("artifacts", {}).get("reports", {}).get("dotenv")
    forge.ran[name.removeprefix("mcp-")] = dict(_pairs(place / report)) if report else {}


def _pairs(file: Path) -> t.Iterator[tuple[str, str]]:
    for line in file.read_text().splitlines():
        key, equals, value = line.partition("=")
        assert equals, line
        yield key, value


RUN = {"github": github, "gitlab": gitlab}
