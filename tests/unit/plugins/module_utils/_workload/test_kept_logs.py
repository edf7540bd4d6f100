# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t
from dataclasses import asdict

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Task
from ansible_collections.mcp.server.plugins.module_utils._text import STARS
from ansible_collections.mcp.server.plugins.module_utils._workload import kept_logs
from ansible_collections.mcp.server.plugins.module_utils._workload.kept_logs import Log
from ansible_collections.mcp.server.plugins.module_utils._workload.logs import Container
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Object
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving

SERVER = Server("shop", "mcp", "{server}-{pool}", "mcp", "")
RECORD = paths.config_maps("shop", "mcp-release")
LABELS = {"app": "mcp", "pool": "green"}
SECRET = "planted-5e1c0d-token"


def pod(name: str, *, ready: bool = True, restarts: int = 0, **spec: t.Any) -> Object:
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    status = {"name": "mcp", "restartCount": restarts, "state": {"running": {}}}
    return {
        "metadata": {"name": name, "labels": LABELS},
        "spec": {"containers": [{"name": "mcp"}], **spec},
        "status": {"conditions": [condition], "containerStatuses": [status]},
    }


def api(*pods: Object) -> ApiServer:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "mcp", "image": "x:1"}]}}
    workload = {"spec": {"replicas": len(pods), "selector": {"matchLabels": LABELS}, "template": template}}
    found = ApiServer({paths.deployments("shop", "mcp-green"): workload})
    for one in pods:
        found.put(paths.pods("shop", one["metadata"]["name"]), one)
    return found


def keep(cluster: t.Any) -> tuple[dict[str, t.Any] | None, list[str], list[str]]:
    """Return what keep() does, and its warnings and lines of progress."""
    warnings: list[str] = []
    lines: list[str] = []
    task = Task({}, warn=warnings.append, progress=lines.append)
    return kept_logs.keep(task, cluster, SERVER, "green"), warnings, lines


def test_the_last_lines_are_kept_beside_the_record() -> None:
    cluster = api(pod("a", restarts=1, containers=[{"name": "mcp"}, {"name": "proxy"}]))
    cluster.logs = {"a/mcp": b"".join(b"line %d\n" % number for number in range(300)), "a/proxy": b"\x1b[2J<b>\n"}
    cluster.previous_logs = {"a/mcp": f"started\ntoken={SECRET}\n".encode()}
    cluster.put(RECORD, {"data": {"current": "null", "history": "[]", "other": "1"}})
    result, warnings, lines = keep(cluster)
    assert result == {"pool": "green", "logs": 3, "lines": 203, "pods_left_out": 0} and not warnings
    assert lines == ["kept the last 203 lines of 3 logs of pool green, before its pods end"]
    data = cluster.objects[RECORD]["data"]
    assert (data["current"], data["other"]) == ("null", "1") and SECRET not in data["logs"]
    kept = kept_logs.read(cluster, SERVER)
    assert kept is not None and kept == kept_logs.parse(data["logs"])
    assert [(one.title, len(one.lines), one.lines[-1]) for one in kept.logs] == [
        ("a/mcp", 200, "line 299"),
        ("a/mcp (previous)", 2, f"token={STARS}"),
        ("a/proxy", 1, "\\x1b[2J<b>"),
    ]


def test_a_write_of_the_record_keeps_them_and_a_record_is_not_needed() -> None:
    cluster = api(pod("a"))
    cluster.logs = {"a/mcp": b"hello\n"}
    assert keep(cluster)[0] is not None
    assert record.read(cluster, SERVER)[0] == record.ReleaseRecord()
    fresh = record.new_release(
        SERVER,
        by="",
        reason="",
        at="2026-11-27T03:00:00Z",
        origin={"pool": "blue"},
        target={"pool": "green", "version": "v2"},
    )
    record.update(cluster, SERVER, lambda before: record.begin(before, fresh))
    kept = kept_logs.read(cluster, SERVER)
    assert kept is not None and kept.logs[0].lines == ("hello",) and kept.release == ""
    keep(cluster)
    kept = kept_logs.read(cluster, SERVER)
    assert kept is not None and kept.release == fresh["id"]


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        (lambda api: api.refused.add("get pods/log"), "it needs get on pods/log (docs/rollback.md)."),
        (lambda api: api.refused.add("list pods"), 'cannot list resource "pods"'),
        (lambda api: api.refused.add("patch configmaps"), 'cannot patch resource "configmaps"'),
        (lambda api: api.fail(Unreachable("It is away."), times=9), "It is away."),
        (lambda api: api.fail(RuntimeError("odd"), times=9), "RuntimeError."),
    ],
)
def test_what_fails_is_one_warning(arrange: t.Callable[[ApiServer], t.Any], says: str) -> None:
    cluster = api(pod("a"))
    cluster.logs = {"a/mcp": b"hello\n"}
    arrange(cluster)
    result, (warning,), lines = keep(cluster)
    assert result is None and not lines
    assert (
        warning.startswith("The logs of pool green of shop/mcp were not kept. ")
        and warning.endswith(says)
        or says in warning
    )


def test_a_pool_without_pods_leaves_what_was_kept() -> None:
    cluster = api()
    cluster.put(RECORD, {"data": {"logs": "before"}})
    assert keep(cluster) == (None, [], []) and not cluster.writes()


@pytest.mark.parametrize("slow", [0.15, 0.3])
def test_a_slow_api_server_delays_the_end_of_the_pods_by_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch, slow: float
) -> None:
    monkeypatch.setattr(kept_logs, "SECONDS", 0.35)
    monkeypatch.setattr(kept_logs, "WRITE_SECONDS", 0.1)
    cluster = api(pod("a"))
    cluster.logs = {"a/mcp": b"hello\n"}
    limits: list[float] = []
    get = cluster.get

    def late(path: str, **query: str) -> dict[str, t.Any]:
        time.sleep(slow)
        return get(path, **query)

    def limited(patience: float, timeout: float = 0.0) -> ApiServer:
        limits.append(timeout)
        assert patience == 0.0
        return cluster

    monkeypatch.setattr(cluster, "get", late)
    monkeypatch.setattr(cluster, "limited", limited)
    started = time.monotonic()
    result, (warning,), _lines = keep(cluster)
    assert result is None and "were not kept. It would have taken more than 0.35 s" in warning
    assert time.monotonic() - started < 1.5 and max(limits) <= 0.35 and not cluster.writes()


def test_hostile_lines_do_not_delay_the_end_of_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_logs, "SECONDS", 1.5)
    cluster = api(*(pod(f"p{number}", restarts=1) for number in range(10)))
    cluster.logs = {f"p{number}/mcp": (b"://a:" * 3000 + b"@\n") * 25 for number in range(10)}
    cluster.previous_logs = dict(cluster.logs)
    started = time.monotonic()
    result, warnings, _lines = keep(cluster)
    assert result is not None and result["logs"] == 20 and not warnings
    assert time.monotonic() - started < 5
    kept = kept_logs.read(cluster, SERVER)
    assert kept is not None and all(one.lines or "no time" in one.problem for one in kept.logs)


def test_only_lines_for_which_there_is_room_are_redacted() -> None:
    assert kept_logs.recent(["x" * 9000, "one", "two"], 8) == ["one", "two"]
    assert kept_logs.recent(["x" * 9000], 5000) == ["x" * 2 * kept_logs.LINE]


def test_a_log_that_does_not_end_takes_a_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_logs, "READ_SECONDS", 0.4)

    def drips() -> t.Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b"drop\n"

    cluster = api(pod("a"), pod("b"))
    cluster.logs = {"a/mcp": drips, "b/mcp": b"fine\n"}
    started = time.monotonic()
    with serving(cluster) as url:
        result, warnings, _lines = keep(Cluster(Access(url), patience=60.0))
    assert result is not None and result["lines"] > 1 and not warnings and time.monotonic() - started < 3
    kept = kept_logs.read(cluster, SERVER)
    assert kept is not None
    assert [one.problem != "" for one in kept.logs] == [True, False]


def test_the_worst_pods_come_first_and_the_rest_is_counted() -> None:
    pods = [pod(f"fine-{number:02}") for number in range(10)] + [
        pod("crashes", restarts=3),
        pod("unready", ready=False),
    ]
    names = [one["metadata"]["name"] for one in kept_logs.worst_first(pods)]
    assert names[:3] == ["unready", "crashes", "fine-00"]
    cluster = api(*pods)
    result, _warnings, _lines = keep(cluster)
    assert result is not None and result["pods_left_out"] == 2 and result["logs"] == 11


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, [("mcp", False), ("proxy", False)]),
        (
            {"containerStatuses": [{"name": "mcp", "restartCount": 2}]},
            [("mcp", False), ("mcp", True), ("proxy", False)],
        ),
        (
            {"initContainerStatuses": [{"name": "init", "ready": False, "restartCount": 1}]},
            [("mcp", False), ("proxy", False), ("init", False), ("init", True)],
        ),
        ({"initContainerStatuses": [{"name": "init", "ready": True}]}, [("mcp", False), ("proxy", False)]),
        ({"containerStatuses": None}, [("mcp", False), ("proxy", False)]),
    ],
)
def test_which_logs_a_pod_has(statuses: Object, expected: list[tuple[str, bool]]) -> None:
    one = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "proxy"}, {"name": "mcp"}]}, "status": statuses}
    assert kept_logs.containers(one, "mcp") == [Container("a", name, previous) for name, previous in expected]


def test_values_that_the_pod_itself_calls_secret_are_left_out() -> None:
    env = [{"name": "SHOP_API_KEY", "value": SECRET}, {"name": "MODE", "value": "production"}, {"name": "A_TOKEN"}]
    cluster = api(pod("a", containers=[{"name": "mcp", "env": env}]))
    cluster.logs = {"a/mcp": f"production, {SECRET}\n".encode()}
    keep(cluster)
    kept = kept_logs.read(cluster, SERVER)
    assert kept is not None and kept.logs[0].lines == (f"production, {STARS}",)


def test_all_together_fit_into_the_configmap() -> None:
    small = Log("a", "mcp", False, ("short",))
    large = [Log(f"p{number}", "mcp", False, ('"\\\N{EURO SIGN}' * 50,) * 200) for number in range(12)]
    found = kept_logs.fitting([small, *large])
    assert found[0] == small and all(one.lines for one in found)
    assert len(json.dumps([asdict(one) for one in found], ensure_ascii=False).encode()) < kept_logs.ALL_BYTES + 4096
    assert all(kept_logs._size(one.lines) <= kept_logs.BYTES for one in found)
    assert kept_logs.fitting([large[0]])[0].lines == large[0].lines[: len(kept_logs.fitting([large[0]])[0].lines)]


@pytest.mark.parametrize(
    "text",
    [None, "", "no JSON", "[]", "{}", '{"pool": "red"}', "[" * 100_000, "7"],
)
def test_what_somebody_else_wrote_is_none(text: str | None) -> None:
    assert kept_logs.parse(text) is None


def test_what_somebody_edited_is_bounded_and_redacted_again() -> None:
    lines = [f"password={SECRET}", 7, None, "x" * 10_000, "\x1b[2J"]
    odd = {"pool": "green", "release": ["x"], "logs": [{"lines": lines, "pod": "a\nb"}, 7], "pods_left_out": "many"}
    kept = kept_logs.parse(json.dumps(odd))
    assert kept is not None and kept.pods_left_out == 0
    (log,) = kept.logs
    assert log.lines == (f"password={STARS}", "x" * (kept_logs.LINE - 3) + "...", "\\x1b[2J") and log.pod == "a b"
