# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to a name that may have several addresses, not all of them alive."""

from __future__ import annotations

import socket
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

NEXT = 3.05  # seconds after which the next address of a name is tried, as the first one may be dead

# The address that answered last, by host and port: it is tried first.
_answered: dict[tuple[str, int], t.Any] = {}


def connected(host: str, port: int, bound: Deadline) -> socket.socket:
    """Return a TCP connection to the first address of a host that answers. Raises OSError."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses.sort(key=lambda found: found[4] != _answered.get((host, port)))
    failure: OSError | None = None
    for index, (family, kind, protocol, _name, address) in enumerate(addresses):
        last = index == len(addresses) - 1
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(bound.left if last else min(NEXT, bound.left / 2), 0.001))
            sock.connect(address)
            # A large request is sent in parts: without this, the last waits for the acknowledgement of the one before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _answered[host, port] = address
            return sock
        except OSError as error:
            failure = error
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise failure or OSError("the name has no address")
