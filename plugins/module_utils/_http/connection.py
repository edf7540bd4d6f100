# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 to a server that is not trusted to behave: every request is bounded in seconds and bytes.

Not C(requests), because a socket's time-out begins anew with every byte: a
server that drips its headers or its body outlives it. Here each call of the
socket gets what is left of the request's bound. Not C(http.client) either: it
has no such bound, takes 103 for the answer, and reads leniently what RFC 9112
calls an error (negative chunk sizes, two lengths). And the rollback, which
asks the same servers, needs no further library this way.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import typing as t
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")  # that it sets itself

MAX_BYTES = 4 * 1024 * 1024  # of an answer
MAX_BYTES_IN_ALL = 16 * 1024 * 1024  # of the answers within one bound, such as the pages of a list
MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
MAX_LINE_BYTES = 4096  # of a chunk's size with its extensions, and of a trailer

# Seconds that the end of an event stream is waited for after the wanted answer, to keep the connection alive.
LINGER = 0.05

_BELOW_HTTP = (OSError, http.client.HTTPException)

_PATH = re.compile(r"/[\x21-\x7e]*")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9]\d\d)(?: .*)?")
_HEADER_LINE = re.compile(rf"({_TOKEN}):(.*)")
_FOLD = re.compile(r"\r?\n[\t ]+")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;.*)?", re.DOTALL)

# OpenSSL's X509_V_ERR codes for certificates, and what to do.
_EXPIRED, _NOT_YET_VALID, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21, 27)
# What to do, where Cures names the options.
_CERTIFICATE_CURES = {
    **dict.fromkeys(_UNKNOWN_ISSUER, "name its CA in {0.ca_cert}"),
    _EXPIRED: "renew it on the server",
    _NOT_YET_VALID: "compare the clocks of the server and of this host",
    _OTHER_NAME: "name the one that it is made for in {0.name}",
    _OTHER_ADDRESS: "name the one that it is made for in {0.name}",
}
# Parts of OpenSSL's reasons, which differ between its versions.
_TLS_CURES = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS here, {0.without_tls}",
    "RECORD_LAYER_FAILURE": "the server does not speak TLS here, {0.without_tls}",
    "CERTIFICATE_REQUIRED": "the server asks for a client certificate: set {0.client_cert}",
    "HANDSHAKE_FAILURE": "the server may ask for a client certificate: set {0.client_cert}",
    "UNSUPPORTED_PROTOCOL": "the server's TLS is too old",
    "PROTOCOL_VERSION": "the server's TLS is too old or too new",
}


class Permanent(Fault):
    """A fault that the same request would meet again."""


class _SpeaksTls(http.client.HTTPException):
    """The answer to plain HTTP is TLS."""


@dataclass(frozen=True)
class Cures:
    """What to do when a connection fails, with the names of the options."""

    ca_cert: str = "endpoint.ca_cert"
    name: str = "endpoint.host"
    client_cert: str = "endpoint.client_cert"
    without_tls: str = "its URL may begin with http://"
    with_tls: str = "the server's URL may begin with https://"
    cut: str = "does the server listen on this port?"


_CURES = Cures()


@dataclass(frozen=True)
class Reply:
    """An HTTP answer that has been read."""

    status: int
    # Without parameters, in lower case.
    content_type: str = ""
    location: str = ""
    # The body, as far as it was read.
    text: str = ""
    # The header WWW-Authenticate.
    authenticate: str = ""


class Response:
    """An HTTP answer that has begun.

    keep_alive: whether the server takes another request on the connection.
    The length of the body is checked only when it is read: the headers of an
    answer that cannot be read still show what the server has done.
    """

    def __init__(self, wire: _Wire, is_http_1_0: bool, status: int, headers: http.client.HTTPMessage) -> None:
        self._wire = wire
        self.status = status
        self.headers = headers
        self.content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        options = ",".join(headers.get_all("Connection", [])).lower()
        self.keep_alive = "close" not in options and (not is_http_1_0 or "keep-alive" in options)
        self._raw = self._pieces()

    def pieces(self) -> t.Iterator[bytes]:
        """Return the body as it arrives. Raises Fault."""
        coding = ", ".join(self.headers.get_all("Content-Encoding", []))
        if coding.lower() not in ("", "identity"):
            # Nothing is inflated: a few bytes can become any number of them.
            raise Fault(
                f"returned data in the encoding {printable(coding, 40)}, though none was requested: "
                "switch compression off for this path"
            )
        return self._raw

    def _pieces(self) -> t.Iterator[bytes]:
        length, chunked = _framing(self.status, self.headers)
        if chunked:
            while size := self._chunk_size():
                yield from self._wire.exactly(size)
                if self._wire.line():
                    raise http.client.HTTPException("a chunk is longer than it says")
            while self._wire.line():
                pass
        elif length is not None:
            yield from self._wire.exactly(length)
        else:
            while piece := self._wire.some():
                yield piece

    def _chunk_size(self) -> int:
        line = self._wire.line()
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise http.client.HTTPException(f"{printable(line, 20)!r} is no size of a chunk")
        return int(size[1], 16)

    def read(self) -> Reply:
        """Return the whole answer."""
        return self.reply(b"".join(self.pieces()).decode("utf-8", errors="replace"))

    def peek(self) -> Reply:
        """Return the whole answer, which can be read again."""
        body = b"".join(self.pieces())
        self._raw = iter([body])
        return self.reply(body.decode("utf-8", errors="replace"))

    def finish(self) -> None:
        """Read the body to its end."""
        for _piece in self._raw:
            pass

    def reply(self, text: str = "") -> Reply:
        """Return the answer with this text as its body."""
        return Reply(
            self.status,
            self.content_type,
            self.headers.get("Location", ""),
            text,
            self.headers.get("WWW-Authenticate", ""),
        )


Dial = t.Callable[[Deadline], socket.socket]
# One value for each name, or several, which get a line each.
Headers = t.Mapping[str, "str | tuple[str, ...]"]
Value = t.TypeVar("Value")
# Seconds after the deadline, and what to call when the answer begins only then.
Late = tuple[float, t.Callable[[Response], None]]


class Connection:
    """One connection, opened when it is needed, and again when the server has closed it.

    dial: returns a connected socket. authority: the Host header. max_bytes: of
    an answer. proxied: whether the socket leads to a proxy, which needs whole
    URLs. cures: for messages. requests: how many were sent. latest: the last
    request's answer as it began, None before. Methods raise Fault, and what
    dial raises.
    """

    def __init__(
        self,
        dial: Dial,
        authority: str,
        max_bytes: int = MAX_BYTES,
        *,
        proxied: bool = False,
        cures: Cures = _CURES,
    ) -> None:
        self._dial = dial
        self._cures = cures
        self._max_bytes = max_bytes
        self._origin = f"http://{authority}" if proxied else ""
        self.authority = authority
        self._wire: _Wire | None = None
        self._bound: Deadline | None = None
        self._received = 0
        self.requests = 0
        self.latest: Response | None = None

    @property
    def reused(self) -> bool:
        """Return whether the open connection has served a request already."""
        return self._wire is not None and not self._wire.fresh

    def open(self, bound: Deadline) -> _Wire:
        """Return the open connection, or a new one. Raises Fault."""
        if self._wire is not None and not self._wire.idle():
            self.close()
        if self._wire is None:
            try:
                self._wire = _Wire(_in_time(lambda: self._dial(bound), bound), self._max_bytes)
            except TimeoutError:
                raise Fault(f"could not be made within {bound.seconds:.3g} s") from None
            except (OSError, ValueError) as error:
                raise Fault(_reason(error, bound, self._cures)) from None
        return self._wire

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = None

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        bound: Deadline,
        headers: Headers | None = None,
        body: bytes | None = None,
        late: Late | None = None,
    ) -> t.Iterator[Response]:
        """Send a request and yield the answer, to be read inside the C(with). Redirects are not followed.

        late: what to call when the answer begins only after the deadline. The
        request has failed then, but the server has acted.
        """
        self.latest = None
        wire = self.open(bound)
        with self.bounded(bound):
            response = self._exchange(wire, method, path, headers, body, late)
            yield response
        try:
            wire.allow(Deadline(LINGER))
            if response.keep_alive:
                response.finish()
            else:
                self.close()
        except (*_BELOW_HTTP, Fault):
            self.close()

    def begin(self, method: str, path: str, bound: Deadline, headers: Headers | None = None) -> Response:
        """Return an answer that may have no end. Each read of it is C(bounded) anew; closing the connection ends it."""
        self.latest = None
        wire = self.open(bound)
        with self.bounded(bound):
            return self._exchange(wire, method, path, headers)

    @contextmanager
    def bounded(self, bound: Deadline) -> t.Iterator[None]:
        """Bound what is sent and read inside. Raises Fault for everything that fails."""
        if self._wire is None:
            raise Fault("cannot be read: the connection is closed")
        if bound is not self._bound:
            self._bound, self._received = bound, 0
        if self._received > max(MAX_BYTES_IN_ALL, self._max_bytes):
            raise Fault(f"returned more than {max(MAX_BYTES_IN_ALL, self._max_bytes) >> 20} MiB in all")
        wire = self._wire
        try:
            wire.allow(bound)
            yield
        except _BELOW_HTTP as error:
            self.close()
            raise Fault(_reason(error, bound, self._cures)) from None
        except BaseException:
            self.close()
            raise
        finally:
            self._received += wire.received

    def _exchange(
        self,
        wire: _Wire,
        method: str,
        path: str,
        headers: Headers | None,
        body: bytes | None = None,
        late: Late | None = None,
    ) -> Response:
        own = {"Host": self.authority, "Accept-Encoding": "identity"}
        sent = _sent(method, path, {**own, **with_user_agent(headers or {})}, body, self._origin)
        self.requests += 1
        # A server that refuses may answer, or send a TLS alert, and close before it has read everything.
        with suppress(ConnectionError, ssl.SSLEOFError):
            wire.send(sent)
        self.latest = self._begin(wire, late)
        return self.latest

    def _begin(self, wire: _Wire, late: Late | None) -> Response:
        try:
            return wire.response()
        except TimeoutError:
            if late is not None:
                seconds, tell = late
                wire.allow(Deadline(seconds))
                with suppress(*_BELOW_HTTP):
                    tell(wire.response())
            raise

    def fetch(self, method: str, path: str, bound: Deadline, headers: Headers | None = None) -> Reply:
        """Send a request and return the whole answer. Raises Fault."""
        with self.request(method, path, bound, headers) as response:
            return response.read()


class _Wire:
    """A connected socket, and a buffer of bytes that were received and not read yet."""

    def __init__(self, sock: socket.socket, max_bytes: int) -> None:
        self._sock = sock
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self.fresh = True

    def allow(self, bound: Deadline) -> None:
        """Set the deadline of all calls from now on, and count received bytes anew."""
        self._bound = bound
        self.received = 0
        self.fresh = False

    def idle(self) -> bool:
        """Return whether the server has neither closed the connection nor sent anything since its last answer."""
        if self.fresh:
            return True
        if self._buffer:
            return False
        try:
            self._sock.settimeout(0)
            self._sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        with suppress(OSError):
            self._sock.close()

    def _wait_no_longer_than_left(self) -> None:
        left = self._bound.left
        if not left:
            raise TimeoutError
        self._sock.settimeout(left)

    def send(self, data: bytes) -> None:
        # Not sendall: in TLS its time-out begins anew with each record.
        while data:
            self._wait_no_longer_than_left()
            data = data[self._sock.send(data) :]

    def _receive(self) -> bool:
        """Receive into the buffer; return whether there was anything before the end."""
        self._wait_no_longer_than_left()
        piece = self._sock.recv(65536)
        self._buffer += piece
        self.received += len(piece)
        if self.received > self._max_bytes:
            raise Permanent(f"returned more than {self._max_bytes >> 20} MiB")
        return bool(piece)

    def some(self, limit: int = 65536) -> bytes:
        """Return the next bytes, none at the end."""
        if not self._buffer:
            self._receive()
        piece = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        return piece

    def exactly(self, size: int) -> t.Iterator[bytes]:
        """Yield so many bytes, piece by piece. Raises Permanent when these are too many."""
        if size > self._max_bytes:
            raise Permanent(f"returned more than {self._max_bytes >> 20} MiB")
        while size:
            piece = self.some(min(size, 65536))
            if not piece:
                raise http.client.IncompleteRead(b"", size)
            size -= len(piece)
            yield piece

    def line(self) -> bytes:
        """Return the next line, without its line break."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE_BYTES:
                raise http.client.HTTPException(f"a chunk's size or a trailer of more than {MAX_LINE_BYTES >> 10} KiB")
            if not self._receive():
                raise http.client.IncompleteRead(b"")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def response(self) -> Response:
        """Return the next answer that is not provisional. May be called again after TimeoutError: nothing is lost."""
        while True:
            is_http_1_0, status, headers = _head(self._head())
            if status == 101:
                raise http.client.HTTPException("a switch to another protocol")
            if status >= 200:
                return Response(self, is_http_1_0, status, headers)

    def _head(self) -> str:
        searched = 0
        while (end := _END_OF_HEAD.search(self._buffer, max(0, searched - 3))) is None:
            searched = len(self._buffer)
            # What is no HTTP may never come to the end of a head.
            if not b"HTTP/1.".startswith(self._buffer[:7]) or searched > MAX_HEAD_BYTES:
                break
            if not self._receive():
                raise http.client.IncompleteRead(b"") if self._buffer else http.client.RemoteDisconnected
        stop = end.end() if end else min(searched, MAX_HEAD_BYTES + 1)
        head = bytes(self._buffer[:stop])
        if head.startswith((b"\x15\x03", b"\x16\x03")):
            raise _SpeaksTls
        if not head.startswith(b"HTTP/1."):
            raise http.client.HTTPException(repr(printable(head, 40)))
        if stop > MAX_HEAD_BYTES:
            raise http.client.HTTPException(f"headers of more than {MAX_HEAD_BYTES >> 10} KiB")
        del self._buffer[:stop]
        return head.decode("latin-1")


def with_user_agent(headers: t.Mapping[str, Value]) -> dict[str, Value | str]:
    """Return the headers, and who asks where they do not say it: web application firewalls refuse the nameless."""
    own = {} if any(name.lower() == "user-agent" for name in headers) else {"User-Agent": "mcp.server"}
    return {**own, **headers}


def _sent(method: str, path: str, headers: Headers, body: bytes | None, origin: str = "") -> bytes:
    """Return a request as bytes. Raises Fault, which never quotes a header's value: it may be a secret."""
    if not _PATH.fullmatch(path):
        raise Permanent("cannot be sent: its path is not that of a URL")
    if body is not None:
        headers = {**headers, "Content-Length": str(len(body))}
    lines = [f"{method} {origin}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in checked(headers)), "", ""]
    return "\r\n".join(lines).encode() + (body or b"")


def checked(headers: Headers) -> list[tuple[str, str]]:
    """Return each line of the headers. Raises Fault, which never quotes a value: it may be a secret."""
    lines = [(name, one) for name, value in headers.items() for one in ([value] if isinstance(value, str) else value)]
    for name, value in lines:
        if not (re.fullmatch(_TOKEN, name) and _VALUE.fullmatch(value)):
            raise Permanent(f"cannot be sent: header {printable(name, 40)} has characters that HTTP does not allow")
    return lines


def _head(text: str) -> tuple[bool, int, http.client.HTTPMessage]:
    """Return whether an answer is of HTTP/1.0, its status and its headers (RFC 9112, sections 4 and 5).

    Raises HTTPException.
    """
    first, *lines = _FOLD.sub(" ", text).replace("\r\n", "\n").rstrip("\n").split("\n")
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None:
        raise http.client.HTTPException(repr(printable(first, 40)))
    if len(lines) > MAX_HEADERS:
        raise http.client.HTTPException(f"more than {MAX_HEADERS} headers")
    headers = http.client.HTTPMessage()
    for line in lines:
        header = _HEADER_LINE.fullmatch(line)
        if header is None:
            raise http.client.HTTPException(f"{printable(line, 40)!r} is no header")
        headers[header[1]] = header[2].strip("\t ")
    return status_line[1] == "0", int(status_line[2]), headers


def _framing(status: int, headers: http.client.HTTPMessage) -> tuple[int | None, bool]:
    """Return a body's length, None when the head does not tell it, and whether it is chunked (RFC 9112, section 6.3).

    Raises HTTPException.
    """
    lengths = {each.strip() for value in headers.get_all("Content-Length", []) for each in value.split(",")}
    codings = ",".join(headers.get_all("Transfer-Encoding", [])).strip().lower()
    if codings and lengths:
        raise http.client.HTTPException("both Content-Length and Transfer-Encoding")
    if codings not in ("", "chunked"):
        raise http.client.HTTPException(f"Transfer-Encoding {printable(codings, 40)}")
    if len(lengths) > 1:
        raise http.client.HTTPException("two different values of Content-Length")
    if any(not re.fullmatch("[0-9]{1,18}", each) for each in lengths):
        raise http.client.HTTPException(f"Content-Length {printable(lengths.pop(), 40)}")
    if status in (204, 304):
        return 0, False
    return int(lengths.pop()) if lengths else None, bool(codings)


def _in_time(call: t.Callable[[], socket.socket], bound: Deadline) -> socket.socket:
    """Return the call's socket, before the deadline. Raises TimeoutError.

    For calls that take no time-out: name resolution, and a port-forward through the API server.
    """
    future: Future[socket.socket] = Future()

    def work() -> None:
        try:
            sock = call()
        except Exception as error:
            with suppress(InvalidStateError):
                future.set_exception(error)
            return
        try:
            future.set_result(sock)
        except InvalidStateError:
            sock.close()

    threading.Thread(target=work, daemon=True).start()
    try:
        return future.result(bound.left)
    except TimeoutError:
        # The thread closes a socket that it makes from now on.
        if future.cancel() or future.exception() is not None:
            raise
        return future.result()


def _reason(error: Exception, bound: Deadline, cures: Cures) -> str:
    """Return what became of a request that failed below HTTP, as the predicate of a sentence."""
    if isinstance(error, TimeoutError):
        return f"got no complete answer within {bound.seconds:.3g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        cure = _CERTIFICATE_CURES.get(error.verify_code, "replace it on the server").format(cures)
        problem = printable(error.verify_message, 120).rstrip(".")
        return f"failed because the certificate is not trusted ({problem}); {cure}"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or printable(str(error), 80)
        found = [cure.format(cures) for part, cure in _TLS_CURES.items() if part in reason]
        return "; ".join([f"failed in TLS ({reason})", *found])
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "failed because the host name could not be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "was refused, nothing listens there"
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return f"was cut without an answer: {cures.cut}"
    if isinstance(error, http.client.IncompleteRead):
        return "was cut in the middle of the answer"
    if isinstance(error, _SpeaksTls):
        return f"got an answer that is not acceptable HTTP (TLS: {cures.with_tls})"
    detail = printable(
        (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__, 120
    )
    if isinstance(error, (OSError, ValueError)):
        return f"failed ({detail})"
    return f"got an answer that is not acceptable HTTP ({detail})"
