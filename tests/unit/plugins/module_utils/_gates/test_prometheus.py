# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import prometheus as module
from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, said


def matrix(*values: tuple[float, str]) -> tuple[int, bytes]:
    return said("matrix", [{"metric": {"__name__": "up"}, "values": list(values)}])


def test_samples():
    with Fake(lambda _query: matrix((1.5, "1"), (2.5, "NaN"))) as fake:
        (series,) = Prometheus(f"{fake.url}/prefix/").samples("up[5m]", 3.0)
    assert series.labels == {"__name__": "up"} and series.samples[0] == (1.5, 1.0)
    ((path, parameters, headers),) = fake.seen
    assert (path, parameters) == ("/prefix/api/v1/query", {"query": "up[5m]", "time": "3.000", "timeout": "5s"})
    assert "Authorization" not in headers


def test_values():
    with Fake(lambda _query: matrix((1.0, "1"))) as fake:
        assert Prometheus(fake.url).values("up", 0.0, 10.0, 5.0) == [Series({"__name__": "up"}, [(1.0, 1.0)])]
    assert fake.seen[0][1] == {"query": "up", "start": "0.000", "end": "10.000", "step": "5", "timeout": "5s"}


def test_its_own_time():
    """An hour ahead of ours; asked once a minute."""
    with Fake(lambda _query: said("scalar", [time.time(), str(time.time() + 3600)])) as fake:
        prometheus = Prometheus(fake.url)
        assert prometheus.known_now is None
        assert [abs(prometheus.now() - time.time() - 3600) < 1 for _time in range(3)] == [True] * 3
        assert abs(prometheus.known_now - time.time() - 3600) < 1
    assert len(fake.seen) == 1


def test_credentials():
    def token(request):
        request.headers["Authorization"] = "Bearer planted"
        return request

    with Fake(lambda _query: matrix()) as fake:
        Prometheus(fake.url, token).samples("up[5m]", 1.0)
        Prometheus(fake.url, ("user", "word")).samples("up[5m]", 1.0)
    assert [headers["Authorization"] for _path, _parameters, headers in fake.seen] == [
        "Bearer planted",
        "Basic dXNlcjp3b3Jk",
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, b""), r"does not accept our credentials \(401\); check those in prometheus"),
        ((403, b""), "does not accept our credentials"),
        (
            (400, b'{"status": "error", "error": "parse error: unexpected ]"}'),
            r"refuses up\[5m\]: parse error: unexpected \]\.$",
        ),
        ((503, b"<html>"), "answers 503, and not what Prometheus does; check prometheus.url"),
        ((302, b""), "answers 302"),
        ((200, b"[]"), "answers 200, and not what Prometheus does"),
        ((200, b"{"), "answers 200, and not what Prometheus does"),
        (said("vector", []), "with a vector where a matrix was expected"),
        (said("matrix", [{"metric": {}, "values": [[1, "x"]]}]), "samples that can't be read"),
        (said("matrix", [7]), "samples that can't be read"),
        ((200, b" " * 70000), "more than 0 MiB"),
    ],
)
def test_failures(monkeypatch, answer, words):
    monkeypatch.setattr(module, "LARGEST", 65536)
    with Fake(lambda _query: answer) as fake, pytest.raises(Failure, match=words) as failure:
        Prometheus(fake.url).samples("up[5m]", 1.0)
    assert failure.value.msg.startswith(f"Prometheus at {fake.url} ")


def test_nothing_listens():
    with pytest.raises(Failure, match=r"http://127.0.0.1:9 does not answer \(.*refused\); check prometheus.url"):
        Prometheus("http://127.0.0.1:9").now()


def test_a_slow_one():
    with Fake(lambda _query: (time.sleep(1), matrix())[1]) as fake, pytest.raises(Failure, match="does not answer"):
        Prometheus(fake.url, timeout=0.2).samples("up[5m]", 1.0)


@pytest.mark.parametrize(
    "url", ["prometheus:9090", "ftp://prometheus", "http://", "http://user:word@prometheus", "http://prometheus/?a=b"]
)
def test_addresses(url):
    with pytest.raises(Failure, match=r"prometheus.url (is not the address|must not carry credentials)") as failure:
        Prometheus(url)
    assert "word@" not in failure.value.msg
