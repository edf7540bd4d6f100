# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON-RPC 2.0 messages: plain dicts out, checked answers in."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault

MAX_DEPTH = 100


@dataclass(frozen=True)
class Error:
    code: int
    message: str
    data: t.Any = None


# What a server says to a request: its result, or that it refuses.
Answer: t.TypeAlias = "dict[str, t.Any] | Error"


def request(id: int, method: str, params: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def notification(method: str) -> dict[str, t.Any]:
    return {"jsonrpc": "2.0", "method": method}


def parse(text: str) -> t.Any:
    """A value that can be written as JSON in UTF-8 again, by whoever works with it. Raises ValueError for everything else.

    C(json) reads more than that: NaN, 1e999 as infinity, half of a surrogate
    pair. Of a name that comes twice the last counts, as with all clients.
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
    """Raises RecursionError before code that follows the nesting does."""
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


def _is_int(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_message(message: t.Any) -> bool:
    return isinstance(message, dict) and message.get("jsonrpc") == "2.0"


def answer_to(id: int, message: t.Any) -> Answer | None:
    """The answer in a message from the server, or None when it is a request or notification of its own.

    Raises Fault for what is neither.
    """
    if not is_message(message):
        raise Fault("is answered with JSON that is not JSON-RPC 2.0")
    if "method" in message:
        return None
    error, their_id = message.get("error"), message.get("id")
    # A refusal may come with null or a name in place of an id that the server did not read.
    if not (_is_int(their_id) and their_id == id or isinstance(error, dict) and not _is_int(their_id)):
        raise Fault(f"with id {id} is answered with id {json.dumps(their_id)[:40]}")
    if isinstance(error, dict):
        code = error.get("code")
        return Error(
            code if _is_int(code) and abs(code) < 2**31 else 0, str(error.get("message", "")), error.get("data")
        )
    if not isinstance(message.get("result"), dict):
        raise Fault("is answered with neither a result nor an error")
    return message["result"]
