# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of paths in Vault: that they can be read, have their keys, and are not too old.

Vault is asked by the lookup plugins of the collection community.hashi_vault, which are its public interface. The
function that calls them is handed in (Ask), as only the controller's process has them. Values are dropped as soon as it
is known whether they are empty.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _results, _times
from ansible_collections.mcp.server.plugins.module_utils._http import client
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import ALLOW_HTTP, refuse_plain_http
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Result, Skipped
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, bounded, conceal
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# What may go wrong, by classes of hvac, requests and urllib3 in the chain of an exception: the first that is there.
DENIED, ABSENT, INVALID, DOWN, UNREACHABLE, TLS, LATE, MISSING, OTHER = (
    *("denied", "absent", "invalid", "down", "unreachable", "tls", "late", "missing", "other"),
)
_CLASSES = (
    (("HashiVaultHVACError", "ModuleNotFoundError"), MISSING),
    (("Forbidden", "Unauthorized"), DENIED),
    (("InvalidPath",), ABSENT),
    (("VaultDown", "VaultNotInitialized", "InternalServerError", "BadGateway", "RateLimitExceeded"), DOWN),
    (("InvalidRequest", "PreconditionFailed", "UnsupportedOperation", "HashiVaultValueError"), INVALID),
    (("SSLError",), TLS),
    # A refused connection has a time-out among its classes in urllib3.
    (("ConnectionRefusedError", "gaierror"), UNREACHABLE),
    (("ReadTimeout", "ConnectTimeout", "ReadTimeoutError"), LATE),
    (("ConnectionError",), UNREACHABLE),
)
INSTALL = (
    "install it where the playbook runs: ansible-galaxy collection install community.hashi_vault, and "
    "python -m pip install hvac"
)
SECRETS = ("token", "password", "secret_id", "jwt")  # options of the collection that have a value from a place
PASSED_ON = (
    *("url", "auth_method", "mount_point", "username", "role_id", "namespace", "ca_cert", "validate_certs"),
    *("cert_auth_public_key", "cert_auth_private_key"),
)
CONNECTION = ("url", "namespace", "ca_cert", "validate_certs", "timeout")
MAX_SECONDS = 60.0  # for all paths
MAX_PATHS = 100

OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "url": {"type": "str", "required": True},
        "auth_method": {
            "type": "str",
            "choices": ["token", "userpass", "ldap", "approle", "jwt", "cert", "none"],
            "default": "token",
        },
        "mount_point": {"type": "str"},
        "username": {"type": "str"},
        "role_id": {"type": "str"},
        **{f"{name}_env": {"type": "str", "no_log": False} for name in SECRETS},
        **{f"{name}_file": {"type": "path", "no_log": False} for name in SECRETS},
        "cert_auth_public_key": {"type": "path"},
        "cert_auth_private_key": {"type": "path", "no_log": False},
        "namespace": {"type": "str"},
        "ca_cert": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "allow_http": ALLOW_HTTP,
        "timeout": {"type": "float", "default": 10.0},
        "secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "no_log": False,
            "options": {
                "path": {"type": "str", "required": True},
                "mount": {"type": "str", "default": "secret"},
                "kv_version": {"type": "int", "choices": [1, 2]},
                "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
                "max_age_days": {"type": "int"},
            },
        },
    },
}

Params = t.Mapping[str, t.Any]


class Trouble(Exception):
    """Vault did not answer as asked. kind: DENIED and so on. detail: words that hold no value; may be empty."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.detail = detail


# Calls a lookup plugin of community.hashi_vault, with its name, what it is asked for, and options; raises Trouble.
Ask = t.Callable[[str, str, dict[str, t.Any]], t.Any]


def kind_of(names: t.Collection[str], text: str = "") -> str:
    """Return what went wrong. Pure. names: of the classes in the chain of an exception. text: the collection's own.

    The collection answers a path without anything by a text alone.
    """
    for classes, kind in _CLASSES:
        if any(one in names for one in classes):
            return kind
    return ABSENT if "seem to exist" in text else OTHER


@dataclass(frozen=True)
class Outline:
    """What is known of a secret in Vault, without any value. KV version 1 knows no version and no time."""

    keys: frozenset[str]
    filled: frozenset[str]
    version: int | None = None
    created: datetime | None = None


def outline(answer: t.Any, kv_version: int) -> Outline:
    """Return what a secret has, without its values. Pure."""
    data = mapping(answer, "data")
    if kv_version == 1:
        return Outline(frozenset(data), _filled(data))
    values, metadata = mapping(data, "data"), mapping(data, "metadata")
    version = metadata.get("version")
    return Outline(
        frozenset(values),
        _filled(values),
        version if isinstance(version, int) else None,
        _times.parse(_to_microseconds(metadata.get("created_time"))),
    )


def _to_microseconds(text: t.Any) -> t.Any:
    """Return a time of Vault, which has nanoseconds, with what Python can read."""
    if not isinstance(text, str) or "." not in text:
        return text
    head, _dot, rest = text.partition(".")
    digits = rest.rstrip("Z")
    return f"{head}.{digits[:6]}Z" if digits.isdigit() else text


def _filled(values: t.Mapping[str, t.Any]) -> frozenset[str]:
    return frozenset(key for key, value in values.items() if value is not None and str(value).strip())


@dataclass
class Session:
    """Questions to one Vault, after a login."""

    params: Params
    ask: Ask
    deadline: Deadline
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict, repr=False)
    is_ours: bool = False  # whether the token was made by our login

    @property
    def host(self) -> str:
        return f"Vault {client.host_of(self.params['url'])}"

    def call(self, plugin: str, term: str, options: dict[str, t.Any] | None = None) -> t.Any:
        """Ask, for a bounded time. Raises Trouble."""
        seconds = min(self.params["timeout"] + 1.0, self.deadline.left)
        if seconds <= 0:
            raise Trouble(LATE, f"the {MAX_SECONDS:g} s for all questions were over")
        call = functools.partial(self.ask, plugin, term, dict(self.options if options is None else options))
        try:
            return bounded(call, seconds)
        except TimeoutError:
            raise Trouble(LATE) from None


def check(params: Params, ask: Ask, now: datetime | None = None) -> list[Result]:
    """Return the results: a row for the login, one for each path, and one for each age that is limited."""
    session = Session(params, ask, Deadline(MAX_SECONDS))
    wanted = params["secrets"]
    found = [_results.made("vault", "Vault", functools.partial(_login, session))]
    try:
        for secret in wanted[:MAX_PATHS]:
            found += _of_path(session, secret, found[0]["ok"], now or datetime.now(UTC))
    finally:
        _log_out(session)
    if len(wanted) > MAX_PATHS:
        text = f"{len(wanted)} paths are too many: name at most {MAX_PATHS}."
        found.append(_results.result("vault:more", "more paths in Vault", _results.FAILED, text))
    return found


def _login(session: Session) -> str:
    params = session.params
    if not client.is_url(params["url"]):
        raise Failure("mcp_vault.url is no URL: set it to such as https://vault.example.com:8200.")
    refuse_plain_http(params["url"], params["allow_http"], "mcp_vault", "the login")
    options = {name: params[name] for name in PASSED_ON if params.get(name) is not None}
    # Numbers of seconds are whole there. It tries nothing again: our time is bounded.
    options |= {"timeout": max(1, math.ceil(params["timeout"])), "retries": 0}
    method = params["auth_method"]
    for name in SECRETS:
        if value := _secret(params, name):
            options[name] = value
    connection = {name: options[name] for name in (*CONNECTION, "retries") if name in options}
    try:
        if method in ("token", "none"):
            session.options = options
            return _look_up(session, method)
        answer = session.call("vault_login", "", options)
    except Trouble as trouble:
        raise _failure(session, trouble, f"the login by {method}", _login_cure(params)) from None
    token = mapping(answer, "auth").get("client_token")
    if not isinstance(token, str) or not token:
        raise CannotMeasure(f"{session.host} answers the login by {method} without a token: correct mcp_vault.url.")
    conceal(token)
    session.options, session.is_ours = {**connection, "auth_method": "token", "token": token}, True
    return f"{session.host} answers, and takes the login by {method}."


def _look_up(session: Session, method: str) -> str:
    if method == "none":
        return f"{session.host} is asked without a login (auth_method none)."
    try:
        session.call("vault_read", "auth/token/lookup-self")
    except Trouble as trouble:
        if trouble.kind != DENIED:
            raise
        # A token may be good and not permitted to look itself up.
        return f"{session.host} answers, and does not report whether the token is valid."
    return f"{session.host} answers, and the token is valid."


def _login_cure(params: Params) -> str:
    return (
        "correct the credentials that mcp_vault names, or the role's policy"
        if params["auth_method"] != "token"
        else ("log in again, and set mcp_vault.token_env or token_file")
    )


def _log_out(session: Session) -> None:
    """Revoke the token that our login made."""
    if not session.is_ours:
        return
    try:
        session.deadline = Deadline(session.params["timeout"])
        session.call("vault_write", "auth/token/revoke-self")
    except Trouble:
        pass  # it ends by itself, at the end of its lease


def _of_path(session: Session, secret: Params, logged_in: bool, now: datetime) -> list[Result]:
    mount, path = secret["mount"].strip("/"), secret["path"].strip("/")
    where = printable(f"{mount}/{path}", 200)
    known: list[Outline] = []

    def readable() -> str:
        if not logged_in:
            raise Skipped(f"{where} is not read, as there is no login to Vault.")
        known.append(_read(session, mount, path, secret.get("kv_version")))
        return _sentence(session.host, where, known[0], secret["keys"])

    def young() -> str:
        if not known:
            raise Skipped(f"The age of {where} is unknown, as it cannot be read.")
        return _age(session.host, where, known[0], secret["max_age_days"], now)

    found = [_results.made(f"vault:{where}", f"Vault {where}", readable)]
    if secret.get("max_age_days") is not None:
        found.append(_results.made(f"vault_age:{where}", f"age of Vault {where}", young, required=False))
    return found


def _read(session: Session, mount: str, path: str, kv_version: int | None) -> Outline:
    """Return what is known of a secret. Raises Failure."""
    where = printable(f"{mount}/{path}", 200)
    if not mount or not path or ".." in path.split("/") or not f"{mount}{path}".isprintable():
        raise Failure(f"mcp_vault.secrets names no path of a secret ({where}): correct mount and path.")
    try:
        if kv_version is None:
            kv_version = _kv_version(session.call("vault_read", f"sys/internal/ui/mounts/{mount}/{path}"))
    except Trouble as trouble:
        cure = f"correct mount ({mount}), or set kv_version, if its policy shows this login no mounts"
        raise _failure(session, trouble, f"what kind of engine has {where}", cure) from None
    full = f"{mount}/{path}" if kv_version == 1 else f"{mount}/data/{path}"
    try:
        return outline(session.call("vault_read", full), kv_version)
    except Trouble as trouble:
        if trouble.kind == ABSENT:
            deleted = "" if kv_version == 1 else ", or its newest version is deleted"
            raise Failure(
                f"{session.host} has no secret {where}{deleted}: put it there, or correct path and mount in mcp_vault."
            ) from None
        rule = f'path "{full}" {{ capabilities = ["read"] }}'
        raise _failure(session, trouble, where, f"log in again, or add to the policy of this login: {rule}") from None


def _kv_version(mount: t.Any) -> int:
    """Return the version of a key-value engine, from what Vault tells of its mount. Pure. Raises Failure."""
    data = mapping(mount, "data")
    if data.get("type") not in ("kv", "generic", None):
        raise Failure(
            f"The mount is of type {printable(data['type'], 40)}, and only key-value engines can be checked: correct "
            "mount."
        )
    return 2 if str(mapping(data, "options").get("version")) == "2" else 1


def _sentence(host: str, where: str, found: Outline, keys: t.Sequence[str]) -> str:
    """Return the sentence on a secret that could be read. Raises Failure when a key has no value. Pure."""
    if empty := [key for key in keys if key not in found.filled]:
        raise Failure(f"{host}: {where} has no value for {', '.join(empty)}: add it.")
    has = f"has a value for {', '.join(keys)}" if keys else f"can be read, and has {len(found.keys)} keys"
    version = f" (version {found.version})" if found.version is not None else ""
    return f"{host}: {where}{version} {has}."


def _age(host: str, where: str, found: Outline, max_age_days: int, now: datetime) -> str:
    if found.created is None:
        raise Skipped(f"{host}: {where} has no time of its last change (key-value version 1).")
    days = max(0, (now - found.created).days)
    if days > max_age_days:
        raise Failure(
            f"{host}: {where} was last changed {days} days ago, and may be {max_age_days} days old: put new values "
            "into it, or raise its max_age_days."
        )
    return f"{host}: {where} was last changed {days} days ago."


def _failure(session: Session, trouble: Trouble, what: str, cure: str) -> Failure:
    """Return the failure of a question. What Vault cannot answer now is not known to be wrong."""
    host, detail = session.host, f" ({trouble.detail})" if trouble.detail else ""
    if trouble.kind == MISSING:
        return CannotMeasure(f"Vault cannot be asked without the collection community.hashi_vault{detail}: {INSTALL}.")
    if trouble.kind in (DENIED, INVALID, ABSENT):
        word = {DENIED: "denies", INVALID: "refuses", ABSENT: "does not know"}[trouble.kind]
        return Failure(f"{host} {word} {what}{detail}: {cure}.")
    sentences = {
        DOWN: "is sealed, in maintenance or overloaded (5xx): unseal it, or try again",
        UNREACHABLE: "does not answer: correct mcp_vault.url, or start it",
        TLS: "has a certificate that is not trusted: set mcp_vault.ca_cert",
        LATE: f"does not answer within {session.params['timeout']:g} s: try again, or raise mcp_vault.timeout",
    }
    sentence = sentences.get(trouble.kind, "answers in an unexpected way: correct mcp_vault.url")
    return CannotMeasure(f"{host} {sentence} (asked for {what}{', ' + trouble.detail if trouble.detail else ''}).")


def _secret(params: Params, name: str) -> str:
    """Return a secret from the place that an option names, empty without one. Raises Failure, which never holds it."""
    if path := params.get(f"{name}_file"):
        origin = f"file {path}"
        try:
            value = Path(path).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise Failure(f"mcp_vault.{name}_file {path} cannot be read ({reason}).") from None
    elif variable := params.get(f"{name}_env"):
        origin, value = f"environment variable {variable}", os.environ.get(variable, "").strip()
    else:
        return ""
    if not value:
        raise Failure(f"No {name.replace('_', ' ')} in {origin}: it is empty or missing.")
    conceal(value)
    return value
