# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of the matrix, and what mcp_health has to find out about each of them: data only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = ("2026-07-28",)

# What all of them offer. Go lists by name, the others in the order of registration.
TOOLS = ["forecast", "broken", "measure", *(f"station_{number}" for number in range(7))]
PROMPTS = ["greet", "brief"]
RESOURCES = ["weather://stations"]
TEMPLATES = ["weather://forecast/{city}"]

SESSION_CASES = ("DELETE of a session", "list in ended session")

# HTTP status, and the code of the JSON-RPC error if it is one.
Answer = tuple[int, int | None]


@dataclass(frozen=True)
class Row:
    """One server, and what mcp_health has to find out about it."""

    name: str
    kind: str  # see fleet.running
    mode: str  # see fleet.running
    era: str
    session_mode: str
    requests: dict[str, int]  # of a probe of all lists, by the eras in which it is healthy
    versions: tuple[str, ...]  # of the protocol, that clients get
    path: str = "/mcp"
    server_version: str = "1.2.0"
    sorted: bool = False  # lists by name
    guarded: bool = False  # by a bearer token
    guards_host: bool = True  # against DNS rebinding
    wire: dict[str, Answer] = field(default_factory=dict)  # to single requests, by the names in test_wire.py

    @property
    def protocol_version(self) -> str:
        return self.versions[-1]

    def names(self, names: list[str]) -> list[str]:
        return sorted(names) if self.sorted else names


def _several(row: Row, **modes: dict[str, t.Any]) -> list[Row]:
    """Return a row for each mode, by its changes to C(row). Its wire is added to the row's, except for HTTP+SSE."""
    return [
        replace(row, name=f"{row.name}-{mode}", mode=mode, **{**changes, "wire": _wire(row, **changes)})
        for mode, changes in modes.items()
    ]


def _wire(
    row: Row, *, session_mode: str | None = None, wire: dict[str, Answer] | None = None, **_changes: t.Any
) -> dict[str, Answer]:
    if session_mode == "sse":
        return wire or {}
    sessions = (session_mode or row.session_mode) == "stateful"
    return {case: answer for case, answer in (row.wire | (wire or {})).items() if sessions or case not in SESSION_CASES}


_PYTHON_WIRE: dict[str, Answer] = {
    "list without session": (400, -32600),
    "ping without session": (400, -32600),
    "list in unknown session": (404, -32600),
    "initialize, only JSON accepted": (406, -32600),
    "GET without session": (400, -32600),
    "DELETE without session": (400, -32600),
    "DELETE of a session": (200, None),
    "list in ended session": (404, -32600),
    "initialize with foreign Host": (421, None),
    "initialize with foreign Origin": (403, None),
    "initialize with slash at the end": (307, None),
}
_STATELESS: dict[str, t.Any] = {
    "session_mode": "stateless",
    "wire": {
        "list without session": (200, None),
        "ping without session": (200, None),
        "list in unknown session": (200, None),
        "GET without session": (200, None),  # a stream that stays silent and open
        "DELETE without session": (405, -32600),
    },
}
_JSON: dict[str, t.Any] = {"wire": {"initialize, only JSON accepted": (200, None)}}
_NO_POST: dict[str, Answer] = {"list without session": (405, None)}
# Over HTTP+SSE, a probe does not ask which other revisions there are.
_SSE: dict[str, t.Any] = {"session_mode": "sse", "era": "legacy", "path": "/sse", "versions": LEGACY}

_PYTHON_1 = Row("python-1", "", "", "legacy", "stateful", {"auto": 9, "legacy": 7}, LEGACY, wire=_PYTHON_WIRE)
_PYTHON_1_MODES: dict[str, dict[str, t.Any]] = {
    "stateful": {},
    "stateless": {**_STATELESS, "requests": {"auto": 7, "legacy": 6}},
    "json": _JSON,
    "sse": {**_SSE, "requests": {"auto": 9, "sse": 7}, "wire": _NO_POST},
}
_MODERN_WIRE: dict[str, Answer] = {
    "modern list": (200, None),
    "modern list, wrong Mcp-Method": (400, -32020),
    "modern list, unknown version": (400, -32022),
    "modern list, no _meta": (400, -32602),
    "modern ping": (404, -32601),
    "modern call, no Mcp-Name": (400, -32020),
}
_PYTHON_2 = Row(
    "python-2.3",
    "tools:mcp2.py",
    "",
    "modern",
    "stateful",
    {"auto": 7, "modern": 5, "legacy": 7},
    LEGACY + MODERN,
    wire={**_PYTHON_WIRE, **_MODERN_WIRE},
)
# Three pages of tools.
_FASTMCP = replace(
    _PYTHON_2,
    name="fastmcp-4.1",
    kind="fastmcp:fastmcp4.py",
    requests={"auto": 9, "modern": 7, "legacy": 9},
    guards_host=False,
    wire={**_PYTHON_2.wire, "initialize with foreign Host": (200, None), "initialize with foreign Origin": (200, None)},
)
_TYPESCRIPT_WIRE: dict[str, Answer] = {
    "list without session": (400, -32000),
    "ping without session": (400, -32000),
    # As the SDK's examples answer it; the SDK's own transport says 404 -32001.
    "list in unknown session": (400, -32000),
    "initialize, only JSON accepted": (406, -32000),
    "GET without session": (400, -32000),
    "DELETE without session": (400, -32000),
    "DELETE of a session": (200, None),
    "list in ended session": (400, -32000),
    "initialize with foreign Host": (403, -32000),
    "initialize with foreign Origin": (200, None),
    "initialize with slash at the end": (200, None),
}
_TYPESCRIPT_STATELESS: dict[str, t.Any] = {
    "session_mode": "stateless",
    "wire": {**_STATELESS["wire"], "GET without session": (405, -32000), "DELETE without session": (405, -32000)},
}
_TYPESCRIPT_1 = Row(
    "typescript-1",
    "typescript:sdk1.mjs",
    "",
    "legacy",
    "stateful",
    {"auto": 8, "legacy": 7},
    LEGACY,
    wire=_TYPESCRIPT_WIRE,
)
_TYPESCRIPT_2 = Row(
    "typescript-2",
    "typescript:sdk2.mjs",
    "",
    "modern",
    "stateless",
    {"auto": 6, "modern": 5, "legacy": 6},
    LEGACY + MODERN,
    wire={
        **_TYPESCRIPT_WIRE,
        **_TYPESCRIPT_STATELESS["wire"],
        **_MODERN_WIRE,
        "initialize with slash at the end": (404, None),
    },
)
_GO_WIRE: dict[str, Answer] = {
    # HTTP 200 with an error that has no code of JSON-RPC.
    "list without session": (200, 0),
    "ping without session": (200, None),
    "list in unknown session": (404, None),
    "initialize, only JSON accepted": (400, None),
    "GET without session": (400, None),
    "DELETE without session": (400, None),
    "DELETE of a session": (204, None),
    "list in ended session": (404, None),
    "initialize with foreign Host": (403, None),
    "initialize with foreign Origin": (200, None),
    "initialize with slash at the end": (404, None),
    # It answers server/discover, with legacy revisions only.
    "modern list": (400, -32022),
}
_GO = Row("go-1.8", "go", "", "legacy", "stateful", {"auto": 10, "legacy": 9}, LEGACY, sorted=True, wire=_GO_WIRE)

ROWS = [
    *_several(
        replace(_PYTHON_1, name="python-1.26", kind="mcp-1.26:mcp1.py", server_version="1.26.0"), **_PYTHON_1_MODES
    ),
    *_several(
        replace(_PYTHON_1, name="python-1.30", kind="mcp-1.30:mcp1.py", server_version="1.30.0"), **_PYTHON_1_MODES
    ),
    *_several(
        _PYTHON_2,
        stateful={},
        stateless={**_STATELESS, "requests": {"auto": 6, "modern": 5, "legacy": 6}},
        json=_JSON,
        sse={**_SSE, "requests": {"auto": 9, "sse": 7}, "wire": {**_NO_POST, "modern list": (405, None)}},
        bearer={"guarded": True},
    ),
    *_several(
        _FASTMCP,
        stateful={},
        stateless={
            **_STATELESS,
            "requests": {"auto": 8, "modern": 7, "legacy": 8},
            "wire": {**_STATELESS["wire"], "GET without session": (405, None)},
        },
        json=_JSON,
        sse={**_SSE, "requests": {"auto": 11, "sse": 9}, "wire": {**_NO_POST, "modern list": (405, None)}},
        # With its own guard against DNS rebinding, which was on by default in 3.4.3 only.
        guarded={
            "guards_host": True,
            "wire": {"initialize with foreign Host": (421, None), "initialize with foreign Origin": (403, None)},
        },
        bearer={"guarded": True},
    ),
    *_several(
        _TYPESCRIPT_1,
        stateful={},
        stateless={**_TYPESCRIPT_STATELESS, "requests": {"auto": 7, "legacy": 6}},
        json={},
        sse={**_SSE, "requests": {"auto": 9, "sse": 7}, "wire": {"list without session": (404, None)}},
    ),
    *_several(
        _TYPESCRIPT_2,
        auto={},
        json={},
        sse={},
        modern={
            "session_mode": "modern",
            "versions": MODERN,
            "requests": {"auto": 6, "modern": 5},
            "wire": {
                **dict.fromkeys(_TYPESCRIPT_WIRE, (400, -32022)),
                "initialize with foreign Host": (403, -32000),
                "initialize with slash at the end": (404, None),
                "GET without session": (405, -32000),
                "DELETE without session": (405, -32000),
            },
        },
        stateful={
            "session_mode": "stateful",
            "requests": {"auto": 7, "modern": 5, "legacy": 7},
            "wire": {**_TYPESCRIPT_WIRE, "initialize with slash at the end": (404, None)},
        },
    ),
    *_several(
        _GO,
        stateful={},
        stateless={
            **_STATELESS,
            "era": "modern",
            "versions": LEGACY + MODERN,
            "requests": {"auto": 8, "modern": 7, "legacy": 8},
            "wire": {
                **_STATELESS["wire"],
                **_MODERN_WIRE,
                "GET without session": (405, None),
                "DELETE without session": (405, None),
            },
        },
        json={},
        colour={},
        sse={
            **_SSE,
            "requests": {"auto": 11, "sse": 9},
            "wire": {"list without session": (400, None), "modern list": (400, None)},
        },
        bearer={"guarded": True},
    ),
]

# The servers of `make test`, for all of them: each SDK, session mode and transport, and every peculiarity.
TWINS = (
    "python-1.26-stateful",  # leaks
    "python-1.30-sse",
    "python-2.3-stateful",
    "python-2.3-bearer",
    "fastmcp-4.1-stateless",  # pages
    "fastmcp-4.1-guarded",
    "typescript-1-json",
    "typescript-2-auto",
    "typescript-2-modern",
    "go-1.8-stateful",
    "go-1.8-colour",
    "go-1.8-sse",
)
