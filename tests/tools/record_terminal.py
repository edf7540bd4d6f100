# SPDX-License-Identifier: GPL-3.0-or-later
"""Put what a command prints into a page of docs: record_terminal.py PAGE NAME [--rename OLD=NEW]... -- COMMAND ...

The page has a comment <!-- terminal: NAME --> before the ```text block that is written anew. Names of a test's server
become those of the page; skipped tasks, colours and this machine's paths are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

# An error is shown by its task, too, and with it the source of the playbook.
NOT_SHOWN = re.compile(r"^(skipping: |Origin: |included: |\d+( |$)|\s+\^ column|\[ERROR\]: Task failed: |\.\.\. )")
# Columns from which a line is wrapped, and at which: the rows of a table stay.
MAX_COLUMNS, COLUMNS = 150, 120


def cleaned(text: str, renames: t.Iterable[tuple[str, str]] = (), longest: int = MAX_COLUMNS) -> str:
    """Return the output as a page shows it: tasks without a word of their own are left out, and of the result of a task
    that failed all but the reason. longest: columns of a line that is not wrapped. Pure.
    """
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    for old, new in renames:
        text = text.replace(old, new)
    text = re.sub(r"(?:/[\w.+-]+)+/(?=[\w.-]+\.kubeconfig|kubeconfig\b)", "", text)
    lines = [line.rstrip() for line in text.splitlines()]
    lines = [part for line in lines if not NOT_SHOWN.match(line) for part in _wrapped(_reason(line), longest)]
    shown: list[str] = []
    for block in re.split(r"\n(?=(?:TASK|PLAY)\b)", "\n".join(lines)):
        its = [line for line in block.splitlines() if line]
        says = len(its) > 1 and not all(re.match(r"(ok|changed): \[[^]]*\]$", line) for line in its[1:])
        if says or block.startswith(("PLAY [", "PLAY RECAP")) or not block.startswith("TASK"):
            shown += [*its, ""]
    return "\n".join(shown).strip() + "\n"


def _reason(line: str) -> str:
    """Return the line of a failed task with nothing but C(msg) of the result."""
    head, arrow, result = line.partition(" FAILED! => ")
    try:
        message = json.loads(result)["msg"]
    except (ValueError, KeyError, TypeError):
        return line
    return f'{head}{arrow}{{..., "msg": {json.dumps(message, ensure_ascii=False)}}}'


def _wrapped(line: str, longest: int) -> list[str]:
    if len(line) <= longest:
        return [line]
    return textwrap.wrap(line, COLUMNS, subsequent_indent=8 * " ", break_long_words=False, break_on_hyphens=False)


def inserted(page: str, name: str, text: str) -> str:
    """Return the page with this text in its block of that name. Raises ValueError without one. Pure."""
    block = re.compile(rf"(<!-- terminal: {re.escape(name)} -->\n+```text\n).*?(```\n)", re.DOTALL)
    if not block.search(page):
        raise ValueError(f"The page has no <!-- terminal: {name} --> before a ```text block.")
    return block.sub(lambda found: f"{found[1]}{text}{found[2]}", page, count=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("name")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    done = subprocess.run(given.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    renames = [(old, new) for old, _equals, new in (one.partition("=") for one in given.rename)]
    given.page.write_text(inserted(given.page.read_text(), given.name, cleaned(done.stdout, renames)))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
