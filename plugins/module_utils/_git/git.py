# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Git, bounded in time, without questions, and with nothing secret in a command or in a message."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import typing as t
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._checks.messages import hide
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

KEPT = 16 * 1024  # bytes of what Git says
MOST = 300  # characters of that in a sentence
# They would lead Git to the repository that we may have been started from
FOREIGN = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
# What Git says when somebody else pushed in between
OVERTAKEN = re.compile(r"\[rejected\]|cannot lock ref|failed to update ref|incorrect old value")
USER = re.compile(r"//[^/@\s]*@")
# Its password comes from the environment: a command line is for everybody to read
HELPER = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$MCP_GIT_USERNAME" "$MCP_GIT_PASSWORD"; }; f"""
)


class Overtaken(Failure):
    """Somebody else pushed in between."""


class Remote(t.NamedTuple):
    """A branch of a repository. token: for the user, over HTTPS; may be empty. seconds: for each command."""

    url: str
    branch: str
    username: str = ""
    token: str = ""
    seconds: float = 120.0

    @property
    def shown(self) -> str:
        """The URL as it may be shown: what some take for a user's name is a token."""
        return printable(re.sub(r"[?#].*", "", USER.sub("//", self.url)), 200)

    @property
    def server(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Git:
    """The commands that we need, on a checkout in this folder."""

    def __init__(self, remote: Remote, folder: Path, author: str = "", email: str = "") -> None:
        self.remote = remote
        self.folder = folder
        self.author = {"NAME": author, "EMAIL": email}

    def clone(self) -> None:
        """Raise Failure also when the branch is a tag."""
        branch = self.remote.branch
        self._run(
            "clone",
            "--quiet",
            "--depth=1",
            "--single-branch",
            "--no-tags",
            f"--branch={branch}",
            "--",
            self.remote.url,
            str(self.folder),
        )
        if self._run("rev-parse", "--symbolic-full-name", "HEAD", at=self.folder) != f"refs/heads/{branch}":
            raise Failure(f"{branch} is no branch of it.")

    def commit(self, message: str) -> str:
        """Commit what is changed. Return the commit's id."""
        self._run("commit", "--quiet", "--all", "--message", message, at=self.folder)
        return self._run("rev-parse", "HEAD", at=self.folder)

    def push(self, *, dry_run: bool) -> None:
        """Raise Overtaken when somebody else was faster."""
        dry = ("--dry-run",) if dry_run else ()
        self._run("push", "--quiet", *dry, "origin", f"HEAD:refs/heads/{self.remote.branch}", at=self.folder)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        author = {
            f"GIT_{role}_{name}": value
            for role in ("AUTHOR", "COMMITTER")
            for name, value in self.author.items()
            if value
        }
        token = (
            {"MCP_GIT_USERNAME": self.remote.username, "MCP_GIT_PASSWORD": self.remote.token}
            if self.remote.token
            else {}
        )
        # In English, as it is read by OVERTAKEN; and nobody is there to answer a question
        return {
            **kept,
            **author,
            **token,
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS_REQUIRE": "never",
        }

    def command(self, *words: str) -> list[str]:
        # For this server and no other, wherever it may send us to
        token = (
            ("-c", "credential.helper=", "-c", f"credential.{self.remote.server}.helper={HELPER}")
            if self.remote.token
            else ()
        )
        return ["git", *token, *words]

    def _run(self, *words: str, at: Path | None = None) -> str:
        """Return what it writes to its output."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            try:
                # AnsibleModule.run_command can't be ended together with its children, such as ssh.
                process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                    self.command(*words),
                    cwd=at,
                    env=self.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                )
            except OSError as error:
                raise Failure(f"git can't be started ({error.strerror}): install it where the module runs.") from None
            try:
                code = process.wait(self.remote.seconds)
            except subprocess.TimeoutExpired:
                raise Failure(f"git {words[0]} did not end within {self.remote.seconds:g} s.") from None
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if code:
                said = self._said(errors)
                raise (Overtaken if words[0] == "push" and OVERTAKEN.search(said) else Failure)(
                    f"git {words[0]} ended with {code} ({printable(said, MOST) or 'it says nothing'})."
                )
            output.seek(0)
            return output.read(KEPT).decode("utf-8", errors="replace").strip()

    def _said(self, errors: t.IO[bytes]) -> str:
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - KEPT))
        said = errors.read().decode("utf-8", errors="replace")
        said = said.replace(self.remote.url, self.remote.shown)
        said = USER.sub("//", said)  # also of what a server sent us on to
        return hide(said, [self.remote.token] if self.remote.token else [])
