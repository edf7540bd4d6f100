# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of HTTP requests: where a bearer token comes from, the values of the header Authorization, and where they
may be sent.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

# Documented in the doc_fragments of the options that have it
ALLOW_HTTP: dict[str, t.Any] = {"type": "bool", "default": False}
SOURCES = ("token_file", "token_env", "token_secret")  # options that name a token

# RFC 6750, 2.1
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def bearer(token: str) -> str:
    """Return the value of the header Authorization for a bearer token."""
    return f"Bearer {token}"


def basic(username: str, password: str) -> str:
    """Return the value of the header Authorization for a user name and a password (RFC 7617, in UTF-8)."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def is_exposed(url: str) -> bool:
    """Return whether others on the way to this URL could read what is sent: by plain HTTP, except to this machine."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
    except ValueError:
        return False  # nothing is sent there
    if scheme != "http" or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def refuse_plain_http(url: str, allow_http: bool | None, option: str, secret: str = "the credentials for it") -> None:
    """Raise Failure when a secret would be sent by plain HTTP and that is not allowed.

    option: the option that has allow_http. The sentence does not name the URL, which may be a secret.
    """
    if not allow_http and is_exposed(url):
        raise Failure(
            f"{option} is reached by plain HTTP, so that others on the way could read {secret}, and nothing was sent. "
            f"Use an https URL, or set {option}.allow_http: true where the network is trusted."
        )


def bearer_token(
    option: t.Mapping[str, t.Any] | None, secret: t.Callable[[str], dict[str, t.Any]], option_name: str = "auth"
) -> str | None:
    """Return the bearer token that an option names, None when it names none.

    option: has token_file, token_env and token_secret; one may be missing. secret: reads the Secret of a name.
    option_name: the option's name, for messages. Raises Failure, which never holds the token.
    """
    if option is None:
        return None
    if option.get("token_file"):
        origin = f"file {option['token_file']}"
        try:
            token = Path(option["token_file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise Failure(
                f"{option_name}.token_file {option['token_file']} cannot be read "
                f"({getattr(error, 'strerror', None) or 'not UTF-8 text'})."
            ) from None
    elif option.get("token_env"):
        origin = f"environment variable {option['token_env']}"
        token = os.environ.get(option["token_env"], "")
    elif option.get("token_secret"):
        name, key = option["token_secret"]["name"], option["token_secret"]["key"]
        origin = f"key {key} of Secret {name}"
        token = decoded(secret(name).get("data") or {}, key)
    else:
        return None
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        reason = "it has characters that a token must not have" if token else "it is empty or missing"
        raise Failure(f"No bearer token in {origin}: {reason}.")
    return token


def decoded(data: dict[str, str], key: str) -> str:
    """Return a Secret's value as text, empty when it is none."""
    try:
        return base64.b64decode(data.get(key) or "", validate=True).decode()
    except (binascii.Error, UnicodeError):
        return ""
