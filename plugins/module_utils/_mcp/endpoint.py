# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reach an MCP server at its public address, or in its pod through the API server."""

from __future__ import annotations

import socket
import ssl
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.addresses import connected
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Connection, Cures, Dial
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._mcp import hosts
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import BY_DEFAULT, Answering, is_path
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
        "mcp_path": {"type": "str", "default": "/mcp"},
        "pods": {
            "type": "dict",
            "options": {
                "host": {"type": "str"},
                "scheme": {"type": "str", "choices": ["http", "https"], "default": "http"},
                "server_name": {"type": "str"},
                "ca_cert": {"type": "path"},
                "validate_certs": {"type": "bool", "default": True},
            },
        },
    },
}

_POD_CURES = Cures(
    ca_cert="endpoint.pods.ca_cert",
    name="endpoint.pods.server_name",
    without_tls="so set endpoint.pods.scheme to http",
    with_tls="set endpoint.pods.scheme to https",
    cut="does the server listen on this port, and speak what endpoint.pods.scheme says?",
)


@dataclass(frozen=True)
class Endpoint:
    """The address of one MCP server, and how to connect to it."""

    name: str  # for people: a URL or "pod NAMESPACE/NAME"
    authority: str  # the Host header
    dial: Dial  # returns a connected socket, with TLS for https
    mcp_path: str
    answering: Answering = BY_DEFAULT
    hosts: hosts.Hosts | None = None  # of a pod: what to try as the Host header
    # Of MCP requests that measure shares and errors (own_requests.py): the credentials; whether the server is asked
    # without any, as it is only checked for refusing; and the pool of each name and version in serverInfo, where the
    # two pools differ in that.
    headers: t.Mapping[str, str] = field(default_factory=dict, repr=False)
    guarded: bool = False
    server_infos: t.Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def health_path(self) -> str | None:
        return self.answering.health_path

    def connection(self) -> Connection:
        if self.hosts is not None:
            return hosts.PodConnection(self.dial, self.name, self.hosts, _POD_CURES)
        return Connection(self.dial, self.authority)


def defaults() -> dict[str, t.Any]:
    """Return the option endpoint with its default values."""
    return {name: sub.get("default") for name, sub in OPTION["options"].items()}


def public(
    option: dict[str, t.Any] | None,
    auth: t.Mapping[str, t.Any] | None = None,
    answering: Answering = BY_DEFAULT,
) -> Endpoint:
    """Return the endpoint that the option names. Raise Failure when its url is not the base URL of a server.

    auth: the option whose credentials the server gets; raise Failure also when others could read them on the way.
    """
    if not (option and option["url"]):  # null counts as given to ansible-core
        raise Failure("endpoint.url is missing: it is the server's address, such as https://mcp.example.com.")
    address = _parts("endpoint.url", option["url"])
    if credentials.any_named(auth):
        credentials.refuse_plain_http(option["url"], option.get("allow_http"), "endpoint", "the credentials in auth")
    named = _named(option)
    context = _tls(option) if address.scheme == "https" else None
    port = address.port or (443 if context else 80)

    def dial(bound: Deadline) -> socket.socket:
        sock = connected(t.cast(str, address.hostname), port, bound)
        return context.wrap_socket(sock, server_hostname=named.hostname) if context else sock

    return Endpoint(option["url"].rstrip("/"), named.netloc, dial, _path(option), answering)


def in_pod(
    cluster: Api,
    namespace: str,
    pod: str,
    port: int,
    option: dict[str, t.Any] | None,
    group: str = "",
    answering: Answering = BY_DEFAULT,
) -> Endpoint:
    """Return the endpoint of a pod's port, reached through the API server. Raise Failure.

    group: the pods that share what is learnt of their Host, such as "pool green"; without one, the pod alone.
    """
    option = option or defaults()
    names = pod_hosts(option, port)
    known = hosts.of(namespace, (group or f"pod {pod}").capitalize(), port, names)
    tls = pod_tls(option)

    def dial(bound: Deadline) -> socket.socket:
        sock = cluster.port_forward(namespace, pod, port)
        return _wrapped(sock, *tls, bound) if tls else sock

    return Endpoint(f"pod {namespace}/{pod}", known.in_order()[0], dial, _path(option), answering, known)


def _wrapped(sock: socket.socket, context: ssl.SSLContext, name: str, bound: Deadline) -> ssl.SSLSocket:
    """Return the socket with TLS, whose handshake is done. Raise OSError, with the socket closed."""
    try:
        sock.settimeout(max(bound.left, 0.001))
        wrapped = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    try:
        wrapped.do_handshake()
    except BaseException:
        # The thread of a port-forward ends with a traceback on the terminal when its socket is closed with unread data.
        with suppress(OSError):
            wrapped.settimeout(0)
            while socket.socket.recv(wrapped, 65536):
                pass
        wrapped.close()
        raise
    return wrapped


def pod_hosts(option: dict[str, t.Any], port: int) -> tuple[str, ...]:
    """Return the Hosts to try on a pod: only the one that is given for pods, if there is one. Raise Failure. Pure."""
    given = _of_pods(option)["host"]
    if given:
        return (_parts("endpoint.pods.host", f"https://{given}").netloc,)
    return hosts.candidates(_named(option).netloc if option["host"] or option["url"] else None, port)


def pod_tls(option: dict[str, t.Any]) -> tuple[ssl.SSLContext, str] | None:
    """Return how to speak TLS with pods, and the name that their certificate must have. None without TLS.

    Raise Failure when the options do not say that, or cannot be used.
    """
    of_pods = _of_pods(option)
    if of_pods["scheme"] == "http":
        return None
    name = of_pods["server_name"]
    if name:
        name = _parts("endpoint.pods.server_name", f"https://{name}").hostname
    elif option["host"] or option["url"]:
        name = _named(option).hostname
    elif of_pods["validate_certs"]:
        raise Failure(
            "endpoint.pods.server_name is missing: with endpoint.pods.scheme https, it is the name that the pods' "
            "certificate is made for. The default is the public name, in endpoint.url or endpoint.host."
        )
    trusted = "endpoint.pods.ca_cert" if of_pods["ca_cert"] else "endpoint.ca_cert"
    ca_cert = of_pods["ca_cert"] or option["ca_cert"]
    made_of = {**option, "ca_cert": ca_cert, "validate_certs": of_pods["validate_certs"]}
    return _tls(made_of, trusted), name or "localhost"


def _of_pods(option: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the suboptions for pods, with their defaults."""
    default = {name: sub.get("default") for name, sub in OPTION["options"]["pods"]["options"].items()}
    return {**default, **(option.get("pods") or {})}


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
        raise Failure(f"{name} must end after the host and port; paths go to endpoint.mcp_path and health_path.")
    return split


def _path(option: dict[str, t.Any]) -> str:
    path: str = option["mcp_path"]
    if not is_path(path):
        raise Failure(f"endpoint.mcp_path {path!r} is not a path, such as {OPTION['options']['mcp_path']['default']}.")
    return path


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _tls(option: dict[str, t.Any], trusted: str = "endpoint.ca_cert") -> ssl.SSLContext:
    """Return the context of the options. trusted: the option that names the CA, for messages. Raise Failure."""
    try:
        context = ssl.create_default_context(cafile=option["ca_cert"])
    except OSError as error:
        raise Failure(f"{trusted} {option['ca_cert']} cannot be used ({error.strerror or error}).") from None
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
