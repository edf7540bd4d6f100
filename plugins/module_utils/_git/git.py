# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Git with a time limit, without questions, and without secrets in commands or messages."""

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

from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import hide, printable

MAX_OUTPUT = 16 * 1024  # bytes of Git's output that are read
MAX_QUOTE = 300  # characters of it in a message
# They would make Git use the repository in which the play was started.
REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
# Git's messages when another client pushed first.
REJECTED = re.compile(r"\[rejected\]|cannot lock ref|failed to update ref|incorrect old value")
USER = re.compile(r"//[^/@\s]*@")
# Its password comes from the environment, as every user of the machine can read a command line.
CREDENTIAL_HELPER = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$MCP_GIT_USERNAME" "$MCP_GIT_PASSWORD"; }; f"""
)


class PushRejected(Failure):
    """Another client pushed first."""


class Remote(t.NamedTuple):
    """A branch of a repository."""

    url: str
    branch: str
    username: str = ""  # for the token
    token: str = ""  # over HTTPS; may be empty
    seconds: float = 120.0  # for each command

    @property
    def display_url(self) -> str:
        """Return the URL without user, query and fragment, any of which may be a token."""
        return printable(re.sub(r"[?#].*", "", USER.sub("//", self.url)), 200)

    @property
    def server(self) -> str:
        """Return scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Git:
    """Git commands on a checkout in this folder. Methods raise Failure."""

    def __init__(self, remote: Remote, folder: Path, author: str = "", email: str = "") -> None:
        self.remote = remote
        self.folder = folder
        self.author = {"NAME": author, "EMAIL": email}

    def clone(self) -> None:
        """Clone the newest commit of the branch. Raise Failure, also when the name is a tag's."""
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
            raise Failure(f"{branch} is not a branch of the repository.")

    def commit(self, message: str) -> str:
        """Commit all changed files. Return the commit's id."""
        self._run("commit", "--quiet", "--all", "--message", message, at=self.folder)
        return self._run("rev-parse", "HEAD", at=self.folder)

    def push(self, *, dry_run: bool) -> None:
        """Push the commit. Raise PushRejected when another client pushed first."""
        dry = ("--dry-run",) if dry_run else ()
        self._run("push", "--quiet", *dry, "origin", f"HEAD:refs/heads/{self.remote.branch}", at=self.folder)

    def environment(self) -> dict[str, str]:
        """Return the environment of each command. It contains the token."""
        inherited = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
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
        # In English, for REJECTED; and without questions, which nobody would answer.
        return {
            **inherited,
            **author,
            **token,
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS_REQUIRE": "never",
        }

    def command(self, *words: str) -> list[str]:
        """Return the command line. It contains no secret."""
        # The token is for this server only, also when it redirects elsewhere.
        token = (
            ("-c", "credential.helper=", "-c", f"credential.{self.remote.server}.helper={CREDENTIAL_HELPER}")
            if self.remote.token
            else ()
        )
        return ["git", *token, *words]

    def _run(self, *words: str, at: Path | None = None) -> str:
        """Run Git; return its standard output."""
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
                raise Failure(f"Cannot start git ({error.strerror}): install it where the module runs.") from None
            try:
                code = process.wait(self.remote.seconds)
            except subprocess.TimeoutExpired:
                raise Failure(f"git {words[0]} did not end within {self.remote.seconds:g} s.") from None
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if code:
                text = self._error_text(errors)
                raise (PushRejected if words[0] == "push" and REJECTED.search(text) else Failure)(
                    f"git {words[0]} failed with exit code {code} ({printable(text, MAX_QUOTE) or 'no output'})."
                )
            output.seek(0)
            return output.read(MAX_OUTPUT).decode("utf-8", errors="replace").strip()

    def _error_text(self, errors: t.IO[bytes]) -> str:
        """Return the end of what Git wrote to its standard error, without secrets."""
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - MAX_OUTPUT))
        text = errors.read().decode("utf-8", errors="replace")
        text = text.replace(self.remote.url, self.remote.display_url)
        text = USER.sub("//", text)  # of a redirect's URL, too
        return hide(text, [self.remote.token] if self.remote.token else [])
