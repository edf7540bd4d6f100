# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import prometheus as module
from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus, partial
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._http import client
from ansible_collections.mcp.server.plugins.module_utils._http.credentials import basic, bearer
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, said

ALWAYS = {"timeout": "5000ms", "nocache": "1", "latency_offset": "0s"}  # parameters of each request


def matrix(*values: tuple[float, str]) -> tuple[int, bytes]:
    return said("matrix", [{"metric": {"__name__": "up"}, "values": list(values)}])


def test_samples():
    with Fake(lambda _query: matrix((1.5, "1"), (2.5, "NaN"))) as fake:
        (series,) = Prometheus(f"{fake.url}/prefix/").samples("up[5m]", 3.0)
    assert series.labels == {"__name__": "up"} and series.samples[0] == (1.5, 1.0)
    ((path, parameters, headers),) = fake.seen
    assert (path, parameters) == ("/prefix/api/v1/query", {"query": "up[5m]", "time": "3.000", **ALWAYS})
    assert "Authorization" not in headers


def test_values():
    with Fake(lambda _query: matrix((1.0, "1"))) as fake:
        assert Prometheus(fake.url).values("up", 0.0, 10.0, 5.0) == [Series({"__name__": "up"}, [(1.0, 1.0)])]
    assert fake.seen[0][1] == {"query": "up", "start": "0.000", "end": "10.000", "step": "5", **ALWAYS}


def test_its_own_time():
    """An hour ahead of ours; asked once a minute."""
    with Fake(lambda _query: said("scalar", [time.time(), str(time.time() + 3600)])) as fake:
        prometheus = Prometheus(fake.url)
        assert prometheus.known_now is None
        assert [abs(prometheus.now() - time.time() - 3600) < 1 for _time in range(3)] == [True] * 3
        assert abs(prometheus.known_now - time.time() - 3600) < 1
    assert len(fake.seen) == 1


def test_credentials():
    with Fake(lambda _query: matrix()) as fake:
        Prometheus(fake.url, bearer("planted")).samples("up[5m]", 1.0)
        Prometheus(fake.url, basic("user", "word")).samples("up[5m]", 1.0)
    assert [headers["Authorization"] for _path, _parameters, headers in fake.seen] == [
        "Bearer planted",
        "Basic dXNlcjp3b3Jk",
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (401, b""),
            r"refused the credentials \(401\). Check token, or username and password, in prometheus, and the tenant",
        ),
        ((403, b""), "refused the credentials"),
        (
            (400, b'{"status": "error", "error": "parse error: unexpected ]"}'),
            r"refused up\[5m\]: parse error: unexpected \]\.$",
        ),
        ((503, b"<html>"), "answered 503, and not as Prometheus does. Check prometheus.url"),
        ((302, b""), "answered 302"),
        ((200, b"[]"), "answered 200, and not as Prometheus does"),
        ((200, b"{"), "answered 200, and not as Prometheus does"),
        (said("vector", []), "with a vector where a matrix was expected"),
        (said("matrix", [{"metric": {}, "values": [[1, "x"]]}]), "samples that can't be read"),
        (said("matrix", [7]), "samples that can't be read"),
        (said("matrix", {}), "samples that can't be read"),
        (said("matrix", ["values"]), "samples that can't be read"),
        (said("matrix", [{"metric": [], "values": []}]), "samples that can't be read"),
        (said("matrix", [{"metric": {"code": 500}, "values": []}]), "samples that can't be read"),
        (said("matrix", [{"metric": {}, "value": [1, "2"]}]), "samples that can't be read"),
        (said("matrix", [{"metric": {}, "values": [[1]]}]), "samples that can't be read"),
        (said("matrix", [{"metric": {}, "values": [["NaN", "1"]]}]), "samples that can't be read"),
        (said("matrix", [{"metric": {}, "values": [[1, None]]}]), "samples that can't be read"),
        (said("matrix", [{"metric": {}, "values": [[1, 10**400]]}]), "samples that can't be read"),
        (said(None, []), "with a result where a matrix was expected"),
        ((200, b'{"status": "success"}'), "answered 200, and not as Prometheus does"),
        ((200, b'{"status": "success", "data": null}'), "answered, and not as Prometheus does"),
        ((200, b'{"status": "success", "data": {"resultType": "matrix", "result": [{"met'), "not as Prometheus does"),
        ((200, b"<html>Please log in</html>"), "answered 200, and not as Prometheus does"),
        ((200, b"[" * 60000), "answered 200, and not as Prometheus does"),
        ((200, b'{"status": "error", "error": "too many\\nsamples"}'), r"refused up\[5m\]: too many samples\.$"),
        ((200, b'{"status": "error", "error": {}}'), "answered 200, and not as Prometheus does"),
        ((200, b" " * 70000), "more than 64 KiB"),
    ],
)
def test_failures(monkeypatch, answer, words):
    monkeypatch.setattr(module, "MAX_BYTES", 65536)
    with Fake(lambda _query: answer) as fake, pytest.raises(Failure, match=words) as failure:
        Prometheus(fake.url).samples("up[5m]", 1.0)
    assert failure.value.msg.startswith(f"Prometheus at {fake.url} ")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (("vector", []), "a vector that is not its time"),
        (("vector", [{"metric": {}, "value": [1, "2"]}] * 2), "a vector that is not its time"),
        (("vector", [{"metric": {}, "values": [[1, "2"]]}]), "a vector that is not its time"),
        (("matrix", [{"metric": {}, "values": [[1, "2"]]}]), "a matrix that is not its time"),
        (("string", [1, "2"]), "a string that is not its time"),
        (("scalar", []), "a scalar that is not its time"),
        (("scalar", "12"), "a scalar that is not its time"),
        (("scalar", [1, "NaN"]), "a scalar that is not its time"),
        (("scalar", [1, "+Inf"]), "a scalar that is not its time"),
        (("scalar", [1, None]), "a scalar that is not its time"),
        (("scalar", None), "a scalar that is not its time"),
        ((7, [1, "2"]), "a result that is not its time"),
    ],
)
def test_a_time_that_is_none(result, words):
    with (
        Fake(lambda _query: said(*result)) as fake,
        pytest.raises(Failure, match=rf"answers time\(\) with {words}\. Check prometheus\.url\.$"),
    ):
        Prometheus(fake.url).now()


def test_victoriametrics_tells_its_time_as_a_vector():
    with Fake(lambda _query: said("vector", [{"metric": {}, "value": [1764220000, "1764220000"]}])) as fake:
        assert abs(Prometheus(fake.url).now() - 1764220000) < 1


def test_no_series():
    """Some stores that are written in Go answer null. Series that have native histograms alone give no samples."""
    histograms = [{"metric": {"__name__": "up"}, "histograms": [[1, {"count": "1", "sum": "2"}]]}]
    for result in ([], None, histograms):
        with Fake(lambda _query, result=result: said("matrix", result)) as fake:
            assert Prometheus(fake.url).samples("up[5m]", 1.0) == []


@pytest.mark.parametrize(
    ("more", "text"),
    [
        # Thanos, of a store that is away; Prometheus, of remote read; the engine, of an expression's input
        (
            {"warnings": ["No StoreAPIs matched for this query", "receive series from Addr: 10.0.0.7:10901: EOF."]},
            "No StoreAPIs matched for this query; receive series from Addr: 10.0.0.7:10901: EOF",
        ),
        ({"warnings": ["PromQL warning: encountered a mix"]}, "PromQL warning: encountered a mix"),
        ({"warnings": "one text"}, "one text"),
        ({"warnings": [{"reason": "odd"}]}, "{'reason': 'odd'}"),
        ({"warnings": ["two\nlines \x1b[31m"]}, r"two lines \[31m"),
        ({"infos": ["results were cut at 1000 series"]}, "results were cut at 1000 series"),
        ({"isPartial": True}, "isPartial"),
        ({"isPartial": "true"}, "isPartial"),
        ({"partialResponse": True, "warnings": ["store-1 is away"]}, "store-1 is away; partialResponse"),
    ],
)
def test_a_partial_answer(more, text):
    """It can't be measured, whatever its samples are."""
    status, body = matrix((1.0, "1"))
    with (
        Fake(lambda _query: (status, json.dumps({**json.loads(body), **more}).encode())) as fake,
        pytest.raises(Failure, match=rf"answered up\[5m\] in part only \({text}\)\. Check what it reads from\.$"),
    ):
        Prometheus(fake.url).samples("up[5m]", 1.0)


@pytest.mark.parametrize(
    "more",
    [
        {"warnings": [], "infos": None, "isPartial": False},
        {"infos": ["PromQL info: metric might not be a counter, name does not end in _total: up"]},
        {"stats": {"seriesFetched": "1"}, "trace": {}},
    ],
)
def test_a_complete_answer(more):
    status, body = matrix((1.0, "1"))
    with Fake(lambda _query: (status, json.dumps({**json.loads(body), **more}).encode())) as fake:
        assert len(Prometheus(fake.url).samples("up[5m]", 1.0)) == 1


def test_m3_tells_a_limit_in_a_header():
    assert partial({}, {"M3-Results-Limited": "max_fetch_series_limit_applied"}) == "max_fetch_series_limit_applied"


@pytest.mark.parametrize(("seconds", "text"), [(2.5, "2500ms"), (0.0004, "1ms"), (5.0, "5000ms"), (90.0, "90000ms")])
def test_time_outs(monkeypatch, seconds, text):
    """Prometheus takes whole numbers with a unit only."""
    seen = []

    def request(self, *args, query, **more):
        seen.append(query["timeout"])
        raise client.Unreachable("does not answer")

    monkeypatch.setattr(client.Client, "request", request)
    with pytest.raises(Failure):
        Prometheus("http://127.0.0.1:9", timeout=seconds).samples("up[5m]", 1.0)
    assert seen == [text]


def test_headers():
    with Fake(lambda _query: matrix()) as fake:
        Prometheus(fake.url, bearer("planted"), headers={"X-Scope-OrgID": "team-a"}).samples("up[5m]", 1.0)
    ((_path, _parameters, headers),) = fake.seen
    assert (headers["X-Scope-OrgID"], headers["Authorization"]) == ("team-a", "Bearer planted")


def test_nothing_listens():
    with pytest.raises(
        Failure, match=r"http://127.0.0.1:9 does not answer \(Connection refused\). Check prometheus.url"
    ):
        Prometheus("http://127.0.0.1:9").now()


def test_a_slow_one():
    with (
        Fake(lambda _query: (time.sleep(1), matrix())[1]) as fake,
        pytest.raises(Failure, match="does not answer within 0.2 s"),
    ):
        Prometheus(fake.url, timeout=0.2).samples("up[5m]", 1.0)


@pytest.mark.parametrize(
    "url", ["prometheus:9090", "ftp://prometheus", "http://", "http://user:word@prometheus", "http://prometheus/?a=b"]
)
def test_addresses(url):
    with pytest.raises(Failure, match=r"prometheus.url (is not the address|must not carry credentials)") as failure:
        Prometheus(url)
    assert "word@" not in failure.value.msg
