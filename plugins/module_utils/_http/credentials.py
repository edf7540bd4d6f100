# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of HTTP requests: where they come from, the headers that carry them, and where they may be sent."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import OWN_HEADERS, checked
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, as_dict, conceal
from ansible_collections.mcp.server.plugins.module_utils._text import SHORTEST_WORD, printable

# Documented in the doc_fragments of the options that have it
ALLOW_HTTP: dict[str, t.Any] = {"type": "bool", "default": False}
PLACES = ("file", "env", "secret")  # where a credential may be
SOURCES = tuple(f"token_{place}" for place in PLACES)  # options that name a token

# RFC 6750, 2.1
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# RFC 7617, 2: no control characters
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Headers that MCP, HTTP or a message's body have to itself; the rest of MCP's begin with mcp-.
_NOT_FREE = (
    *OWN_HEADERS,
    *("accept", "content-encoding", "content-type", "expect", "keep-alive", "last-event-id", "proxy-authorization"),
    *("proxy-connection", "te", "trailer", "upgrade"),
)

Secret = t.Callable[[str], dict[str, t.Any]]  # reads the Secret of a name


def places(name: str, key: str) -> dict[str, t.Any]:
    """Return the three options of a module that say where a credential is. key: the default of the Secret's key."""
    return {
        f"{name}_file": {"type": "path", "no_log": False},
        f"{name}_env": {"type": "str", "no_log": False},
        f"{name}_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": key, "no_log": False},
            },
        },
    }


@dataclass(frozen=True)
class Credentials:
    """Headers that show who asks, and the secrets in them, which no result may have."""

    headers: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


NONE = Credentials()


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


def any_named(option: t.Mapping[str, t.Any] | None) -> bool:
    """Return whether the option auth names any credentials."""
    return bool(option) and any((option or {}).get(name) for name in (*SOURCES, "username", "headers"))


def read(option: t.Mapping[str, t.Any] | None, secret: Secret, option_name: str = "auth") -> Credentials:
    """Return the credentials that the option auth names. They are kept out of all results.

    Raises Failure, which holds none of them.
    """
    option = option or {}
    headers: dict[str, str] = {}
    secrets: list[str] = []
    if token := bearer_token(option, secret, option_name):
        headers["Authorization"] = bearer(token)
        secrets.append(token)
    elif option.get("username"):
        username = checked_username(option["username"], option_name)
        password = _password(option, secret, option_name)
        headers["Authorization"] = basic(username, password)
        encoded = headers["Authorization"].partition(" ")[2]
        secrets += [password, encoded, encoded.rstrip("=")]  # whoever repeats it may leave the padding out
    elif any(option.get(f"password_{place}") for place in PLACES):
        raise Failure(f"{option_name}.username is empty, though there is a password.")
    for name, value in own_headers(option.get("headers"), secret, f"{option_name}.headers").items():
        if name.lower() == "authorization" and "Authorization" in headers:
            raise Failure(f"{option_name}.headers.{name}: there is a token or a user name already. Remove one of them.")
        headers[name] = value
        # Of "Bearer abc", whoever repeats it may repeat a part.
        secrets += [value, *(word for word in value.split() if len(word) >= SHORTEST_WORD)]
    conceal(*secrets)
    return Credentials(headers, tuple(one for one in secrets if one))


def own_headers(option: t.Any, secret: Secret, option_name: str) -> dict[str, str]:
    """Return the values of headers, each of which is in one of the places. Raises Failure, which holds none of them.

    option: a dictionary, or one as JSON.
    """
    if (given := as_dict(option or {})) is None:
        conceal(*_texts(option))
        raise Failure(
            f"{option_name} must be a dictionary of the headers' names, each of which says where its value is."
        )
    if len({str(name).lower() for name in given}) < len(given):
        raise Failure(f"{option_name} has names that differ in upper and lower case only. Keep one of them.")
    found = {}
    for name, place in given.items():
        where = f"{option_name}.{printable(str(name), 40)}"
        if problem := header_name_problem(str(name)):
            raise Failure(f"{where} {problem}.")
        if problem := place_problem(place):
            conceal(*_texts(place))  # one may be the value itself
            raise Failure(f"{where} {problem}.")
        origin, value = _value(place, secret, f"{where}.")
        value = value.strip()
        if not value:
            raise Failure(f"No value for {where} in {origin}: it is empty or missing.")
        try:
            checked({str(name): value})
        except Fault:
            conceal(value)
            raise Failure(f"No value for {where} in {origin}: it has characters that a header must not have.") from None
        found[str(name)] = value
    return found


def header_name_problem(name: str) -> str:
    """Return why a header cannot be given, as a predicate; empty when it can. Pure."""
    try:
        checked({name: ""})
    except Fault:
        return "is not the name of a header"
    if name.lower() == "host":
        return "cannot be given: set endpoint.host, or endpoint.pods.host for pods"
    if name.lower() in _NOT_FREE or name.lower().startswith("mcp-"):
        return "cannot be given: each request has its own"
    return ""


def place_problem(place: t.Any) -> str:
    """Return why this does not say where a value is, as a predicate; empty when it does. Pure. Shows no value."""
    if not isinstance(place, dict):
        return "must say where the value is (file, env or secret), and not have the value itself"
    given = [kind for kind, value in place.items() if value is not None]
    if len(given) != 1 or given[0] not in PLACES:
        return "must have exactly one of file, env and secret"
    value = place[given[0]]
    if given[0] != "secret":
        return "" if isinstance(value, str) and value else f"must have text as {given[0]}"
    names = isinstance(value, dict) and value.keys() == {"name", "key"}
    texts = names and all(isinstance(part, str) and part for part in value.values())
    return "" if texts else "must have name and key, and nothing else, as secret"


def _texts(value: t.Any) -> list[str]:
    """Return all texts in a value of YAML."""
    if isinstance(value, dict):
        value = list(value.values())
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else [str(value)]


def checked_username(username: str, option_name: str) -> str:
    """Return a user name for basic authentication. Raises Failure."""
    if ":" in username:
        raise Failure(f"{option_name}.username must not contain a colon: basic authentication ends it there.")
    if _CONTROL.search(username):
        raise Failure(f"{option_name}.username must not contain control characters.")
    return username


def _password(option: t.Mapping[str, t.Any], secret: Secret, option_name: str) -> str:
    """Return the password that the option names, empty when it names none. Raises Failure."""
    place = {kind: option.get(f"password_{kind}") for kind in PLACES}
    if not any(place.values()):
        return ""
    origin, password = _value(place, secret, f"{option_name}.password_")
    password = password.rstrip("\r\n")
    if not password or _CONTROL.search(password):
        conceal(password)
        reason = "it has characters that a password must not have" if password else "it is empty or missing"
        raise Failure(f"No password in {origin}: {reason}.")
    return password


def _value(place: t.Mapping[str, t.Any], secret: Secret, option: str) -> tuple[str, str]:
    """Return where a value is, and the value; empty where there is none. place: one of PLACES, and what it is.

    option: of the module, without the place, for messages. Raises Failure.
    """
    if path := place.get("file"):
        try:
            return f"file {path}", Path(path).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise Failure(f"{option}file {path} cannot be read ({reason}).") from None
    if variable := place.get("env"):
        return f"environment variable {variable}", os.environ.get(variable, "")
    name, key = place["secret"]["name"], place["secret"]["key"]
    return f"key {key} of Secret {name}", decoded(secret(name).get("data") or {}, key)


def bearer_token(option: t.Mapping[str, t.Any] | None, secret: Secret, option_name: str = "auth") -> str | None:
    """Return the bearer token that an option names, None when it names none.

    option: has token_file, token_env and token_secret; one may be missing. secret: reads the Secret of a name.
    option_name: the option's name, for messages. Raises Failure, which never holds the token.
    """
    place = {kind: (option or {}).get(f"token_{kind}") for kind in PLACES}
    if not any(place.values()):
        return None
    origin, token = _value(place, secret, f"{option_name}.token_")
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
