# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to third parties (registry, Prometheus, Alertmanager, webhooks): every exchange is bounded in seconds and bytes.

By C(requests), for its proxies and CA bundles. Its time-out begins anew with
every byte, so each exchange runs in a thread of its own, which is waited for
no longer than the deadline; its socket is shut down then, which ends the
thread. Bodies are inflated here: decoders of older urllib3 versions inflate
without a limit.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import traceback
import typing as t
import zlib
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import with_user_agent
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, missing_library, started
from ansible_collections.mcp.server.plugins.module_utils._text import printable

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3
    import urllib3.connection

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

MAX_BYTES = 4 * 2**20  # of a body, inflated
MAX_REDIRECTS = 3
CHUNK = 2**16  # bytes read at once, and inflated at once

_TUNNEL_FAILED = "Tunnel connection failed: "  # of http.client, before the proxy's status
_REDIRECTS = (301, 302, 303, 307, 308)


class TimedOut(Fault):
    """There was no complete answer before the deadline."""


class Untrusted(Fault):
    """The certificate is not trusted."""


class Unreachable(Fault):
    """There was no connection, or it was cut."""


class TooLarge(Fault):
    """The body is larger than allowed."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that was read to its end."""

    status: int
    # Names are looked up in any case.
    headers: t.Mapping[str, str]
    # Inflated; empty when it was not wanted.
    body: bytes
    # Host and port that answered, where a redirect led to; empty without a redirect.
    redirected_to: str = ""

    def json(self) -> t.Any:
        """Return the body as JSON. Raises ValueError."""
        return json.loads(self.body)

    def text(self, limit: int) -> str:
        """Return at most so many characters of the body, for a message."""
        return printable(self.body, limit)


def require_requests() -> None:
    """Raise Failure when the library is missing."""
    if REQUESTS_ERROR is not None:
        raise Failure(missing_library("requests"), exception=REQUESTS_ERROR)


def is_url(url: str) -> bool:
    """Return whether this is an absolute HTTP URL with a host and a port that is possible."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def netloc_of(url: str) -> str:
    """Return what a URL has between its scheme and its path; empty when there is nothing."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def host_of(url: str) -> str:
    """Return the host and port of a URL, without user and password; empty when there is none."""
    return netloc_of(url).rpartition("@")[2]


def proxy_and_trust(url: str, ca_cert: str | None = None) -> tuple[str | None, str]:
    """Return the proxy that a request would take (None without one), and the path of the CA bundle that it trusts."""
    settings = requests.Session().merge_environment_settings(url, {}, False, ca_cert or True, None)
    verify = settings["verify"]
    proxy = requests.utils.select_proxy(url, settings["proxies"])
    return proxy, verify if isinstance(verify, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH


class Client:
    """Sends requests to one third party, by connections that are kept alive. Can be used by several threads.

    verify: False, True, or the path of a CA bundle. max_bytes: the largest body, inflated.
    """

    def __init__(self, verify: bool | str = True, max_bytes: int = MAX_BYTES) -> None:
        require_requests()
        self._verify = verify
        self._max_bytes = max_bytes
        self._session = _Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())

    def request(
        self,
        method: str,
        url: str,
        seconds: float,
        *,
        query: t.Mapping[str, str] | None = None,
        headers: t.Mapping[str, str] | None = None,
        authorization: str = "",
        json_body: t.Any = None,
        follow: bool = False,
        read_body: bool = True,
    ) -> Answer:
        """Return the answer to one request, whatever its status is.

        seconds: the deadline of the whole exchange, redirects included. authorization: the value of that header.
        follow: whether redirects are followed; credentials are left behind, and HTTPS is not left.
        Raises Fault, which holds neither URL nor credentials: TimedOut, Untrusted, Unreachable, TooLarge, or another.
        """
        exchange = _Exchange(Deadline(seconds))
        sent = {"Accept-Encoding": "gzip", **with_user_agent(headers or {})}

        def call() -> Answer:
            with exchange:
                return self._follow(exchange, method, url, query, sent, authorization, json_body, follow, read_body)

        wait = started(call)
        try:
            answer: Answer = wait(seconds)
        except TimeoutError:
            exchange.abandon()
            raise _timed_out(seconds) from None
        except Fault:
            raise
        except BaseException:  # such as a signal that stops the task
            exchange.abandon()
            raise
        return answer

    def _follow(
        self,
        exchange: _Exchange,
        method: str,
        url: str,
        query: t.Mapping[str, str] | None,
        headers: dict[str, str],
        authorization: str,
        json_body: t.Any,
        follow: bool,
        read_body: bool,
    ) -> Answer:
        redirected_to = ""
        for _redirect in range(MAX_REDIRECTS + 1):
            credentials = {"Authorization": authorization} if authorization and not redirected_to else {}
            status, received, body = self._send(
                exchange, method, url, query, {**headers, **credentials}, json_body, read_body
            )
            location = received.get("Location", "")
            if not follow or status not in _REDIRECTS or not location:
                return Answer(status, received, body, redirected_to)
            url, redirected_to = _redirect_target(url, location)
            query = None
        raise Fault(f"redirects more than {MAX_REDIRECTS} times")

    def _send(
        self,
        exchange: _Exchange,
        method: str,
        url: str,
        query: t.Mapping[str, str] | None,
        headers: dict[str, str],
        json_body: t.Any,
        read_body: bool,
    ) -> tuple[int, t.Mapping[str, str], bytes]:
        bound = exchange.bound
        try:
            with self._session.request(
                method,
                url,
                params=query,
                headers=headers,
                json=json_body,
                # Without any, requests would take a password of ~/.netrc, or of the URL.
                auth=lambda request: request,
                timeout=max(bound.left, 0.001),
                verify=self._verify,
                stream=True,
                allow_redirects=False,
            ) as response:
                return response.status_code, response.headers, self._body(response) if read_body else b""
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _fault(error, bound.seconds) from None

    def _body(self, response: requests.Response) -> bytes:
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise Fault(f"answered in the encoding {printable(coding, 40)}, which was not requested")
        pieces = response.raw.stream(CHUNK, decode_content=False)
        body = bytearray()
        for piece in _inflated(pieces) if coding.endswith("gzip") else pieces:
            body += piece
            if len(body) > self._max_bytes:
                raise TooLarge(f"answered with more than {_size(self._max_bytes)}")
        return bytes(body)


class _Exchange:
    """The connections that one exchange uses, to shut them down when nobody waits for it any more."""

    # The exchange that each thread is in, for the connections that it uses.
    of_thread = threading.local()

    def __init__(self, bound: Deadline) -> None:
        self.bound = bound
        self._connections: list[t.Any] = []
        self._abandoned = False

    def __enter__(self) -> None:
        self.of_thread.exchange = self

    def __exit__(self, *_exc: object) -> None:
        del self.of_thread.exchange

    @classmethod
    def use(cls, connection: t.Any) -> None:
        """Note that the exchange of this thread uses a connection. Raises OSError when that exchange was abandoned."""
        exchange: _Exchange | None = getattr(cls.of_thread, "exchange", None)
        if exchange is not None:
            exchange._connections.append(connection)
            if exchange._abandoned:
                connection.close()
                raise OSError("the deadline has passed")

    def abandon(self) -> None:
        """End what is under way: whoever reads from the sockets finds their end."""
        self._abandoned = True
        for connection in list(self._connections):
            if sock := getattr(connection, "sock", None):
                with suppress(OSError, ValueError):
                    sock.shutdown(socket.SHUT_RDWR)


if REQUESTS_ERROR is None:

    class _HTTPConnection(urllib3.connection.HTTPConnection):
        """Tells its exchange of itself: before and after it connects, and when it is used again."""

        def connect(self) -> None:
            _Exchange.use(self)
            super().connect()
            _Exchange.use(self)

        def request(self, *args: t.Any, **kwargs: t.Any) -> None:
            _Exchange.use(self)
            super().request(*args, **kwargs)

    class _HTTPSConnection(_HTTPConnection, urllib3.connection.HTTPSConnection):
        pass

    class _HTTPPool(urllib3.HTTPConnectionPool):
        ConnectionCls = _HTTPConnection

    class _HTTPSPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = _HTTPSConnection

    _POOLS = {"http": _HTTPPool, "https": _HTTPSPool}

    class _Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """Return no target: requests would read the whole body of a redirect, inflated, before it follows none."""

    class _Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = _POOLS

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            if not hasattr(type(manager), "pool_classes_by_scheme"):  # a SOCKS proxy has its own
                manager.pool_classes_by_scheme = _POOLS
            return manager


def _redirect_target(url: str, location: str) -> tuple[str, str]:
    """Return the URL of a redirect and its host with port. Raises Fault."""
    try:
        target = urljoin(url, location)
    except ValueError:
        target = ""
    if not is_url(target):
        raise Fault("redirects to an address that is not a URL")
    old, new = urlsplit(url), urlsplit(target)
    host = host_of(target)
    if old.scheme == "https" and new.scheme == "http":
        raise Fault(f"redirects from HTTPS to plain HTTP ({printable(host, 80)})")
    return new._replace(netloc=host, fragment="").geturl(), host


def _inflated(pieces: t.Iterable[bytes]) -> t.Iterator[bytes]:
    """Yield what gzip members inflate to, at most CHUNK bytes at once. Raises Fault."""
    decoder = zlib.decompressobj(wbits=31)
    begun = False
    for piece in pieces:
        rest = piece
        while rest:
            if decoder.eof:  # another member
                decoder = zlib.decompressobj(wbits=31)
            begun = True
            try:
                inflated = decoder.decompress(rest, CHUNK)
            except zlib.error:
                raise Fault("answered with a body that is not gzip, though its headers say so") from None
            if inflated:
                yield inflated
            rest = decoder.unconsumed_tail or decoder.unused_data
    while begun and not decoder.eof:
        if not (inflated := decoder.decompress(b"", CHUNK)):
            raise Unreachable("cut its answer short")
        yield inflated


def _fault(error: Exception, seconds: float) -> Fault:
    """Return what became of a request that failed below HTTP. No error is quoted whole: it may hold the URL."""
    chain = list(_chain(error))
    for inner in chain:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return Untrusted(
                f"has a certificate that is not trusted ({printable(inner.verify_message, 120).rstrip('.')})"
            )
    # What could not be connected to is a kind of time-out to urllib3, and to requests, whatever the reason.
    timeouts = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)
    if any(isinstance(inner, timeouts) for inner in chain):
        return _timed_out(seconds)
    for inner in chain:
        if isinstance(inner, ssl.SSLError):
            return Unreachable(f"does not answer by TLS ({printable(inner.reason or 'no reason given', 80)})")
    for inner in chain:
        if isinstance(inner, (socket.gaierror, UnicodeError)):
            return Unreachable("does not answer (its host name cannot be resolved)")
    for inner in chain:
        if isinstance(inner, OSError) and str(inner).startswith(_TUNNEL_FAILED):
            reason = printable(str(inner).removeprefix(_TUNNEL_FAILED), 80)
            return Unreachable(f"does not answer (the proxy answered {reason})")
    for inner in chain:
        if isinstance(inner, OSError) and inner.strerror:
            return Unreachable(f"does not answer ({printable(inner.strerror, 80)})")
    if any(isinstance(inner, http.client.IncompleteRead) for inner in chain):
        return Unreachable("cut its answer short")
    if any(isinstance(inner, (urllib3.exceptions.ProtocolError, requests.ConnectionError)) for inner in chain):
        return Unreachable("cut the connection, or did not answer in HTTP")
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        # Of requests, for a CA file that is not there. Its other errors are OSErrors too, and hold URLs.
        return Fault(f"could not be asked ({printable(str(error), 200)})")
    return Fault("could not be asked: its URL cannot be used")


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    """Yield an error and those inside it, which libraries keep as a reason, an argument or a context."""
    seen: list[BaseException] = []
    rest: list[t.Any] = [error]
    while rest:
        one = rest.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            rest += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]


def _timed_out(seconds: float) -> TimedOut:
    return TimedOut(f"does not answer within {seconds:.3g} s")


def _size(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 2**20 else f"{size >> 10} KiB"
