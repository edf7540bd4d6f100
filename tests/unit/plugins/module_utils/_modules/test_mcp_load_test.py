# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module against scripted MCP servers, with programs that stand in for the load tools."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._load import testing
from ansible_collections.mcp.server.plugins.module_utils._load.options import Limits, Plan
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_load_test
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes import load_tools
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import LEGACY, MODERN, Handler, Scripted

TOKEN = "s3cr3t-of-the-load"
LOCAL = {"namespace": "mcp", "server": "weather", "rate": 100, "duration": 1}


class Shown(t.NamedTuple):
    """What a task returned, whether it failed, and all that it has shown."""

    result: dict[str, t.Any]
    failed: bool
    text: str

    @property
    def verdicts(self) -> dict[str, str]:
        return {one["id"].removeprefix("load_"): one["verdict"] for one in self.result["checks"]}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "calls"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(testing, "CALIBRATION", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the lock of this test alone
    return tmp_path / "calls"


def run(url: str, *, check_mode: bool = False, **given: t.Any) -> Shown:
    params = {**LOCAL, "endpoint": {"url": url}, **given}
    validated = ArgumentSpecValidator(mcp_load_test.SPEC.options, **mcp_load_test.SPEC.rules()).validate(params)
    assert not validated.error_messages, validated.error_messages
    lines: list[str] = []
    try:
        result = mcp_load_test.run(Task(validated.validated_parameters, check_mode, progress=lines.append))
    except Failure as failure:
        return Shown(failure.evidence, True, json.dumps([lines, failure.msg, failure.evidence]))
    return Shown(result, False, json.dumps([lines, result]))


def of_sessions() -> tuple[dict[str, t.Any], list[str], list[str]]:
    """Return the scripts of a server with a session for each client, those that it opened, and those that were used."""
    opened: list[str] = []
    used: list[str] = []
    lock = threading.Lock()

    def initialize(handler: Handler, message: t.Any) -> None:
        with lock:
            opened.append(f"session-{len(opened)}")
            session = opened[-1]
        info = {"name": "weather", "version": "1"}
        offer = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
        handler.result(message, offer, Mcp_Session_Id=session)

    def tools(handler: Handler, message: t.Any) -> None:
        used.append(f"{handler.headers['Mcp-Session-Id']} {message['id']}")
        handler.result(message, {"tools": []})

    return {**LEGACY, "initialize": initialize, "tools/list": tools}, opened, used


def test_a_good_server(tmp_path: Path, log: Path) -> None:
    with Scripted(MODERN) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), max_p95_ms=5000, min_throughput=50)
        assert found.verdicts == dict.fromkeys(("generator", "errors", "p95", "throughput"), "passed"), found.text
        sent = [headers for name, headers in server.seen if name == "tools/list"]
    assert not found.failed and found.result["changed"] is False
    assert found.result["load"]["sent"] == 100 and found.result["load"]["session_mode"] == "modern"
    # What this era needs is in each of them: the first is the handshake's, the second the sample.
    assert len(sent) == 102
    assert {one.get("Mcp-Method") for one in sent} == {"tools/list"}
    assert {one.get("MCP-Protocol-Version") for one in sent} == {"2026-07-28"}


def test_sessions_are_shared_and_all_ended(tmp_path: Path, log: Path) -> None:
    scripts, opened, used = of_sessions()
    with Scripted(scripts) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), sessions=4, max_p95_ms=5000)
        ended = list(server.ended)
    assert found.result["load"]["session_mode"] == "stateful" and found.result["load"]["sessions"] == 4, found.text
    assert len(opened) == 4 and sorted(ended) == sorted(opened)
    loads = [one for one in used if int(one.split()[1]) >= 1000]
    assert len(loads) == 100 == len(set(loads)), "an id came twice in a session"
    assert {sum(one.startswith(f"{session} ") for one in loads) for session in opened} == {25}


def test_a_server_that_opens_only_some_sessions_keeps_none(tmp_path: Path, log: Path) -> None:
    scripts, opened, _used = of_sessions()
    asked, lock, initialize = [0], threading.Lock(), scripts["initialize"]
    all_asked = threading.Event()

    def busy(handler: Handler, message: t.Any) -> None:
        with lock:
            asked[0] += 1
            number = asked[0]
        if number == 5:
            all_asked.set()
        if number > 1:
            all_asked.wait(5)
        if number == 2:
            handler.answer(503)
            return
        if number > 2:
            time.sleep(0.5)
        initialize(handler, message)

    with Scripted({**scripts, "initialize": busy}) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), sessions=5)
        ended = list(server.ended)
    assert found.verdicts["errors"] == "failed" and "No load was sent" in found.text
    assert len(opened) == 4 and sorted(ended) == sorted(opened)


@pytest.mark.parametrize("mode", ["fails", "fails early", "hangs"])
def test_a_tool_that_fails_judges_nothing_and_leaves_no_session(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("STAND_IN", mode)
    monkeypatch.setattr(testing, "SLACK", 0.5)
    scripts, opened, _used = of_sessions()
    monkeypatch.setenv("LOAD_TOKEN", TOKEN)
    with Scripted(scripts) as server:
        found = run(
            server.url, tool_path=load_tools.vegeta(tmp_path), answer_timeout=1, auth={"token_env": "LOAD_TOKEN"}
        )
        ended = list(server.ended)
    assert found.failed and set(found.verdicts.values()) == {"cannot_measure"}, found.text
    assert ("did not end" if mode == "hangs" else "exit code 1: cannot go on: ") in found.text
    assert len(opened) == 5 and sorted(ended) == sorted(opened)
    assert TOKEN not in found.text and TOKEN not in log.read_text()


def test_a_token_is_sent_and_shown_nowhere(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAD_TOKEN", TOKEN)
    with Scripted({**MODERN, "tools/list": refusing_later()}) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), auth={"token_env": "LOAD_TOKEN"})
        sent = [headers for name, headers in server.seen if name == "tools/list"]
    assert found.verdicts["errors"] == "failed" and "JSON-RPC error 1" in found.text
    assert {one["Authorization"] for one in sent} == {f"Bearer {TOKEN}"}
    assert TOKEN not in found.text and TOKEN not in log.read_text()


def refusing_later() -> t.Callable[[Handler, t.Any], None]:
    """Return a script that answers twice, and then repeats the token in an error."""
    count = 0

    def answer(handler: Handler, message: t.Any) -> None:
        nonlocal count
        count += 1
        if count <= 2:
            handler.result(message, {"tools": []})
            return
        error = {"code": 1, "message": f"I refuse {handler.headers['Authorization']}"}
        handler.answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}))

    return answer


def test_a_generator_that_is_too_slow_sends_nothing_to_the_server(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "slow")
    with Scripted(MODERN) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), min_throughput=50)
        assert server.requests.count("tools/list") == 2
    assert found.failed and set(found.verdicts.values()) == {"cannot_measure"}
    assert found.result["load"]["generator"]["rate"] == 10


def test_a_generator_that_becomes_slow_later_is_not_the_server(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN", "starved")
    with Scripted(MODERN) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), min_throughput=50, max_p95_ms=5000)
    assert found.verdicts == {
        "generator": "passed",
        "errors": "cannot_measure",
        "p95": "cannot_measure",
        "throughput": "cannot_measure",
    }, found.text


def test_a_declared_tool_is_called(tmp_path: Path, log: Path) -> None:
    seen: list[t.Any] = []

    def call(handler: Handler, message: t.Any) -> None:
        seen.append(message["params"])
        handler.result(message, {"content": [], "isError": len(seen) > 60})

    with Scripted({**MODERN, "tools/call": call}) as server:
        request = {"tool": "forecast", "arguments": {"city": "Bern"}}
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), request=request)
        names = {headers.get("Mcp-Name") for name, headers in server.seen if name == "tools/call"}
    assert found.verdicts["errors"] == "failed" and "the tool says that it failed" in found.text
    assert {one["name"] for one in seen} == {"forecast"} and {one["arguments"]["city"] for one in seen} == {"Bern"}
    assert names == {"forecast"}


@pytest.mark.parametrize(
    ("scripts", "given", "said"),
    [
        (
            {**MODERN, "tools/list": lambda handler, _message: handler.answer(503, "busy")},
            {},
            "tools/list returned 503",
        ),
        (MODERN, {"request": {"tool": "other"}}, "tools/call other failed: the server does not list this tool"),
        ({name: lambda handler, _message: handler.answer(502) for name in (*LEGACY, "GET")}, {}, "returned 502"),
    ],
)
def test_a_server_that_is_not_ready_gets_no_load(
    tmp_path: Path, log: Path, scripts: dict[str, t.Any], given: dict[str, t.Any], said: str
) -> None:
    with Scripted(scripts) as server:
        found = run(server.url, tool_path=load_tools.vegeta(tmp_path), **given)
    assert found.verdicts == {"errors": "failed", "p95": "cannot_measure"}
    assert "No load was sent: " in found.text and said in found.text, found.text
    assert load_tools.calls(log) == []


@pytest.mark.parametrize(
    ("given", "check_mode", "said"),
    [
        ({"limits": "production"}, False, "set mcp_load to true"),
        ({"enabled": False}, False, "set mcp_load to true"),
        ({}, True, "check mode"),
        ({"auth": {"expect_401": True}}, False, "expect_401"),
    ],
)
def test_no_load_is_a_skipped_check(log: Path, given: dict[str, t.Any], check_mode: bool, said: str) -> None:
    with Scripted(MODERN) as server:
        found = run(server.url, check_mode=check_mode, **given)
        assert server.seen == []
    assert found.verdicts == {"load": "skipped"} and said in found.text and not found.failed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "There is no vegeta on PATH, which sends the load. Install it"),
        ({"script": __file__}, "There is no k6 on PATH, which sends the load. Install it"),
        ({"tool_path": "/no/such/tool"}, "no file that can be run"),
        ({"tool_path": __file__}, "no file that can be run"),
    ],
)
def test_without_a_tool_nothing_can_be_measured(log: Path, given: dict[str, t.Any], said: str) -> None:
    with Scripted(MODERN) as server:
        found = run(server.url, **given)
        assert server.seen == []
    assert found.failed and set(found.verdicts.values()) == {"cannot_measure"} and said in found.text, found.text


def test_proxies_get_no_load(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert not {name.lower() for name in testing.environment()} & {"http_proxy", "https_proxy", "no_proxy"}


@pytest.mark.parametrize(
    ("code", "summary", "verdicts"),
    [
        (0, load_tools.SUMMARY, {"generator": "passed", "thresholds": "passed", "errors": "passed", "p95": "passed"}),
        (99, load_tools.SUMMARY, {"generator": "failed"}),
        (0, None, {"generator": "cannot_measure", "errors": "cannot_measure"}),
    ],
)
def test_a_script_for_k6(
    tmp_path: Path,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    summary: dict[str, t.Any] | None,
    verdicts: dict[str, str],
) -> None:
    script = tmp_path / "flow.js"
    script.write_text("export default function () {}")
    monkeypatch.setenv("STAND_IN_CODE", str(code))
    monkeypatch.setenv("K6_NO_THRESHOLDS", "true")
    if summary is not None:
        monkeypatch.setenv("STAND_IN_SUMMARY", json.dumps(summary))
    found = run("http://127.0.0.1:1", script=str(script), tool_path=load_tools.k6(tmp_path))
    assert found.verdicts.items() >= verdicts.items(), found.text
    assert found.failed is (verdicts["generator"] != "passed")
    (called,) = load_tools.calls(log)
    assert {"ENDPOINT=http://127.0.0.1:1", "MCP_URL=http://127.0.0.1:1/mcp", str(script)} <= set(called["argv"])
    assert called["threshold"] == "false"
    assert not Path(called["argv"][3]).exists()


def test_a_script_that_is_not_there(tmp_path: Path, log: Path) -> None:
    found = run("http://127.0.0.1:1", script="/no/such.js", tool_path=load_tools.k6(tmp_path))
    assert found.failed and "which is no file" in found.text


@pytest.mark.parametrize(
    ("option", "url", "connect_to"),
    [
        ({"url": "http://10.0.0.1:8080", "host": "mcp.example.com"}, "http://10.0.0.1:8080/mcp", ""),
        ({"url": "https://mcp.example.com/"}, "https://mcp.example.com/mcp", ""),
        (
            {"url": "https://10.0.0.1:8443", "host": "mcp.example.com"},
            "https://mcp.example.com/mcp",
            "mcp.example.com:443:10.0.0.1:8443",
        ),
        # vegeta looks the name up as it stands in the URL: what is written otherwise would lead to the name itself.
        (
            {"url": "https://10.0.0.1:08443", "host": "MCP.Example.com:0443"},
            "https://mcp.example.com:443/mcp",
            "mcp.example.com:443:10.0.0.1:8443",
        ),
        ({"url": "https://MCP.example.com", "host": "mcp.example.com:443"}, "https://mcp.example.com:443/mcp", ""),
        ({"url": "https://[::1]", "host": "a.example:444"}, "https://a.example:444/mcp", None),
    ],
)
def test_the_address_that_the_load_goes_to(option: dict[str, str], url: str, connect_to: str | None) -> None:
    given: dict[str, t.Any] = {**endpoint.defaults(), **option}
    test = testing.LoadTest(
        endpoint.public(given),
        given,
        "auto",
        credentials.NONE,
        Limits(),
        Plan(50, 10, 20, 5, 10),
        None,
        "vegeta",
        print,
    )
    assert test.url == url
    if connect_to is None:
        (row, *_others) = test.by_vegeta().checks
        assert row["verdict"] == "cannot_measure" and "IPv6" in row["message"]
        return
    assert test.way.connect_to == connect_to


def test_two_at_once_on_one_machine_wait_for_each_other(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(testing, "WAITING", 0.3)
    with Scripted(MODERN) as server:
        with testing.alone(lines.append) as is_alone:
            assert is_alone and not lines
            found = run(server.url, tool_path=load_tools.vegeta(tmp_path))
            assert set(found.verdicts.values()) == {"cannot_measure"} and "waiting for another load test" in found.text
            assert not server.seen and found.failed
        assert run(server.url, tool_path=load_tools.vegeta(tmp_path), max_p95_ms=5000).failed is False


def test_what_a_script_shows_of_its_credentials_is_hidden(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "flow.js"
    script.write_text("")
    tool = tmp_path / "k6"
    tool.write_text(f"#!/bin/sh\necho 'GoError: password=Wq7-planted, {TOKEN}' >&2\nexit 107\n")
    tool.chmod(0o755)
    monkeypatch.setenv("LOAD_TOKEN", TOKEN)
    auth = {"token_env": "LOAD_TOKEN"}
    found = run("http://127.0.0.1:1", script=str(script), tool_path=str(tool), auth=auth)
    assert found.failed and "GoError" in found.text and "planted" not in found.text and TOKEN not in found.text
