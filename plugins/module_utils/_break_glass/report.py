# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of the output: what was found, what was done, what is next, and whom to call. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import printable

COMMAND = "ansible-playbook break_glass.yml"
LONGEST = 2000  # characters of a line


def lines(
    results: t.Iterable[t.Mapping[str, t.Any]], contacts: t.Sequence[str], *, restore: bool, host: str
) -> list[str]:
    """Return the lines. results: of the tasks, skipped ones too. host: of the inventory."""
    done = [one for one in results if not one.get("skipped")]
    found = _all(done, "found")
    failed, did = problems(done), _all(done, "did")
    return [
        *(f"FOUND  {one}" for one in found),
        *(f"DID    {one}" for one in did),
        *(f"FAILED {one}" for one in failed),
        *(f"NEXT   {one}" for one in _next(host, restore=restore, failed=bool(failed), did=bool(did))),
        *(f"CALL   {one}" for one in contacts),
    ]


def problems(results: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return what could not be done, a sentence each; once what several tasks say."""
    found: dict[str, None] = {}
    for one in results:
        if one.get("skipped"):
            continue
        listed = _all([one], "problems")
        failed = one.get("problems") is None and one.get("msg") and not one.get("did")
        found |= dict.fromkeys(listed or ([_line(one["msg"])] if failed else []))
    return list(found)


def _next(host: str, *, restore: bool, failed: bool, did: bool) -> list[str]:
    limit = f" -l {host}"
    if failed and not (did or restore):
        return ["Nothing was changed: put right what is named above, and run this again"]
    if not restore:
        return [
            f"Once the outage is over: {COMMAND}{limit} -e mcp_restore=true",
            "Until then releases refuse, and guard and watch do nothing",
        ]
    if failed:
        return [
            f"Put right what is named above; then the same again: {COMMAND}{limit} -e mcp_restore=true",
            "To leave what somebody has changed as it is now, add -e mcp_restore_keep=true",
        ]
    return [f"Look whether all is well: ansible-playbook status.yml{limit}"]


def _all(results: t.Iterable[t.Mapping[str, t.Any]], key: str) -> list[str]:
    listed = [one.get(key) for one in results]
    return list(dict.fromkeys(_line(text) for texts in listed if isinstance(texts, list) for text in texts))


def _line(text: t.Any) -> str:
    return printable(str(text), LONGEST)
