# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_contract against scripted servers; it lies here for their sake."""

from __future__ import annotations

import json
import typing as t
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_contract
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server import scripted
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    SESSION,
    Handler,
    Script,
    Scripted,
)

from .test_mcp_health import cluster_of

Run = t.Callable[..., dict[str, t.Any]]


def offers(scripts: dict[str, Script], *tools: str, **more: t.Any) -> dict[str, Script]:
    listed = [{"name": name, "inputSchema": {"type": "object"}, **more} for name in tools]
    return {**scripts, "tools/list": lambda handler, message: handler.result(message, {"tools": listed})}


@pytest.fixture
def start() -> t.Iterator[t.Callable[[dict[str, Script]], Scripted]]:
    with ExitStack() as stack:
        yield lambda scripts: stack.enter_context(Scripted(scripts))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(
        cluster: ApiServer | None = None, check_mode: bool = False, lines: list[str] | None = None, **given: t.Any
    ) -> dict[str, t.Any]:
        monkeypatch.setattr(targets, "connect", lambda _params: cluster)
        validation = ArgumentSpecValidator(mcp_contract.SPEC.options, **mcp_contract.SPEC.rules()).validate(given)
        assert not validation.error_messages
        return mcp_contract.run(
            Task(validation.validated_parameters, check_mode, progress=(lines if lines is not None else []).append)
        )

    return call


def test_saved_once_and_compared_with(run: Run, start: t.Any, tmp_path: Path) -> None:
    path = str(tmp_path / "contract.json")
    blue, green = start(offers(MODERN, "forecast", "stations")), start(offers(MODERN, "forecast", "alerts"))
    assert run(endpoint={"url": blue.url}, path=path, check_mode=True)["changed"]
    assert not Path(path).exists()
    assert run(endpoint={"url": blue.url}, path=path)["changed"]
    again = run(endpoint={"url": blue.url}, path=path, baseline={"path": path})
    assert (again["changed"], again["verdict"], again["changes"], again["diff"]) == (False, "identical", [], [])
    assert [file.name for file in tmp_path.iterdir()] == ["contract.json"]
    with pytest.raises(Failure) as caught:
        run(endpoint={"url": green.url}, baseline={"path": path})
    assert caught.value.msg.startswith(
        f"The contract of {green.url} differs from that of {path} in 1 way that may break clients: [tools/stations] "
    )
    assert [(change["severity"], change["path"]) for change in caught.value.evidence["changes"]] == [
        ("breaking", "tools/stations"),
        ("compatible", "tools/alerts"),
    ]
    lines: list[str] = []
    accepted = run(endpoint={"url": green.url}, baseline={"path": path}, accept=["tools/stations"], lines=lines)
    assert accepted["verdict"] == "breaking"
    assert [change["accepted"] for change in accepted["changes"]] == [True, False]
    assert "stations" in "".join(lines)
    assert run(endpoint={"url": green.url}, baseline={"url": blue.url}, fail_on="never")["verdict"] == "breaking"


def test_risky_changes_fail_on_request(run: Run, start: t.Any) -> None:
    blue, green = (
        start(offers(MODERN, "forecast", description="Rain")),
        start(offers(MODERN, "forecast", description="Delete all")),
    )
    words = {"endpoint": {"url": green.url}, "baseline": {"url": blue.url}}
    result = run(**words)
    assert result["verdict"] == "risky"
    assert result["structure_hash"] == result["baseline"]["structure_hash"]
    assert result["text_hash"] != result["baseline"]["text_hash"]
    with pytest.raises(Failure, match="tools/forecast"):
        run(**words, fail_on="risky")


def test_all_pods_of_a_pool_have_to_offer_the_same(run: Run, start: t.Any) -> None:
    one, other = start(offers(MODERN, "forecast")), start(offers(MODERN, "forecast", "alerts"))
    words = {"namespace": "mcp", "server": "weather", "pool": "green"}
    assert run(cluster_of({"a": (one.server_port, True), "b": (one.server_port, True)}), **words)["era"] == "modern"
    with pytest.raises(Failure, match="pod mcp/a and pod mcp/b offer different contracts: .*alerts"):
        run(cluster_of({"a": (one.server_port, True), "b": (other.server_port, True)}), **words)


def initialize_as(*accepted: str) -> Script:
    """In a session, at the revision that the client asks for or else the last of the accepted ones."""

    def initialize(handler: Handler, message: t.Any) -> None:
        asked = message["params"]["protocolVersion"]
        result = {
            "protocolVersion": asked if asked in accepted else accepted[-1],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "weather", "version": "1"},
        }
        handler.result(message, result, Mcp_Session_Id=SESSION)

    return initialize


def test_revisions_are_tried_one_session_at_a_time(run: Run, start: t.Any) -> None:
    server = start({**LEGACY, "initialize": initialize_as("2025-03-26", "2025-06-18")})
    contract = run(endpoint={"url": server.url})["contract"]
    assert (contract["protocol_versions"], contract["session_mode"]) == (["2025-03-26", "2025-06-18"], "stateful")
    assert [key for key in server.requests if key in ("initialize", "DELETE")] == ["initialize", "DELETE"] * 4


def test_a_legacy_baseline_is_compared_with_what_legacy_clients_get(run: Run, start: t.Any) -> None:
    def tools(handler: Handler, message: t.Any) -> None:
        names = ["forecast", "modern_only"] if "Mcp-Method" in handler.headers else ["forecast"]
        handler.result(message, {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]})

    old = start({**offers(LEGACY, "forecast"), "initialize": initialize_as("2025-11-25")})
    both = start(
        {**LEGACY, "server/discover": scripted.discover, "tools/list": tools, "initialize": initialize_as("2025-11-25")}
    )
    result = run(endpoint={"url": both.url}, baseline={"url": old.url})
    assert (result["era"], result["baseline"]["era"]) == ("legacy", "legacy")
    assert [(change["severity"], change["path"]) for change in result["changes"]] == [
        ("compatible", "protocol_versions/2026-07-28")
    ]


def test_a_server_that_is_not_healthy_has_no_contract(run: Run, start: t.Any) -> None:
    server = start(
        {**MODERN, "server/discover": lambda handler, _message: handler.answer(503, "starting", "text/plain")}
    )
    with pytest.raises(Failure) as caught:
        run(endpoint={"url": server.url})
    assert caught.value.msg == f"Cannot read the contract of {server.url}: server/discover returned 503 (starting)."


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 2, "era": "modern", "contract": {}}',
        '{"format": 1, "era": "x", "contract": {}}',
        '{"format": 1, "era": "modern"}',
        "[" * 99_999,
    ],
)
def test_a_file_that_is_no_contract(content: str, tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(content)
    with pytest.raises(Failure, match="is not a contract of format 1"):
        mcp_contract.load(str(tmp_path / "contract.json"))


def test_files_that_are_not_there(run: Run, start: t.Any, tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"Cannot read the contract .* \(No such file or directory\)"):
        mcp_contract.load(str(tmp_path / "none.json"))
    server = start(MODERN)
    with pytest.raises(Failure, match=r"Cannot save the contract as .* \(No such file or directory\)"):
        run(endpoint={"url": server.url}, path=str(tmp_path / "no" / "folder.json"))


def test_bad_input(run: Run) -> None:
    with pytest.raises(Failure, match="baseline needs namespace"):
        run(endpoint={"url": "http://127.0.0.1:1"}, baseline={"pool": "blue"})
    with pytest.raises(Failure, match="expect_401 is for mcp_health"):
        run(endpoint={"url": "http://127.0.0.1:1"}, auth={"expect_401": True})


def test_what_is_saved_is_the_same_for_the_same_server(run: Run, start: t.Any, tmp_path: Path) -> None:
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    run(endpoint={"url": start(offers(MODERN, "a", "b")).url}, path=first)
    run(endpoint={"url": start(offers(MODERN, "b", "a")).url}, path=second)
    assert Path(first).read_text() == Path(second).read_text()
    assert json.loads(Path(first).read_text())["contract"]["tools"][0]["name"] == "a"


def test_a_baseline_that_does_not_answer_names_the_way_out(run: Run, start: t.Any) -> None:
    with pytest.raises(
        Failure,
        match=r"Cannot read .*: connection was refused.*\. So there is nothing to compare with: "
        r".* -e mcp_bypass=contract, ",
    ):
        run(endpoint={"url": start(MODERN).url}, baseline={"url": "http://127.0.0.1:1"})
