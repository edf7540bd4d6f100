# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check that webhooks can be reached: a connection and a certificate, through the proxy of a message.

Nothing is posted.
"""

from __future__ import annotations

import functools
import http.client
import os
import socket
import ssl
import typing as t
from base64 import b64encode
from urllib.parse import SplitResult, unquote, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._announce import webhook
from ansible_collections.mcp.server.plugins.module_utils._announce.webhook import Webhook
from ansible_collections.mcp.server.plugins.module_utils._http import client
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import run_concurrently
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

TIMEOUT = 5.0  # seconds for each step of a connection
MAX_SECONDS = 12.0  # for all steps of all webhooks, side by side
# OpenSSL's codes for a certificate of another host. Its text for them names the host, which is a secret.
OTHER_NAME = (62, 64)
PORTS = {"http": 80, "https": 443}


def check(params: dict[str, t.Any], _server: t.Any = None) -> str:
    """Return a sentence on what was found. Raises Failure with one for each webhook that a message would not reach."""
    client.require_requests()
    found = [webhook.find(option, number) for number, option in enumerate(params["webhooks"], 1)]
    problems = [one for one in found if isinstance(one, str)]
    hooks = [one for one in found if isinstance(one, Webhook)]
    answers = run_concurrently([functools.partial(_problem, one) for one in hooks], MAX_SECONDS, None)
    problems += [
        f"{one.name}: {_late(MAX_SECONDS)}" if answer is None else answer
        for one, answer in zip(hooks, answers, strict=True)
    ]
    if failed := [f"Announcements would not reach {problem}." for problem in problems if problem]:
        raise Failure(" ".join(failed))
    return f"{len(found)} webhook{'s' if len(found) > 1 else ''} can be reached."


def _late(seconds: float) -> str:
    return f"no connection within {seconds:g} s; check its URL, the network and the proxy"


def _problem(one: Webhook) -> str:
    """Return which webhook cannot be reached and why, empty when it can. Quotes no library: it may repeat the URL."""
    try:
        _connect(one)
    except ssl.SSLCertVerificationError as error:
        why = "it is for another name" if error.verify_code in OTHER_NAME else error.verify_message
        return f"{one.name}: its certificate is not trusted ({why}); set ca_cert, or correct the URL"
    except TimeoutError:
        return f"{one.name}: {_late(TIMEOUT)}"
    except socket.gaierror:
        return f"{one.name}: the host name, or the proxy's, cannot be resolved; check its URL"
    except _Refused as refused:
        return f"{one.name}: the proxy refuses the connection ({refused}); check HTTPS_PROXY and NO_PROXY"
    except ssl.SSLError as error:
        return f"{one.name}: no connection by TLS ({error.reason or 'it was closed'}); check its URL"
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or "it was refused or closed"
        return f"{one.name}: no connection ({reason}); check its URL, ca_cert and the network"
    return ""


class _Refused(OSError):
    """The status that a proxy answered."""


def _connect(one: Webhook) -> None:
    """Open the connection that requests would, and close it. Raises OSError."""
    url = urlsplit(one.url)
    proxy, ca_certs = client.proxy_and_trust(one.url, one.ca_cert)
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    if proxy and urlsplit(proxy).scheme in ("http", ""):
        _through(urlsplit(proxy if "://" in proxy else f"http://{proxy}"), url.scheme, host, port, ca_certs)
        return
    scheme = url.scheme
    if proxy:  # by TLS or SOCKS: only the connection to the proxy is checked
        parts = urlsplit(proxy)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 1080)
        scheme = "https" if parts.scheme == "https" else "http"
    with socket.create_connection((host, port), timeout=TIMEOUT) as plain:
        if scheme == "https":
            with _trust(ca_certs).wrap_socket(plain, server_hostname=host):
                return


def _through(proxy: SplitResult, scheme: str, host: str, port: int, ca_certs: str) -> None:
    """Open the connection through an HTTP proxy, and close it. Raises OSError."""
    where = (proxy.hostname or "", proxy.port or PORTS["http"])
    if scheme == "http":  # the proxy would get the URL in the same request as the message
        socket.create_connection(where, timeout=TIMEOUT).close()
        return
    connection = http.client.HTTPSConnection(*where, timeout=TIMEOUT, context=_trust(ca_certs))
    headers = {}
    if proxy.username:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    connection.set_tunnel(host, port, headers)
    try:
        connection.connect()
    except OSError as error:
        answer = str(error)
        if answer.startswith("Tunnel connection failed: "):
            raise _Refused(answer.split()[3]) from None
        raise
    finally:
        connection.close()


def _trust(ca_certs: str) -> ssl.SSLContext:
    """Return a context that trusts these CAs, a file or a directory."""
    try:
        if os.path.isdir(ca_certs):
            return ssl.create_default_context(capath=ca_certs)
        return ssl.create_default_context(cafile=ca_certs)
    except ssl.SSLError:
        raise OSError(0, "its ca_cert has no certificate that can be read") from None
