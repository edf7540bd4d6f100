# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect a socket to an API server: addresses, proxies and TLS."""

from __future__ import annotations

import base64
import functools
import http.client
import ipaddress
import os
import socket
import ssl
import typing as t
import urllib.parse

from ansible_collections.mcp.server.plugins.module_utils._http.addresses import connected
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import tls
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.credentials import Credentials
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, conceal, missing_library

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
BUSY = (429, 500, 502, 503, 504)  # statuses of a proxy that cannot serve for now, or whose target cannot


class Proxy(t.NamedTuple):
    scheme: str
    host: str
    port: int
    username: str
    password: str

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"

    @property
    def authorization(self) -> dict[str, str]:
        """Return the header with the proxy's credentials; empty without any."""
        if not (self.username or self.password):
            return {}
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        conceal(pair)
        return {"Proxy-Authorization": f"Basic {pair}"}


def proxy_of(access: Access, environment: t.Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy to use, as kubectl chooses it: the cluster's, or else the environment's. Raises Failure."""
    if access.proxy is not None:
        return parse_proxy(access.proxy, "The proxy of the API server")
    environment = os.environ if environment is None else environment
    url = urllib.parse.urlsplit(access.host)
    names = (f"{url.scheme.upper()}_PROXY", f"{url.scheme}_proxy")
    name, text = next(((name, environment[name]) for name in names if environment.get(name)), ("", ""))
    without = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if not text or not url.hostname or bypassed(url.hostname, url.port or PORTS[url.scheme], without):
        return None
    return parse_proxy(text if "://" in text else f"http://{text}", f"The proxy in {name}")


def parse_proxy(text: str, what: str) -> Proxy | None:
    """Return the parts of a proxy's URL, None when it is empty. Raises Failure, which never shows the password."""
    if not text:
        return None
    try:
        url = urllib.parse.urlsplit(text)
        port = url.port or PORTS.get(url.scheme, 0)
    except ValueError:
        port = 0
    if not port or not url.hostname:
        raise Failure(f"{what} is not a URL with http, https or socks5, such as http://proxy.example.com:3128.")
    username, password = (urllib.parse.unquote(part or "") for part in (url.username, url.password))
    # A password may be too short to be concealed alone, so its surroundings are too.
    conceal(password, url.password or "", f"{url.netloc.rpartition('@')[0]}@" if url.password else "")
    return Proxy(url.scheme, url.hostname, port, username, password)


def bypassed(host: str, port: int, without: str) -> bool:
    """Return whether NO_PROXY excludes a host, as kubectl reads it: domains, addresses, networks, and ports."""
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for entry in without.lower().replace(",", " ").split():
        if entry == "*":
            return True
        name, given, network = entry, "", _network(entry.strip("[]"))
        if network is None and ":" in entry:
            name, _colon, given = entry.rpartition(":")
            network = _network(name.strip("[]"))
        if given and given != str(port):
            continue
        if network is not None:
            if address is not None and address in network:
                return True
            continue
        below = name.removeprefix("*")
        if host.lower() == name or host.lower().endswith(below if below.startswith(".") else f".{below}"):
            return True
    return False


def _address(text: str) -> t.Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> t.Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


class Dialler:
    """Connects to one API server. Thread-safe."""

    def __init__(self, access: Access, credentials: Credentials) -> None:
        url = urllib.parse.urlsplit(access.host)
        self._access = access
        self._credentials = credentials
        self._tls = url.scheme == "https"
        self._host, self._port = t.cast(str, url.hostname), url.port or PORTS[url.scheme]
        self.authority = url.netloc
        self.base = url.path  # the prefix of each path
        self.proxy = proxy_of(access)
        self._context = functools.lru_cache(maxsize=2)(functools.partial(tls.context, access))

    @property
    def forwards(self) -> bool:
        """Return whether the proxy forwards requests, as for plain HTTP, instead of opening a tunnel."""
        return self.proxy is not None and not self._tls and self.proxy.scheme in ("http", "https")

    def __call__(self, bound: Deadline, *, tunnel: bool = False) -> socket.socket:
        """Return a connected socket. tunnel: to the API server itself, also for plain HTTP. Raises OSError, Failure."""
        sock = self._through(bound, tunnel)
        try:
            sock.settimeout(max(bound.left, 0.001))
            return self._wrapped(sock) if self._tls else sock
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise tls.distrust(self._access.host, error) from None
        except BaseException:
            sock.close()
            raise

    def _through(self, bound: Deadline, tunnel: bool) -> socket.socket:
        proxy = self.proxy
        if proxy is None:
            return connected(self._host, self._port, bound)
        if proxy.scheme.startswith("socks"):
            return self._socks(proxy, bound)
        sock = connected(proxy.host, proxy.port, bound)
        try:
            sock.settimeout(max(bound.left, 0.001))
            if proxy.scheme == "https":
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=proxy.host)
            if self._tls or tunnel:
                _tunnel(sock, proxy, f"{_bracketed(self._host)}:{self._port}")
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise Failure(
                f"The certificate of the proxy {proxy.shown} is not trusted ({error.verify_message})."
            ) from None
        except BaseException:
            sock.close()
            raise
        return sock

    def _socks(self, proxy: Proxy, bound: Deadline) -> socket.socket:
        try:
            import socks  # lazy: emergency path
        except ImportError:
            raise Failure(f"The proxy {proxy.shown} needs a further library: {missing_library('PySocks')}") from None
        login = {"proxy_username": proxy.username, "proxy_password": proxy.password} if proxy.username else {}
        where = {"proxy_type": socks.SOCKS5, "proxy_addr": proxy.host, "proxy_port": proxy.port, "proxy_rdns": True}
        timeout = max(bound.left, 0.001)
        sock = socks.create_connection((self._host, self._port), timeout=timeout, **where, **login)
        return t.cast(socket.socket, sock)

    def _wrapped(self, sock: socket.socket) -> socket.socket:
        context = self._context(self._credentials.certificate())
        name = self._access.tls_name or self._host
        if isinstance(sock, ssl.SSLSocket):  # TLS in TLS, which the standard library lacks
            from urllib3.util.ssltransport import SSLTransport  # lazy: emergency path

            return t.cast(socket.socket, SSLTransport(sock, context, server_hostname=name))
        return context.wrap_socket(sock, server_hostname=name)


def _tunnel(sock: socket.socket, proxy: Proxy, target: str) -> None:
    """Open a tunnel through a proxy (CONNECT). Raises OSError, Failure."""
    lines = [
        f"CONNECT {target} HTTP/1.1",
        f"Host: {target}",
        *(f"{name}: {value}" for name, value in proxy.authorization.items()),
        "",
        "",
    ]
    sock.sendall("\r\n".join(lines).encode())
    response = http.client.HTTPResponse(sock, method="CONNECT")
    try:
        response.begin()
        status = response.status
    except http.client.HTTPException as error:
        raise ConnectionError(f"the proxy {proxy.shown} gives no HTTP answer ({type(error).__name__})") from None
    finally:
        response.close()
    if status in BUSY:
        raise ConnectionError(f"the proxy {proxy.shown} answers {status}")
    if status == 407:
        raise unknown_to(proxy)
    if not 200 <= status < 300:
        raise Failure(
            f"The proxy {proxy.shown} refuses to connect to {target} (it answers {status}). "
            "Correct the proxy, or what it allows."
        )


def unknown_to(proxy: Proxy) -> Failure:
    """Return the Failure for a proxy that answers 407."""
    return Failure(
        f"The proxy {proxy.shown} does not accept the credentials (407); correct user and password in its URL."
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
