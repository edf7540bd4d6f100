# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether webhooks can be reached: a connection and a certificate, through the proxy that a message would take. Nothing is posted."""

from __future__ import annotations

import functools
import http.client
import os
import socket
import ssl
import traceback
import typing as t
from base64 import b64encode
from urllib.parse import SplitResult, unquote, urlsplit

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils._announce import webhook
from ansible_collections.mcp.server.plugins.module_utils._announce.webhook import Webhook
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import run_concurrently
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

try:
    import requests
    import requests.certs

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

TIMEOUT = 5.0  # seconds for each step of a connection
LONGEST = 12.0  # seconds for all steps of all of them, side by side
# Of OpenSSL; its own words for it name the host, which is a secret.
OTHER_NAME = (62, 64)
PORTS = {"http": 80, "https": 443}


def look(params: dict[str, t.Any], _server: t.Any = None) -> str:
    """Return what was found, a sentence. Raises Failure with one for each webhook that a message would not reach."""
    if REQUESTS_ERROR is not None:
        raise Failure(missing_required_lib("requests"), exception=REQUESTS_ERROR)
    found = [webhook.find(option, number) for number, option in enumerate(params["webhooks"], 1)]
    problems = [one for one in found if isinstance(one, str)]
    hooks = [one for one in found if isinstance(one, Webhook)]
    answers = run_concurrently([functools.partial(_problem, one) for one in hooks], LONGEST, None)
    problems += [
        f"{one.name}: {_late(LONGEST)}" if answer is None else answer
        for one, answer in zip(hooks, answers, strict=True)
    ]
    if failed := [f"Nothing could be announced to {problem}." for problem in problems if problem]:
        raise Failure(" ".join(failed))
    return f"{len(found)} webhook{'s' if len(found) > 1 else ''} can be reached."


def _late(seconds: float) -> str:
    return f"no connection within {seconds:g} s; check its URL, the network and the proxy"


def _problem(one: Webhook) -> str | None:
    """Return the webhook and why it can't be reached; empty when it can. Nothing that a library says is repeated: the address may be in it."""
    try:
        _connect(one)
    except ssl.SSLCertVerificationError as error:
        why = "it is for another name" if error.verify_code in OTHER_NAME else error.verify_message
        return f"{one.name}: its certificate is not trusted ({why}); set ca_cert, or correct the URL"
    except TimeoutError:
        return f"{one.name}: {_late(TIMEOUT)}"
    except socket.gaierror:
        return f"{one.name}: the name of its host, or of the proxy, is not known; check its URL"
    except _Refused as refused:
        return f"{one.name}: the proxy refuses the connection ({refused}); check HTTPS_PROXY and NO_PROXY"
    except ssl.SSLError as error:
        return f"{one.name}: no connection by TLS ({error.reason or 'it was closed'}); check its URL"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{one.name}: no connection ({getattr(error, 'strerror', None) or 'it was refused or closed'}); check its URL, ca_cert and the network"
    return ""


class _Refused(OSError):
    """What a proxy answered."""


def _connect(one: Webhook) -> None:
    """Open the connection that requests would, and close it. Raises OSError."""
    url = urlsplit(one.url)
    settings = requests.Session().merge_environment_settings(one.url, {}, False, one.ca_cert or True, None)
    proxy = requests.utils.select_proxy(one.url, settings["proxies"])
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    if proxy and urlsplit(proxy).scheme in ("http", ""):
        _through(urlsplit(proxy if "://" in proxy else f"http://{proxy}"), url.scheme, host, port, settings["verify"])
        return
    if proxy:  # one that is spoken to by TLS or SOCKS; what is behind it stays unknown
        parts = urlsplit(proxy)
        host, port, scheme = (
            parts.hostname or "",
            parts.port or PORTS.get(parts.scheme, 1080),
            "https" if parts.scheme == "https" else "http",
        )
    else:
        scheme = url.scheme
    with socket.create_connection((host, port), timeout=TIMEOUT) as plain:
        if scheme == "https":
            with _trust(settings["verify"]).wrap_socket(plain, server_hostname=host):
                return


def _through(proxy: SplitResult, scheme: str, host: str, port: int, verify: bool | str) -> None:
    where = (proxy.hostname or "", proxy.port or PORTS["http"])
    if scheme == "http":  # a proxy is asked for it in one request, which would be the message
        socket.create_connection(where, timeout=TIMEOUT).close()
        return
    connection = http.client.HTTPSConnection(*where, timeout=TIMEOUT, context=_trust(verify))
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


def _trust(verify: bool | str) -> ssl.SSLContext:
    """Return what requests trusts."""
    where = verify if isinstance(verify, str) else requests.certs.where()
    try:
        return (
            ssl.create_default_context(capath=where)
            if os.path.isdir(where)
            else ssl.create_default_context(cafile=where)
        )
    except ssl.SSLError:
        raise OSError(0, "its ca_cert has no certificate that can be read") from None
