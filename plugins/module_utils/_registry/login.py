# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a registry's user name and password: in the options, or in a file of docker login or podman login."""

from __future__ import annotations

import base64
import binascii
import json
import os
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._image import DOCKER_HUB
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, conceal

# Documented in doc_fragments/registry.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "username": {"type": "str"},
        "password_env": {"type": "str", "no_log": False},
        "password_file": {"type": "path", "no_log": False},
        "config_file": {"type": "path"},
        "config_env": {"type": "str"},
        "config_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": ".dockerconfigjson", "no_log": False},
            },
        },
    },
    "mutually_exclusive": [("password_env", "password_file", "config_file", "config_env", "config_secret")],
    "required_one_of": [("password_env", "password_file", "config_file", "config_env", "config_secret")],
    "required_by": {"password_env": ["username"], "password_file": ["username"]},
}

MAX_BYTES = 2**20  # of a file with credentials
_HUB = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}

Login = tuple[str, str]  # user name and password


class Malformed(ValueError):
    """Credentials that cannot be read: why, a clause without any of them."""


def find(params: dict[str, t.Any], host: str, repository: str) -> Login | None:
    """Return what to log in to this host with, for this repository; None for an anonymous user. Raises Failure."""
    option = params.get("registry_auth")
    if params.get("registry_username"):
        return params["registry_username"], params["registry_password"] or ""
    if option and option.get("username"):
        return option["username"], _password(option)
    for origin, text in _configs(params, option):
        try:
            login = in_config(text, host, repository)
        except Malformed as error:
            raise Failure(f"The credentials for {host} in {origin} cannot be used: {error}.") from None
        if login:
            conceal(login[1])
            return login
    return None


def in_config(text: str, host: str, repository: str) -> Login | None:
    """Return the credentials of a file such as ~/.docker/config.json for this host, None when it has none.

    Keys are hosts as docker login writes them, also with a scheme, and with /v1/ or /v2/, or hosts with folders of
    repositories (containers-auth.json); the longest that fits counts. Pure. Raises Malformed.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None
    auths = document.get("auths") if isinstance(document, dict) else None
    if auths is not None and not isinstance(auths, dict):
        raise Malformed("its auths are not an object")
    by_place = {_place(key): entry for key, entry in (auths or {}).items() if entry}
    folders = [_hub(host), *repository.split("/")]
    for length in range(len(folders), 0, -1):
        entry = by_place.get("/".join(folders[:length]))
        if entry and (login := _login(entry)):
            return login
    return None


def _place(key: str) -> str:
    """Return the host, with the folders that a key is limited to."""
    scheme, _sep, rest = key.rpartition("://")
    host, _slash, folders = rest.partition("/")
    # With a scheme it is an address of an API, which docker login writes.
    folders = "" if scheme or folders.strip("/") in ("v1", "v2") else folders.rstrip("/")
    return f"{_hub(host)}/{folders}".rstrip("/")


def _hub(host: str) -> str:
    return DOCKER_HUB if host.lower() in _HUB else host.lower()


def _login(entry: t.Any) -> Login | None:
    """Return the credentials of an entry; None when a helper has them, or for an identity token."""
    if not isinstance(entry, dict):
        raise Malformed("its entry is not an object")
    user, password = entry.get("username"), entry.get("password")
    if not (user and password) and entry.get("auth"):
        try:
            decoded = base64.b64decode(str(entry["auth"]), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Malformed("its auth is not base64") from None
        user, colon, password = decoded.rstrip("\0").partition(":")
        if not colon:
            raise Malformed("its auth has no colon between user and password")
    return (str(user), str(password)) if user and password else None


def _password(option: dict[str, t.Any]) -> str:
    if option.get("password_env"):
        origin, password = f"environment variable {option['password_env']}", os.environ.get(option["password_env"], "")
    else:
        origin = f"registry_auth.password_file {option['password_file']}"
        password = _read(Path(option["password_file"]), origin)
    password = password.strip("\r\n")
    if not password:
        raise Failure(f"No password for the registry in {origin}: it is empty or missing.")
    conceal(password)
    return password


def _configs(params: dict[str, t.Any], option: dict[str, t.Any] | None) -> t.Iterator[tuple[str, str]]:
    """Yield where credentials may be, and the text there: of the option, or else of the user's own files."""
    if option and option.get("config_file"):
        origin = f"registry_auth.config_file {option['config_file']}"
        yield origin, _read(Path(option["config_file"]), origin)
    elif option and option.get("config_env"):
        yield f"environment variable {option['config_env']}", os.environ.get(option["config_env"], "")
    elif option and option.get("config_secret"):
        name, key = option["config_secret"]["name"], option["config_secret"]["key"]
        yield f"key {key} of Secret {name}", credentials.decoded(_secret(params, name).get("data") or {}, key)
    else:
        docker = os.environ.get("DOCKER_CONFIG") or "~/.docker"
        for place in (os.environ.get("REGISTRY_AUTH_FILE"), f"{docker}/config.json"):
            path = Path(place or "").expanduser()
            if place and path.is_file() and os.access(path, os.R_OK):
                yield str(path), _read(path, str(path))


def _secret(params: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    if not params.get("namespace"):
        raise Failure("registry_auth.config_secret needs the option namespace, in which the Secret is.")
    return connection.connect(params).get(paths.secrets(params["namespace"], name))


def _read(path: Path, origin: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Failure(f"{origin} is too large to be a file with credentials.")
        return content.decode()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise Failure(f"{origin} cannot be read ({reason}).") from None
