# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Posting to webhooks, whose URLs are secrets.

Nothing here raises: when an announcement fails, the work that matters is done.
"""

from __future__ import annotations

import functools
import os
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._announce.payload import FORMATS
from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http import client, credentials
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, conceal, started

# Documented in modules/mcp_announce.py
OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "url": {"type": "str", "no_log": True},
        "url_env": {"type": "str", "no_log": False},
        "url_file": {"type": "path", "no_log": False},
        "token_env": {"type": "str", "no_log": False},
        "token_file": {"type": "path", "no_log": False},
        "format": {"type": "str", "choices": list(FORMATS), "default": "json"},
        "ca_cert": {"type": "path"},
        "allow_http": credentials.ALLOW_HTTP,
    },
    "mutually_exclusive": [("url", "url_env", "url_file"), ("token_env", "token_file")],
    "required_one_of": [("url", "url_env", "url_file")],
}

TRIES = 3
PAUSE = 0.3  # seconds after the first try; twice that after the second


@dataclass(frozen=True)
class Webhook:
    """Where to post a message."""

    # What may be shown of it.
    name: str
    # A secret.
    url: str
    # One of FORMATS.
    format: str
    # Path of a CA bundle, None for those that requests trusts.
    ca_cert: str | None = None
    # A secret: a bearer token, empty for none.
    token: str = field(default="", repr=False)


def find(option: dict[str, t.Any], number: int) -> Webhook | str:
    """Return the webhook that an element of the option names, or which one it is and why it cannot be used."""
    if option["url_env"]:
        name = f"webhook {number} (environment variable {option['url_env']})"
        url = os.environ.get(option["url_env"], "")
    elif option["url_file"]:
        name = f"webhook {number} (file {option['url_file']})"
        try:
            url = Path(option["url_file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            return f"{name}: it cannot be read ({getattr(error, 'strerror', None) or 'no text'})"
    else:
        name, url = f"webhook {number}", option["url"]
    url = url.strip()
    if not client.is_url(url):
        return f"{name}: {'it is not a URL' if url else 'it is empty or missing'}"
    if credentials.is_exposed(url) and not option.get("allow_http"):
        return (
            f"{name}: it is a plain HTTP URL, so that others on the way could read it; use an https URL, or set its "
            "allow_http where the network is trusted"
        )
    try:
        token = credentials.bearer_token(option, lambda _name: {}, "webhooks") or ""
    except Failure as failure:
        return f"{name}: {failure.msg[0].lower()}{failure.msg[1:].rstrip('.')}"
    conceal(token)
    return Webhook(name, url, option["format"], option["ca_cert"], token)


def post_all(messages: t.Sequence[tuple[Webhook, dict[str, t.Any]]], seconds: float) -> list[str]:
    """Post the messages side by side; return for each why it was not delivered, empty for one that was.

    seconds: for all of them together, with their repetitions.
    """
    bound = Deadline(seconds)
    waits = [started(functools.partial(_post, webhook, payload, bound)) for webhook, payload in messages]
    found = []
    for (webhook, _payload), wait in zip(messages, waits, strict=True):
        try:
            reason = wait(bound.left)
        except TimeoutError:
            reason = _no_answer(seconds)
        found.append(reason and f"{webhook.name}: {reason}")
    return found


def _post(webhook: Webhook, payload: dict[str, t.Any], bound: Deadline) -> str:
    """Return why a message was not delivered, empty when it was. Tries again where that may help."""
    reason = ""
    for attempt in range(1, TRIES + 1):
        again, reason = _try(webhook, payload, max(0.1, min(bound.seconds / 2, bound.left)), bound.seconds)
        if not reason or not again or attempt == TRIES or bound.left <= PAUSE * attempt:
            break
        time.sleep(PAUSE * attempt)
    return reason


def _try(webhook: Webhook, payload: dict[str, t.Any], seconds: float, in_all: float) -> tuple[bool, str]:
    """Return whether another try may help, and why this one failed. Repeats no text of a library: the URL may be in it.

    Redirects are not followed: they would send the message to another host.
    """
    try:
        answer = client.Client(webhook.ca_cert or True).request(
            "POST",
            webhook.url,
            seconds,
            json_body=payload,
            read_body=False,
            authorization=credentials.bearer(webhook.token) if webhook.token else "",
        )
    except client.Untrusted:
        return False, "its certificate is not trusted; set ca_cert"
    except client.TimedOut:
        return True, _no_answer(in_all)
    except client.Unreachable:
        return True, "it cannot be reached; check its URL, the network and the proxy"
    except Fault:
        return False, "it cannot be used; check its URL and ca_cert"
    except Failure as failure:  # the library is missing
        return False, failure.msg.rstrip(".")
    reason = "" if 200 <= answer.status < 300 else f"it answered {answer.status}"
    return answer.status == 429 or answer.status >= 500, reason


def _no_answer(seconds: float) -> str:
    return f"no answer within {seconds:g} s"
