# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._mcp.sse import MAX_EVENT_BYTES, Decoder, Event


def m(*data: str) -> list[Event]:
    return [Event("message", each) for each in data]


STREAMS = {
    "line feeds": (b"event: message\ndata: a\n\ndata: b\n\n", m("a", "b")),
    "carriage returns and line feeds": (b"data: a\r\n\r\ndata: b\r\n\r\n", m("a", "b")),
    "carriage returns": (b"data: a\r\rdata: b\r\r\n", m("a", "b")),
    "a carriage return as the last byte": (b"data: a\r\r", m("a")),
    "all line ends in one stream": (b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r", m("a\nb\nc", "d")),
    "several lines of data": (b"data: {\ndata: }\n\n", m("{\n}")),
    "comments, ids and retry": (b": ping\n\nid: 7\nretry: 10\n\ndata: a\n\n", m("a")),
    "a comment within an event": (b"data: a\n: ping\ndata: b\n\n", m("a\nb")),
    "a priming event": (b"id: 1\ndata:\n\nid: 2\ndata: a\n\n", m("a")),
    "the names of events": (
        b"event: endpoint\ndata: /m?id=1\n\ndata: a\nevent:message\n\n",
        [Event("endpoint", "/m?id=1"), *m("a")],
    ),
    "the last name counts": (b"event: a\nevent: b\ndata: 1\n\n", [Event("b", "1")]),
    "an empty name": (b"event: a\nevent\ndata: 1\n\n", m("1")),
    "a name without data is not kept": (b"event: ping\n\ndata: a\n\n", m("a")),
    "a name with empty data is not kept": (b"event: ping\ndata:\n\ndata: a\n\n", m("a")),
    "one space is taken off": (b"data:  a\n\ndata:b\n\n", m(" a", "b")),
    "colons in the value": (b"data: a: b:\n\n", m("a: b:")),
    "field names are in lower case": (b"Data: a\n data: b\ndata : c\ndata: d\n\n", m("d")),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", m("a")),
    "a second byte order mark": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", m("b")),
    "a byte order mark later": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", m("a")),
    "an event that is cut off": (b"data: a\n\ndata: b\n", m("a")),
    "two, three and four bytes a character": ("data: ä€😀\n\n".encode(), m("ä€😀")),
    "other line ends of Unicode": ("data: a\u2028b\x85c\x0bd\n\n".encode(), m("a\u2028b\x85c\x0bd")),
    "invalid UTF-8": (b"data: \xff\xf0\x9f\n\n", m("\ufffd\ufffd")),
    "a field without a colon": (b"data\ndata: a\n\n", m("\na")),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("stream", "expected"), STREAMS.values(), ids=STREAMS)
def test_events_are_the_same_however_the_bytes_arrive(stream: bytes, expected: list[Event], size: int) -> None:
    decoder = Decoder()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [event for piece in pieces for event in decoder.feed(piece)] == expected


@pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\r\n\r"])
def test_an_event_is_given_with_the_byte_that_completes_it(end: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a" + end[:-1]) == []
    assert decoder.feed(b"") == []
    assert decoder.feed(end[-1:]) == m("a")


@pytest.mark.parametrize(
    "line", [b"x" * 65536, b": ping\n" * 9999, b"data: " + b"x" * 65536 + b"\n", b"data: x\n" * 9999]
)
def test_an_event_without_end_is_a_fault(line: bytes) -> None:
    decoder = Decoder()
    with pytest.raises(Fault, match="an event of more than 4 MiB"):
        for _time in range(2 + MAX_EVENT_BYTES // len(line) * 2):
            decoder.feed(line)


def test_small_events_may_be_more_than_one_large_one() -> None:
    decoder = Decoder()
    count = 2 * MAX_EVENT_BYTES // 65536
    assert sum(len(decoder.feed(b"data: " + b"x" * 65536 + b"\n\n")) for _time in range(count)) == count


def test_the_cost_of_single_bytes_is_linear() -> None:
    def seconds(size: int) -> float:
        decoder, byte = Decoder(), b"x"
        started = time.process_time()
        for _time in range(size):
            decoder.feed(byte)
        return time.process_time() - started

    # A quadratic one would take 64 times as long.
    assert seconds(160_000) < 24 * seconds(20_000)


@pytest.mark.parametrize(
    ("stream", "last_id", "retry"),
    [
        (b"id: 7\ndata:\n\nretry: 250\n\n", "7", 0.25),
        (b"id: 7\ndata: a\n\nid: 8\ndata: b\n", "7", 1.0),  # the second event never ended
        (b"id: 7\n\nid\n\n", "", 1.0),
        (b"id: a b\n\nid: \xc3\xa4\n\nretry: soon\n\nretry: 99999999\n\n", "", 1.0),
    ],
)
def test_where_a_stream_goes_on(stream: bytes, last_id: str, retry: float) -> None:
    decoder = Decoder()
    decoder.feed(stream)
    decoder.restart()
    assert (decoder.last_id, decoder.retry) == (last_id, retry)
    assert decoder.feed(b"data: c\n\n") == m("c")
