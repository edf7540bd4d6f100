# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a cluster, a server's version and its revisions of MCP by the compatibility matrix. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._compatibility import ranges
from ansible_collections.mcp.server.plugins.module_utils._guide.document import GUIDE_VERSION, ROWS, Row
from ansible_collections.mcp.server.plugins.module_utils._results import FAILED, PASSED, SKIPPED, Result
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

KUBERNETES, SERVER, REVISIONS = "compatibility_kubernetes", "compatibility_server", "compatibility_revisions"
CLIENTS = "client_revisions"
NAMES = {
    KUBERNETES: "Kubernetes version",
    SERVER: "server version",
    REVISIONS: "MCP revisions",
    CLIENTS: "clients of the live version",
}

# By which a release accepts that a revision is gone, before its date: a part of mcp_contract's names.
PROTOCOL_VERSIONS = "protocol_versions"

MAX_ROWS = 100
MAX_SHOWN = 8  # rows or revisions in a sentence


@dataclass(frozen=True)
class Judged:
    """The rows of the matrix that count. are_own: whether they are the user's, and not the guide's."""

    guide: str
    rows: tuple[Row, ...]
    are_own: bool = False

    @property
    def title(self) -> str:
        return "your rows in mcp_compatibility" if self.are_own else f"the guide {printable(self.guide, 20)}"


def rows_of(own: t.Sequence[t.Mapping[str, t.Any]] | None, guide_version: str = GUIDE_VERSION) -> Judged:
    """Return the rows of one version of the guide. Rows of the user's replace the guide's of the same version.

    Raise Failure when a row can't be read, or there is none of this version.
    """
    mine = [_row(one) for one in own or ()]
    if len(mine) > MAX_ROWS:
        raise Failure(f"mcp_compatibility has {len(mine)} rows: at most {MAX_ROWS} are read.")
    if found := tuple(row for row in mine if row["guide"] == guide_version):
        return Judged(guide_version, found, are_own=True)
    if found := tuple(row for row in ROWS if row["guide"] == guide_version):
        return Judged(guide_version, found)
    known = sorted({row["guide"] for row in (*ROWS, *mine)})
    raise Failure(
        f"The compatibility matrix has no row of version {printable(guide_version, 40)} of the guide, only of "
        f"{_listed(known)}: correct guide_version (mcp_guide_version), or add a row (mcp_compatibility)."
    )


def _row(given: t.Mapping[str, t.Any]) -> Row:
    """Return a row of the user's, complete. Raise Failure."""
    row: Row = {
        "guide": given.get("guide") or GUIDE_VERSION,
        "server": _range(given, "server"),
        "revisions": list(given.get("revisions") or ()),
        "kubernetes": _range(given, "kubernetes"),
        "notes": given.get("notes") or "",
    }
    for text in (row["server"], row["kubernetes"]):
        ranges.parse(text)
    return row


def _range(given: t.Mapping[str, t.Any], key: str) -> str:
    """Return a range of versions of a row. Raise Failure for what is no text."""
    value = given.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise Failure(
        f"{key} in a row of mcp_compatibility is {printable(str(value), 40)}, which is no text and may have lost "
        f'digits (1.30 becomes 1.3): put it in quotes, such as {key}: "1.30".'
    )


def judge(
    judged: Judged, kubernetes: str | None, server_version: str | None, revisions: t.Sequence[str] | None
) -> list[Result]:
    """Return the results of what is compared with the matrix, as in RETURN of mcp_compatibility.

    kubernetes: as the API server names its version. server_version: the tag of an image, a digest or both.
    revisions: that the server accepts. None: it is not known. A row counts when it has the server's version; where none
    has, all do.
    """
    version = ranges.numbers(server_version)
    having = [row for row in judged.rows if version and ranges.has(ranges.parse(row["server"]), version)]
    rows = having or judged.rows
    return [
        _kubernetes(judged, rows, kubernetes),
        _server(judged, having, server_version, version),
        _revisions(judged, rows, revisions),
    ]


def _kubernetes(judged: Judged, rows: t.Sequence[Row], kubernetes: str | None) -> Result:
    shown = printable(str(kubernetes), 60)
    if kubernetes is None:
        return _made(KUBERNETES, SKIPPED, "The API server names no version, so it is not compared.")
    version = ranges.numbers(kubernetes)
    if version is None:
        return _made(KUBERNETES, SKIPPED, f'Kubernetes is of version "{shown}", which is no number, so not compared.')
    if any(ranges.has(ranges.parse(row["kubernetes"]), version) for row in rows):
        return _made(KUBERNETES, PASSED, f"Kubernetes {shown} goes with {judged.title}.")
    wanted = _listed(list(dict.fromkeys(row["kubernetes"] for row in rows)), " or ")
    return _made(
        KUBERNETES,
        FAILED,
        f"Kubernetes is {shown}; by {judged.title} it must be {wanted}: upgrade the cluster, or, where you have tried "
        "it there, add a row of your own (mcp_compatibility).",
    )


def _server(judged: Judged, having: t.Sequence[Row], given: str | None, version: ranges.Numbers | None) -> Result:
    # The guide's rows are about the versions of one server. Yours may count otherwise.
    required = judged.are_own
    shown = printable(str(given), 80)
    if given is None:
        return _made(SERVER, SKIPPED, "No version is named, and that of the live pool is unknown, so none is compared.")
    if version is None:
        return _made(SERVER, SKIPPED, f"Version {shown} is no number such as v1.2.0, so it is not compared.")
    if having:
        notes = _listed([printable(row["notes"], 80) for row in having if row["notes"]])
        about = f" ({notes})" if notes else ""
        return _made(SERVER, PASSED, f"Version {shown} of the server goes with {judged.title}{about}.")
    known = _listed([row["server"] for row in judged.rows], " or ")
    cure = "release one of them, or add a row" if required else "add rows for your server (mcp_compatibility)"
    return _made(
        SERVER,
        FAILED,
        f"Version {shown} of the server is none of those in {judged.title} ({known}): {cure}.",
        required=required,
    )


def _revisions(judged: Judged, rows: t.Sequence[Row], revisions: t.Sequence[str] | None) -> Result:
    if revisions is None:
        return _made(REVISIONS, SKIPPED, "The revisions of MCP that the server accepts are not known.")
    accepted = _listed(_shown(revisions))
    wanted = list(dict.fromkeys(one for row in rows for one in row["revisions"]))
    if any(not row["revisions"] for row in rows) or not set(wanted).isdisjoint(revisions):
        return _made(REVISIONS, PASSED, f"The server accepts {accepted or 'no revision of MCP'}.")
    return _made(
        REVISIONS,
        FAILED,
        f"The server accepts {accepted or 'no revision of MCP'}; by {judged.title} it must accept one of "
        f"{_listed(_shown(wanted))}: update the server's SDK, or add the revision to a row of your own "
        "(mcp_compatibility).",
    )


def clients(spoken: t.Sequence[str], accepted: t.Sequence[str], before: str, after: str) -> Result:
    """Return whether the version after accepts what clients of the one before may speak.

    spoken: what the pool before accepts, as what its clients speak is at most that. accepted: by the pool after.
    """
    if lost := [one for one in spoken if one not in accepted]:
        gone, left = _listed(_shown(lost), " or "), _listed(_shown(accepted)) or "none"
        names = _listed([f"{PROTOCOL_VERSIONS}/{one}" for one in _shown(lost)])
        return _made(
            CLIENTS,
            FAILED,
            f"Clients that speak only {gone} would be refused: {before} accepts it, and {after} accepts only {left}. "
            "Keep it in the new version, or, when no client speaks it, accept that by name in the release "
            f"(mcp_contract_accept: {names}).",
        )
    return _made(CLIENTS, PASSED, f"{after} accepts all that {before} accepts ({_listed(_shown(spoken))}).")


def _made(check_id: str, verdict: str, message: str, *, required: bool = True) -> Result:
    return _results.result(check_id, NAMES[check_id], verdict, message, required=required)


def _shown(names: t.Sequence[str]) -> list[str]:
    shown = [printable(one, 40) for one in names[:MAX_SHOWN]]
    return [*shown, f"{len(names) - MAX_SHOWN} more"] if len(names) > MAX_SHOWN else shown


def _listed(names: t.Sequence[str], word: str = ", ") -> str:
    return word.join(names)
