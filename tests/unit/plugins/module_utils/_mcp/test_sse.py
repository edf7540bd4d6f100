# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp.sse import Decoder

STREAMS = {
    "line feeds": (b"event: message\ndata: a\n\ndata: b\n\n", ["a", "b"]),
    "carriage returns and line feeds": (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    "carriage returns": (b"data: a\r\rdata: b\r\r\n", ["a", "b"]),
    "several lines of data": (b"data: {\ndata: }\n\n", ["{\n}"]),
    "comments, ids and retry": (b": ping\n\nid: 7\nretry: 10\n\ndata: a\n\n", ["a"]),
    "a priming event": (b"id: 1\ndata:\n\nid: 2\ndata: a\n\n", ["a"]),
    "one space is taken off": (b"data:  a\n\ndata:b\n\n", [" a", "b"]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
    "an event that is cut off": (b"data: a\n\ndata: b\n", ["a"]),
    "invalid UTF-8": (b"data: \xff\n\n", ["\ufffd"]),
    "a field without a colon": (b"data\ndata: a\n\n", ["\na"]),
}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("stream", "expected"), STREAMS.values(), ids=STREAMS)
def test_events_are_the_same_however_the_bytes_arrive(stream: bytes, expected: list[str], size: int) -> None:
    decoder = Decoder()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [data for piece in pieces for data in decoder.feed(piece)] == expected
