# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Posting to webhooks, whose addresses are secrets. Nothing here raises: whoever announces has done the work that matters."""

from __future__ import annotations

import os
import threading
import time
import traceback
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils._announce.payload import FORMATS
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

try:
    import requests

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

# Documented in modules/mcp_announce.py
OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "url": {"type": "str", "no_log": True},
        "url_env": {"type": "str", "no_log": False},
        "url_file": {"type": "path", "no_log": False},
        "format": {"type": "str", "choices": list(FORMATS), "default": "json"},
        "ca_cert": {"type": "path"},
    },
    "mutually_exclusive": [("url", "url_env", "url_file")],
    "required_one_of": [("url", "url_env", "url_file")],
}

TRIES = 3
PAUSE = 0.3  # seconds after the first try; twice that after the second


@dataclass(frozen=True)
class Webhook:
    """name: what may be shown of it."""

    name: str
    url: str
    format: str
    ca_cert: str | None = None


def find(option: dict[str, t.Any], number: int) -> Webhook | str:
    """The webhook that an element of the option names, or why there is none."""
    if option["url_env"]:
        name, url = (
            f"webhook {number} (environment variable {option['url_env']})",
            os.environ.get(option["url_env"], ""),
        )
    elif option["url_file"]:
        name = f"webhook {number} (file {option['url_file']})"
        try:
            url = Path(option["url_file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            return f"{name}: it cannot be read ({getattr(error, 'strerror', None) or 'no text'})"
    else:
        name, url = f"webhook {number}", option["url"]
    url = url.strip()
    if not _is_address(url):
        return f"{name}: {'there is no URL in it' if url else 'it is empty or missing'}"
    return Webhook(name, url, option["format"], option["ca_cert"])


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def post_all(messages: t.Sequence[tuple[Webhook, dict[str, t.Any]]], seconds: float) -> list[str]:
    """Why each of them was not delivered, empty for one that was. All are sent at once, and all is over after so many seconds."""
    if REQUESTS_ERROR is not None:
        return [f"{webhook.name}: {missing_required_lib('requests')}" for webhook, _payload in messages]
    bound = Deadline(seconds)
    answers = [f"{webhook.name}: no answer within {seconds:g} s" for webhook, _payload in messages]

    def work(number: int) -> None:
        webhook, payload = messages[number]
        reason = _post(webhook, payload, bound)
        answers[number] = reason and f"{webhook.name}: {reason}"

    # Daemons: a time-out of requests is one between two bytes, and a webhook may send one now and then for ever.
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(messages))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(bound.left)
    return list(answers)


def _post(webhook: Webhook, payload: dict[str, t.Any], bound: Deadline) -> str:
    """Why it was not delivered. Nothing that requests says is repeated: the address is in it."""
    reason = ""
    for attempt in range(1, TRIES + 1):
        again, reason = _try(webhook, payload, max(0.1, min(bound.seconds / 2, bound.left)))
        if not reason or not again or attempt == TRIES or bound.left <= PAUSE * attempt:
            break
        time.sleep(PAUSE * attempt)
    return reason


def _try(webhook: Webhook, payload: dict[str, t.Any], seconds: float) -> tuple[bool, str]:
    """Whether another try may help, and why this one failed."""
    try:
        # Redirects would take what is said elsewhere; a callable as auth keeps the passwords of a .netrc out of it.
        response = requests.post(
            webhook.url,
            json=payload,
            timeout=seconds,
            verify=webhook.ca_cert or True,
            allow_redirects=False,
            auth=lambda request: request,
            stream=True,
        )
        response.close()
    except requests.exceptions.SSLError:
        return False, "its certificate is not trusted"
    except requests.exceptions.Timeout:
        return True, f"no answer within {seconds:g} s"
    except requests.exceptions.ConnectionError:
        return True, "no connection"
    except (requests.exceptions.RequestException, OSError, ValueError):
        return False, "it cannot be asked: check its URL and ca_cert"
    status = response.status_code
    return status == 429 or status >= 500, "" if 200 <= status < 300 else f"it answered {status}"
