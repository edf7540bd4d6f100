# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to a server that is not trusted to behave: every request has a bound in seconds and in bytes.

C(http.client) rather than C(requests), because a socket's time-out begins anew
with every byte: a server that drips its headers or its body outlives it. Here
each read of the socket gets what is left of the request's bound. It also keeps
the rollback, which asks the same servers, free of further libraries.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import ssl
import threading
import typing as t
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._mcp.fault import Fault
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

MAX_BYTES = 4 * 1024 * 1024

# How long the end of an event stream is waited for, after the answer that we want has been read,
# so that the connection can be used again.
LINGER = 0.05

# What http.client and sockets raise; ValueError is for what http.client fails to parse.
_BELOW_HTTP = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer that has been read. text: the body, as far as it was read."""

    status: int
    content_type: str = ""
    location: str = ""
    text: str = ""
    authenticate: str = ""


class Response:
    """An HTTP answer that has begun."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers
        self.content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def pieces(self) -> t.Iterator[bytes]:
        """The body as it arrives: in one piece, http.client would first set aside all that Content-Length promises."""
        while piece := self._response.read1(65536):
            yield piece
        if self._response.length:
            raise http.client.IncompleteRead(b"", self._response.length)

    def read(self) -> Reply:
        return self.reply(b"".join(self.pieces()).decode("utf-8", errors="replace"))

    def finish(self) -> None:
        """Read to the end and make way for the next request."""
        if not self._response.isclosed():
            for _piece in self.pieces():
                pass
            self._response.close()

    def reply(self, text: str = "") -> Reply:
        return Reply(self.status, self.content_type, self.headers.get("Location", ""), text, self.headers.get("WWW-Authenticate", ""))


Dial = t.Callable[[Deadline], socket.socket]
Late = tuple[float, t.Callable[[Response], None]]


class Connection:
    """One connection, opened at need, and anew when the server has closed it.

    dial: gives a connected socket. authority: the Host header. requests: how
    many were sent. Methods raise Fault, and what dial raises.
    """

    def __init__(self, dial: Dial, authority: str) -> None:
        self._dial = dial
        self.authority = authority
        self._wire: t.Any = None
        self._http: t.Any = None
        self.requests = 0

    def open(self, bound: Deadline) -> None:
        # http.client forgets the socket when the server said that it closes it.
        if self._http is None or self._http.sock is None:
            self.close()
            try:
                self._wire = _Wire(_in_time(lambda: self._dial(bound), bound))
            except TimeoutError:
                raise Fault(f"could not be made within {bound.seconds:.3g} s") from None
            except (OSError, UnicodeError) as error:
                raise Fault(_trouble(error, bound)) from None
            self._http = http.client.HTTPConnection("unused")
            self._http.sock = self._wire

    def close(self) -> None:
        if self._wire is not None:
            self._wire.hang_up()
        self._wire = self._http = None

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        bound: Deadline,
        headers: t.Mapping[str, str] | None = None,
        body: bytes | None = None,
        late: Late | None = None,
    ) -> t.Iterator[Response]:
        """An answer, to be read inside the C(with); redirects are not followed.

        late: seconds, and what to tell when the answer only begins within them
        after the bound. The request has failed then, but the server has acted.
        """
        self.open(bound)
        with self.bounded(bound):
            self._send(method, path, headers, body)
            response = self._begin(late)
            yield response
        try:
            self._wire.allow(Deadline(LINGER))
            response.finish()
        except _BELOW_HTTP:
            self.close()

    def begin(self, method: str, path: str, bound: Deadline, headers: t.Mapping[str, str] | None = None) -> Response:
        """An answer that may have no end. What is read of it is C(bounded) anew each time, and closing ends it."""
        self.open(bound)
        with self.bounded(bound):
            self._send(method, path, headers)
            return self._begin(None)

    @contextmanager
    def bounded(self, bound: Deadline) -> t.Iterator[None]:
        """What is sent and read inside has so much time, and makes a Fault of what fails."""
        try:
            self._wire.allow(bound)
            yield
        except _BELOW_HTTP as error:
            self.close()
            raise Fault(_trouble(error, bound)) from None
        except BaseException:
            self.close()
            raise

    def _send(self, method: str, path: str, headers: t.Mapping[str, str] | None, body: bytes | None = None) -> None:
        self.requests += 1
        self._http.request(method, path, body, {"Host": self.authority, "Accept-Encoding": "identity", **(headers or {})})

    def _begin(self, late: Late | None) -> Response:
        try:
            return Response(self._http.getresponse())
        except TimeoutError:
            if late is not None:
                seconds, tell = late
                self._wire.allow(Deadline(seconds))
                with suppress(*_BELOW_HTTP):
                    tell(Response(self._http.getresponse()))
            raise

    def fetch(self, method: str, path: str, bound: Deadline, headers: t.Mapping[str, str] | None = None) -> Reply:
        with self.request(method, path, bound, headers) as response:
            return response.read()


class _Wire:
    """What http.client takes for its socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def allow(self, bound: Deadline) -> None:
        self._bound = bound
        self._bytes = MAX_BYTES

    def sendall(self, data: bytes) -> None:
        self._wait_no_longer_than_left()
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self))

    def recv_into(self, buffer: t.Any) -> int:
        self._wait_no_longer_than_left()
        count = self._sock.recv_into(buffer)
        self._bytes -= count
        if self._bytes < 0:
            raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
        return count

    def _wait_no_longer_than_left(self) -> None:
        if not self._bound.left:
            raise TimeoutError
        self._sock.settimeout(self._bound.left)

    def close(self) -> None:
        """http.client "closes" when the headers say that this answer is the last, before its body is read: not yet."""

    def hang_up(self) -> None:
        self._sock.close()


class _Reads(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        return self._wire.recv_into(buffer)


def _in_time(call: t.Callable[[], socket.socket], bound: Deadline) -> socket.socket:
    """Run what takes no time-out of its own: name resolution, and a port-forward through the API server."""
    outcome: queue.SimpleQueue[tuple[t.Any, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put((call(), None))
        except Exception as error:
            outcome.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        sock, error = outcome.get(timeout=bound.left)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return sock


def _trouble(error: Exception, bound: Deadline) -> str:
    """What became of a request that failed below HTTP."""
    detail = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if isinstance(error, TimeoutError):
        return f"got no complete answer within {bound.seconds:.3g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"failed because the certificate is not trusted ({error.verify_message.rstrip('.')}); "
            "name its CA in endpoint.ca_cert, or the name that it is made for in endpoint.host"
        )
    if isinstance(error, ssl.SSLError):
        return f"failed in TLS ({error.reason or detail})"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "failed because the host name could not be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "was refused, nothing listens there"
    if isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
        return "was cut without an answer: does the server listen on this port?"
    if isinstance(error, http.client.IncompleteRead):
        return "was cut in the middle of the answer"
    if isinstance(error, OSError):
        return f"failed ({error.strerror or detail})"
    return f"got an answer that is not acceptable HTTP ({detail})"
