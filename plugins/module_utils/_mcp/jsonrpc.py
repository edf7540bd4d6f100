# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build JSON-RPC 2.0 messages, and parse and check answers."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_DEPTH = 100


@dataclass(frozen=True)
class Error:
    code: int
    message: str
    data: t.Any = None


# A server's answer to a request: its result, or an error.
Answer: t.TypeAlias = "dict[str, t.Any] | Error"


def request(id: int, method: str, params: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def notification(method: str) -> dict[str, t.Any]:
    return {"jsonrpc": "2.0", "method": method}


def parse(text: str) -> t.Any:
    """Parse JSON that can be written in UTF-8 again. Raise ValueError for everything else.

    C(json) also reads NaN, 1e999 as infinity, and half of a surrogate pair. Of a duplicate name the last one counts,
    as in all clients.
    """
    try:
        value = json.loads(text)
        _check_depth(value)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError:
        raise
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None
    except ValueError:
        raise ValueError("a number that is too large, or none") from None
    return value


def _check_depth(value: t.Any) -> None:
    """Raise RecursionError when the value is nested too deep for recursive code."""
    level = [value]
    for _depth in range(MAX_DEPTH + 1):
        level = [
            child
            for each in level
            if isinstance(each, (dict, list))
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise RecursionError


def _is_int(value: t.Any) -> t.TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def is_message(message: t.Any) -> bool:
    return isinstance(message, dict) and message.get("jsonrpc") == "2.0"


def answer_to(id: int, message: t.Any) -> Answer | None:
    """Return the answer in a server's message, or None for its own requests and notifications.

    Raise Fault for everything else.
    """
    if not is_message(message):
        raise Fault("returned JSON that is not JSON-RPC 2.0")
    if "method" in message:
        return None
    error, their_id = message.get("error"), message.get("id")
    # The official clients take a number that comes back as text, as 1.0 or as "1".
    is_ours = their_id in (id, str(id)) and not isinstance(their_id, bool)
    # A refusal may come with null or a name in place of an id that the server did not read.
    if not (is_ours or isinstance(error, dict) and not _is_int(their_id)):
        raise Fault(f"with id {id} got an answer with id {json.dumps(their_id)[:40]}")
    if isinstance(error, dict):
        code = error.get("code")
        known = code if _is_int(code) and abs(code) < 2**31 else 0
        return Error(known, str(error.get("message", "")), error.get("data"))
    result = message.get("result")
    if not isinstance(result, dict):
        raise Fault("returned neither a result nor an error")
    # The TypeScript client refuses other keys, also an error that is null.
    if others := message.keys() - {"jsonrpc", "id", "result"}:
        raise Fault(f"returned a message that official clients refuse: it has the key {printable(min(others), 40)}")
    return result
