# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reach an MCP server at its public address, or in its pod through the API server."""

from __future__ import annotations

import socket
import ssl
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.addresses import connected
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Dial
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

# Documented in doc_fragments/endpoint.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "url": {"type": "str"},
        "host": {"type": "str"},
        "ca_cert": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "validate_certs": {"type": "bool", "default": True},
        "allow_http": credentials.ALLOW_HTTP,
        "health_path": {"type": "str", "default": "/health"},
        "mcp_path": {"type": "str", "default": "/mcp"},
    },
}


@dataclass(frozen=True)
class Endpoint:
    """The address of one MCP server, and how to connect to it."""

    name: str  # for people: a URL or "pod NAMESPACE/NAME"
    authority: str  # the Host header
    dial: Dial  # returns a connected socket, with TLS for https
    health_path: str
    mcp_path: str

    def connection(self) -> Connection:
        return Connection(self.dial, self.authority)


def defaults() -> dict[str, t.Any]:
    """Return the option endpoint with its default values."""
    return {name: sub.get("default") for name, sub in OPTION["options"].items()}


def public(option: dict[str, t.Any], auth: t.Mapping[str, t.Any] | None = None) -> Endpoint:
    """Return the endpoint that the option names. Raise Failure when its url is not the base URL of a server.

    auth: the option whose token the server gets; raise Failure also when others could read it on the way.
    """
    if not option["url"]:
        raise Failure("endpoint.url is missing: it is the server's address, such as https://mcp.example.com.")
    address = _parts("endpoint.url", option["url"])
    if auth and any(auth.get(name) for name in credentials.SOURCES):
        credentials.refuse_plain_http(option["url"], option.get("allow_http"), "endpoint", "the token")
    named = _named(option)
    context = _tls(option) if address.scheme == "https" else None
    port = address.port or (443 if context else 80)

    def dial(bound: Deadline) -> socket.socket:
        sock = connected(t.cast(str, address.hostname), port, bound)
        return context.wrap_socket(sock, server_hostname=named.hostname) if context else sock

    return Endpoint(option["url"].rstrip("/"), named.netloc, dial, *_paths(option))


def in_pod(cluster: Api, namespace: str, pod: str, port: int, option: dict[str, t.Any] | None) -> Endpoint:
    """Return the endpoint of a pod's port: plain HTTP, with the Host header of the public address.

    Without a public address the Host is localhost, as with C(kubectl port-forward): servers that check it accept that.
    """
    option = option or defaults()
    authority = _named(option).netloc if option["host"] or option["url"] else f"localhost:{port}"
    return Endpoint(
        f"pod {namespace}/{pod}",
        authority,
        lambda bound: cluster.port_forward(namespace, pod, port),
        *_paths(option),
    )


def _named(option: dict[str, t.Any]) -> SplitResult:
    """Return the URL with the server's name for the Host header and TLS, which may differ from its address."""
    if option["host"]:
        return _parts("endpoint.host", f"https://{option['host']}")
    return _parts("endpoint.url", option["url"])


def _parts(name: str, url: str) -> SplitResult:
    """Parse a base URL. Raise Failure, which names the option, when it is not one."""
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and split.hostname and _plain(url) and (split.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise Failure(f"{name} is not the address of a server, such as https://mcp.example.com.")
    if "@" in split.netloc:
        raise Failure(f"{name} must not carry credentials.")
    if split.path.rstrip("/") or split.query or split.fragment:
        raise Failure(
            f"{name} must end after the host and port; paths go to endpoint.mcp_path and endpoint.health_path."
        )
    return split


def _paths(option: dict[str, t.Any]) -> tuple[str, str]:
    for name in ("health_path", "mcp_path"):
        if not (option[name].startswith("/") and _plain(option[name])):
            raise Failure(
                f"endpoint.{name} {option[name]!r} is not a path, such as {OPTION['options'][name]['default']}."
            )
    return option["health_path"], option["mcp_path"]


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _tls(option: dict[str, t.Any]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=option["ca_cert"])
    except OSError as error:
        raise Failure(f"endpoint.ca_cert {option['ca_cert']} cannot be used ({error.strerror or error}).") from None
    if option["client_cert"]:
        try:
            # The empty password keeps an encrypted key from asking for one on the terminal.
            context.load_cert_chain(option["client_cert"], option["client_key"], password="")
        except OSError as error:
            raise Failure(
                f"endpoint.client_cert {option['client_cert']} cannot be used with its key "
                f"({error.strerror or error}): both must be PEM files, and the key must not be encrypted."
            ) from None
    if not option["validate_certs"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
