# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code blocks of the pages for users, and running the commands among them as a reader does.

Commands are in blocks marked ``shell``, or ``console`` where a prompt tells them from what they show. ``command_pages``
is the table of what runs them.
"""

from __future__ import annotations

import re
import subprocess
import textwrap
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("shell", "console")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)$")
FILE = re.compile(r"^ *<!-- file: (\S+) -->$")
# What a run measures, and when.
VARIES = re.compile(r"\b\d{1,2}\.\d(?= %)|(?<!:)\b\d+ answers(?:, \d+ failed)?|\d\d:\d\d:\d\d|sha256:[0-9a-f]+")


class Block(t.NamedTuple):
    """page: its path in the repository. line: of the opening fence. file: the name that the comment before it gives."""

    page: str
    line: int
    heading: str
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def has(self, words: str) -> bool:
        """Return whether it has these words; a line break before them is the begin of a line."""
        return words in f"\n{self.text}"

    @property
    def commands(self) -> str:
        """What a reader types; empty when it is no block of commands."""
        if self.language != "console":
            return self.text if self.language in COMMANDS else ""
        typed, goes_on = [], False
        for line in self.text.splitlines(keepends=True):
            if goes_on or line.startswith("$ "):
                typed.append(line if goes_on else line[2:])
                goes_on = line.endswith("\\\n")
        return "".join(typed)


def blocks(page: str, root: Path = ROOT) -> list[Block]:
    """Return the code blocks of a page, in order."""
    found: list[Block] = []
    heading = file = language = indent = ""
    start = 0  # of the block that is open
    body: list[str] = []
    for number, line in enumerate((root / page).read_text().splitlines(keepends=True), 1):
        fence = FENCE.match(line)
        if start and line.strip() == "```":
            found.append(Block(page, start, heading, language, file, textwrap.dedent("".join(body))))
            start, file = 0, ""
        elif start:
            body.append(line.removeprefix(indent))
        elif fence:
            start, body, language, indent = number, [], fence["language"], fence["indent"]
        elif line.startswith("#"):
            heading = line.strip("# \n")
        elif marked := FILE.match(line):
            file = marked[1]
        elif line.strip():
            file = ""
    if start:
        raise ValueError(f"{page}:{start}: this block does not end")
    return found


def substituted(text: str, substitutes: t.Iterable[tuple[str, str]]) -> str:
    """Return the text with what must differ here: what the page has, and what stands in its place."""
    for shown, stands_in in substitutes:
        text = text.replace(shown, stands_in)
    return text


class Done(t.NamedTuple):
    """How a block of commands ended."""

    code: int
    said: str
    seconds: float


def run(commands: str, folder: Path, environment: t.Mapping[str, str], seconds: float = 600) -> Done:
    """Run commands in a folder as a reader types them; the first that fails is the last."""
    start = time.monotonic()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Done(done.returncode, done.stdout, time.monotonic() - start)


def reader(environment: t.Mapping[str, str], folder: Path, **more: str) -> dict[str, str]:
    """Return a reader's environment: none of what our tests set, and ansible.cfg of nobody.

    more: variables of his own.
    """
    ours = ("MCP_", "ANSIBLE_", "K8S_", "PYTEST_", "PYTHONPATH")
    theirs = {name: value for name, value in environment.items() if not name.startswith(ours)}
    return {**theirs, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(folder / ".ansible"), "COLUMNS": "200", **more}


def missing(shown: str, said: str) -> list[str]:
    """Return the lines that the page shows and a command did not say. What varies may be another there, ``...`` stands
    for anything, and several spaces count as one, as what varies is aligned.
    """
    lines = [" ".join(line.split()) for line in VARIES.sub("#", said).splitlines()]
    return [
        line
        for line in VARIES.sub("#", shown).splitlines()
        if not any(all(" ".join(part.split()) in one for part in line.split("...")) for one in lines)
    ]
