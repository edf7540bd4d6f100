# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pushes to bare repositories of this machine, by the real Git."""

from __future__ import annotations

import subprocess
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._git import git
from ansible_collections.mcp.server.plugins.module_utils._git.git import Git, Remote
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_git_push
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

TOKEN = "planted-9d1f7c.token"
CHANGE = {"file": "apps/green.yaml", "regexp": r"^(\s*image: r/x):\S+$", "replace": r"\g<1>:v2"}
TEXT = "spec:\n  image: r/x:v1\n  replicas: 2 # \xe9\r\n"


class Bare:
    """A bare repository with a branch main, and a checkout of somebody else."""

    def __init__(self, folder: Path) -> None:
        self.url, self.theirs = str(folder / "apps.git"), folder / "theirs"
        self.call("init", "--quiet", "--bare", "--initial-branch=main", self.url, at=folder)
        self.call("clone", "--quiet", self.url, str(self.theirs), at=folder)
        self.call("checkout", "--quiet", "-b", "main")
        self.commit(CHANGE["file"], TEXT)

    def call(self, *words: str, at: Path | None = None) -> str:
        identity = ("-c", "user.name=eva", "-c", "user.email=eva@example.com")
        return subprocess.run(
            ["git", *identity, *words], cwd=at or self.theirs, check=True, capture_output=True, text=True
        ).stdout

    def commit(self, file: str, text: str) -> None:
        path = self.theirs / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
        self.call("add", "--all")
        self.call("commit", "--quiet", "--message", f"change {file}")
        self.call("push", "--quiet", "origin", "HEAD")

    def text(self, file: str = CHANGE["file"]) -> str:
        found = subprocess.run(
            ["git", "--git-dir", self.url, "show", f"main:{file}"], check=True, capture_output=True
        ).stdout
        return found.decode()

    def log(self) -> list[str]:
        return self.call("--git-dir", self.url, "log", "--format=%an: %s", "main").splitlines()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bare:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(mcp_git_push, "PAUSE", 0.01)
    return Bare(tmp_path)


def push(bare: Bare, *, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    given = {"repository": bare.url, "changes": [CHANGE], "commit_message": "Release v2 of x", **options}
    validated = ArgumentSpecValidator(mcp_git_push.SPEC.options).validate(given)
    assert not validated.error_messages
    return mcp_git_push.run(Task(validated.validated_parameters, check_mode=check_mode))


def test_a_push_changes_what_it_shall_and_nothing_else(bare: Bare) -> None:
    result = push(bare)
    assert bare.text() == TEXT.replace("v1", "v2")
    assert bare.log() == ["mcp.server: Release v2 of x", "eva: change apps/green.yaml"]
    assert result["changed"] and result["files"] == ["apps/green.yaml"]
    assert result["commit"] == bare.call("--git-dir", bare.url, "rev-parse", "main").strip()
    assert result["diff"][0]["before"] == TEXT and "v2" in result["diff"][0]["after"]


def test_the_second_time_there_is_nothing_to_push(bare: Bare) -> None:
    push(bare)
    assert push(bare) == {"changed": False, "files": [], "diff": [], "commit": None}
    assert len(bare.log()) == 2


def test_check_mode_pushes_nothing(bare: Bare) -> None:
    result = push(bare, check_mode=True)
    assert result["changed"] and result["diff"] and result["commit"] is None
    assert len(bare.log()) == 1


def test_what_others_push_in_between_is_kept(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, commit = iter(range(2)), Git.commit

    def late(self: Git, message: str) -> str:
        for number in theirs:
            bare.commit(f"apps/other-{number}.yaml", "a: 1\n")
            break
        return commit(self, message)

    monkeypatch.setattr(Git, "commit", late)
    assert push(bare)["changed"]
    assert bare.text() == TEXT.replace("v1", "v2")
    assert bare.log()[:3] == [
        "mcp.server: Release v2 of x",
        "eva: change apps/other-1.yaml",
        "eva: change apps/other-0.yaml",
    ]


def test_it_gives_up_when_others_always_push_in_between(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, commit = iter(range(100)), Git.commit

    def late(self: Git, message: str) -> str:
        bare.commit(f"apps/other-{next(numbers)}.yaml", "a: 1\n")
        return commit(self, message)

    monkeypatch.setattr(Git, "commit", late)
    with pytest.raises(Failure, match="others pushed in between, 3 times"):
        push(bare, attempts=3)


def test_two_pushes_at_once(bare: Bare) -> None:
    bare.commit("apps/blue.yaml", TEXT)
    changes = [CHANGE, CHANGE | {"file": "apps/blue.yaml"}]
    results: list[t.Any] = []
    threads = [
        threading.Thread(target=lambda change=change: results.append(push(bare, changes=[change])))
        for change in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result["changed"] for result in results] == [True, True]
    assert bare.text() == bare.text("apps/blue.yaml") == TEXT.replace("v1", "v2")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"changes": [CHANGE | {"regexp": "(image: none)"}]}, "matches nothing in apps/green.yaml"),
        ({"changes": [CHANGE | {"regexp": "("}]}, "is not valid"),
        ({"changes": [CHANGE | {"replace": r"\g<7>"}]}, "is not valid"),
        ({"changes": [CHANGE | {"file": "apps/red.yaml"}]}, "apps/red.yaml can't be read there"),
        ({"changes": [CHANGE | {"file": "../../etc/passwd"}]}, "is no file of the repository"),
        ({"changes": [CHANGE | {"file": "/etc/passwd"}]}, "is no file of the repository"),
        ({"changes": [CHANGE | {"file": ".git/config"}]}, "is no file of the repository"),
        ({"changes": [CHANGE | {"file": "apps"}]}, "apps can't be read there"),
        ({"changes": [CHANGE | {"file": "a\0b"}]}, "is no file of the repository"),
        ({"changes": []}, "changes and commit_message must not be empty"),
        ({"branch": "prod"}, "git clone ended with 128"),
        ({"branch": "--upload-pack=x"}, "branch is not the name of a branch"),
        ({"repository": "--upload-pack=x"}, "repository is no URL and no path"),
        ({"repository": "https://eva:secret@git.example.com/x"}, "repository has a password in it"),
        ({"repository": "https://[git/x"}, "repository is no URL"),
        ({"repository": "/nonexistent/x.git"}, "git clone ended with 128"),
        ({"token_env": "NOT_SET"}, "token_env must name an environment variable"),
        ({"token_env": "A B"}, "token_env must name an environment variable"),
        ({"token_env": "GIT_TEST_TOKEN"}, "a token is sent over https only"),
        ({"token_env": "GIT_TEST_TOKEN", "repository": "http://git.example.com/x"}, "a token is sent over https only"),
        ({"timeout": 0}, "must be more than 0"),
        ({"attempts": 0}, "must be more than 0"),
    ],
)
def test_one_sentence_for_what_is_wrong(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], said: str
) -> None:
    monkeypatch.setenv("GIT_TEST_TOKEN", TOKEN)
    with pytest.raises(Failure) as failure:
        push(bare, **options)
    assert said in failure.value.msg
    assert "secret" not in failure.value.msg and TOKEN not in failure.value.msg
    assert len(bare.log()) == 1
    assert not list(Path(bare.url).parent.glob("mcp-git-*"))


def test_a_link_does_not_lead_out_of_the_repository(bare: Bare, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("  image: r/x:v1\n")
    (bare.theirs / "apps" / "link.yaml").symlink_to(outside)
    bare.commit("apps/other.yaml", "")
    with pytest.raises(Failure, match="is no file of the repository"):
        push(bare, changes=[CHANGE | {"file": "apps/link.yaml"}])
    assert "v1" in outside.read_text()


def test_a_tag_is_no_branch(bare: Bare) -> None:
    bare.call("tag", "v7")
    bare.call("push", "--quiet", "origin", "v7")
    with pytest.raises(Failure, match="v7 is no branch of it"):
        push(bare, branch="v7")


def test_the_repository_that_we_were_started_from_is_left_alone(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(bare.theirs / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(bare.theirs))
    monkeypatch.setenv("GIT_INDEX_FILE", str(bare.theirs / ".git" / "index"))
    assert push(bare)["changed"]
    monkeypatch.undo()
    assert bare.call("log", "--format=%s").splitlines() == ["change apps/green.yaml"]


def test_a_hook_that_refuses_is_told_and_not_tried_again(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = Path(bare.url) / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nprintf 'main is \\033[31mprotected\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    monkeypatch.setattr(mcp_git_push.random, "uniform", lambda least, most: pytest.fail("tried again"))
    with pytest.raises(Failure) as failure:
        push(bare)
    assert "protected" in failure.value.msg and failure.value.msg.isprintable()
    assert "what is in the cluster stays as it is" in failure.value.msg


def test_a_server_that_does_not_answer_is_bounded(bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that Git started, which would go on otherwise."""
    slow, mark = tmp_path / "ssh", tmp_path / "alive"
    slow.write_text(f"#!/bin/sh\n(sleep 2; touch {mark}) &\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(slow))
    begun = time.monotonic()
    with pytest.raises(Failure, match=r"git clone did not end within 0\.5 s"):
        push(bare, repository="git@git.example.com:x.git", timeout=0.5)
    assert time.monotonic() - begun < 10
    time.sleep(2)
    assert not mark.exists()


def test_git_is_not_there(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Failure, match="git can't be started"):
        push(bare)


@pytest.mark.parametrize(
    ("asked", "given"), [("https://git.example.com:8443", True), ("https://elsewhere.example.com", False)]
)
def test_a_token_is_for_its_server_only_and_in_no_command(bare: Bare, asked: str, given: bool) -> None:
    one = Git(Remote("https://git.example.com:8443/x.git", "main", "bot", TOKEN), bare.theirs)
    command = one.command("credential", "fill")
    assert TOKEN not in " ".join(command)
    done = subprocess.run(
        command, env=one.environment(), input=f"url={asked}/x.git\n\n", capture_output=True, text=True, check=False
    )
    assert (f"password={TOKEN}" in done.stdout and "username=bot" in done.stdout) is given


def test_what_git_says_is_shown_without_passwords(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(bare.url).parent / "git"
    script.write_text(
        f"#!/bin/sh\necho 'fatal: https://eva:{TOKEN}@git.example.com and $MCP_GIT_PASSWORD {TOKEN}' >&2\nexit 3\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    monkeypatch.setenv("GIT_TEST_TOKEN", TOKEN)
    with pytest.raises(Failure) as failure:
        push(bare, repository="https://git.example.com/x?private_token=abc", token_env="GIT_TEST_TOKEN")
    assert "ended with 3" in failure.value.msg
    assert TOKEN not in failure.value.msg and "abc" not in failure.value.msg


@pytest.mark.parametrize(
    "url", [f"http://{TOKEN}@127.0.0.1:9/apps.git", f"http://127.0.0.1:9/apps.git?private_token={TOKEN}"]
)
def test_a_token_in_the_url_is_not_shown(bare: Bare, url: str) -> None:
    with pytest.raises(Failure) as raised:
        push(bare, repository=url, timeout=20)
    assert "git clone ended with" in raised.value.msg and "127.0.0.1:9/apps.git" in raised.value.msg
    assert TOKEN not in raised.value.msg


def test_the_words_of_a_push_that_was_overtaken() -> None:
    assert git.OVERTAKEN.search(" ! [rejected]        HEAD -> main (fetch first)")
    assert git.OVERTAKEN.search(
        " ! [remote rejected] HEAD -> main (cannot lock ref 'refs/heads/main': is at 1 but expected 2)"
    )
    assert not git.OVERTAKEN.search(" ! [remote rejected] HEAD -> main (pre-receive hook declined)")
