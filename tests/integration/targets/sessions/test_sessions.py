# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real MCP sessions through releases and rollbacks, on the sandbox's server mcp-sessions: with colour marks, and
without.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from playing import CONFIG, ENVIRONMENT, ROOT, kubectl, module, play

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="needs the sandbox's server mcp-sessions, and the right to change its environment",
)

SERVER = "mcp-sessions"
HOST = f"marked.{CONFIG['public_host']}"
ENDPOINT = {"url": CONFIG["public_url"], "host": HOST}
METRIC = {"name": "mcp_server_sessions_open"}
BLUE, GREEN = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}
ALL_BLUE = [(100, 0)] * 3
SESSIONS = 200


def its(name: str, **arguments: t.Any) -> dict:
    return module(name, json.dumps({"namespace": CONFIG["test_namespace"], "server": SERVER, **arguments}))


def shift(pool: str, weight: int, **arguments: t.Any) -> dict:
    return its(
        "mcp_traffic_shift", pool=pool, weight=weight, endpoint=ENDPOINT, **{"sessions_metric": METRIC, **arguments}
    )


def refused(pool: str, weight: int, **arguments: t.Any) -> str:
    with pytest.raises(AssertionError) as caught:
        shift(pool, weight, **arguments)
    return str(caught.value)


def playbook(name: str, steps: list[dict] | None = None, **variables: t.Any) -> tuple[int, str]:
    given = {
        "mcp_server": SERVER,
        "mcp_image": CONFIG["image"],
        "mcp_registry": CONFIG["registry_url"],
        "mcp_sessions_metric": METRIC,
        **({"mcp_steps": steps} if steps else {}),
        **variables,
    }
    return play(f"playbooks/{name}.yml", "-e", json.dumps(given), MCP_HOST=HOST, seconds=400)


def weights() -> dict:
    return its("mcp_release_info")["weights"]


def rules() -> list[tuple[int, int]]:
    """The weights of each rule of the route: blue's sessions, green's, and those who have none."""
    route = json.loads(kubectl("-n", CONFIG["test_namespace"], "get", "httproute", SERVER, "-o", "json"))
    return [tuple(backend["weight"] for backend in rule["backendRefs"]) for rule in route["spec"]["rules"]]


def start_over() -> None:
    its("mcp_rollout", pool="blue", image_ref=f"{CONFIG['image']}:v1.1.5", replicas=1)
    shift("blue", 100, sessions="break")
    its("mcp_rollout", pool="green", replicas=0)
    if its("mcp_release_info")["record"] is not None:
        its("mcp_release", state="ended", outcome="rolled_back")


@pytest.fixture(autouse=True)
def begin() -> None:
    start_over()


@pytest.fixture(autouse=True, scope="module")
def end() -> t.Iterator[None]:
    yield
    start_over()


def ask(message: dict | None, session: str = "", method: str = "POST") -> tuple[int, str]:
    """Status of an answer through the gateway, and the session's id."""
    headers = {"Host": HOST, "Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    if session:
        headers |= {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
    request = urllib.request.Request(
        f"{CONFIG['public_url']}/mcp", json.dumps(message).encode() if message else None, headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            return answer.status, answer.headers.get("Mcp-Session-Id", "")
    except urllib.error.HTTPError as error:
        return error.code, ""


def open_session() -> str:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
    status, session = ask({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    assert status == 200 and session
    assert ask({"jsonrpc": "2.0", "method": "notifications/initialized"}, session)[0] == 202
    return session


def lists(session: str) -> int:
    return ask({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, session)[0]


# With marks


class Kept:
    """What sandbox/sessions.py tells of the sessions that it keeps."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def events(
        self, who: str, *kinds: str, pool: str | None = None, since: float = 0.0, before: float = float("inf")
    ) -> list[dict]:
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        ours = [
            event
            for event in lines
            if event.get("who") == who and pool in (None, event["pool"]) and since <= event["at"] < before
        ]
        return [
            event for event in ours if (event["event"] in kinds if kinds else event["event"] not in ("opened", "ended"))
        ]

    def wait(self, number: int, *what: str, **more: t.Any) -> None:
        deadline = time.monotonic() + 60
        while len(self.events(*what, **more)) < number:
            assert time.monotonic() < deadline, self.file.read_text()[-2000:]
            time.sleep(0.2)


@contextmanager
def keeping(sessions: int, file: Path) -> t.Iterator[Kept]:
    command = [sys.executable, "-m", "sandbox.sessions", CONFIG["public_url"], HOST, str(sessions), "400", str(file)]
    file.touch()
    process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT)
    try:
        kept = Kept(file)
        kept.wait(sessions, "kept", "opened")
        yield kept
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_sessions_live_through_a_release_and_those_of_a_bad_version_end_with_its_rollback(tmp_path: Path) -> None:
    with keeping(SESSIONS, tmp_path / "old") as old:
        steps = [{"weight": 10, "seconds": 25}, {"weight": 50, "seconds": 25}, {"weight": 100, "seconds": 5}]
        code, output = playbook("bluegreen", steps, version="v1.2.0")
        assert code == 0, output
        released = time.time()
        assert rules() == [(100, 0), (0, 100), (0, 100)]
        taken = [(step["weights"]["green"], step["at"]) for step in its("mcp_release_info")["record"]["steps"]]
        times = [
            (percent, time.mktime(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone) for percent, at in taken
        ]

        with keeping(20, tmp_path / "new") as new:
            assert len(new.events("kept", "opened", pool="green")) == 20
            new.wait(2, "stream", "opened")
            time.sleep(2)
            rolled_back = time.time()
            code, output = playbook("rollback")
            assert code == 0, output
            new.wait(20, "kept", "404", pool="green")
            new.wait(2, "stream", "ended", pool="green")
            new.wait(20, "kept", "opened", pool="blue")
            ended = [event["at"] - rolled_back for event in new.events("stream", "ended")]
            found = [event["at"] - rolled_back for event in new.events("kept", "404")]
        assert re.search(r"this rollback ends \d+ open sessions of pool green", output)
        time.sleep(4)

    # Not one of them noticed, neither of the release nor of the rollback
    assert len(old.events("kept", "opened", pool="blue")) == SESSIONS and old.events("kept") == []
    assert old.events("visitor", before=rolled_back) == []
    assert len(new.events("kept", "404", pool="green")) == 20 == len(new.events("kept"))
    assert rules() == ALL_BLUE
    assert lists("green-of-yesterday") == 404  # the good pool's, and not a 503 for want of pods

    for (percent, at), end in zip(times, [at for _percent, at in times[1:]] + [released], strict=True):
        # The time of a step is when it was verified: what comes after it follows its weights.
        came = {
            pool: len(old.events("visitor", "opened", pool=pool, since=at + 1, before=end - 3))
            for pool in ("blue", "green")
        }
        share = 100 * came["green"] / sum(came.values())
        print(f"green {percent} %: {came}, {share:.1f} %")
        assert abs(share - percent) <= (0 if percent == 100 else 20)
    kept_lists = json.loads((tmp_path / "old").read_text().splitlines()[-1])["lists"]
    print(
        f"{SESSIONS} sessions, {kept_lists} lists, 0 broken; of the bad version: 404 after {max(found):.1f} s at the "
        f"latest, streams ended after {ended} s"
    )


def test_a_pool_that_goes_lets_go_of_its_sessions() -> None:
    its("mcp_rollout", pool="green", replicas=1)
    assert shift("green", 50)["sessions"] == {
        "mode": "stateful",
        "marked": True,
        "at_risk_before": 0,
        "at_risk_after": 0,
    }
    assert rules() == [(100, 0), (0, 100), (50, 50)]
    session = open_session()
    shift("green", 100)
    assert lists(session) == 200
    shift("blue", 100)
    its("mcp_rollout", pool="green", replicas=0)
    assert rules() == ALL_BLUE
    assert lists("green-of-yesterday") == 404


# Without marks


@pytest.fixture(scope="class")
def unmarked() -> t.Iterator[None]:
    deployments = [f"deployment/{SERVER}-{pool}" for pool in ("blue", "green")]
    namespace = ("-n", CONFIG["test_namespace"])
    kubectl(*namespace, "set", "env", *deployments, "MCP_SESSIONS=stateful")
    yield
    kubectl(*namespace, "set", "env", *deployments, "MCP_SESSIONS=marked")


@pytest.mark.usefixtures("unmarked")
class TestUnmarked:
    @pytest.fixture
    def three(self, begin: None) -> t.Iterator[list[str]]:
        """Sessions that are open on blue, which has all the traffic; green could take it."""
        its("mcp_rollout", pool="green", image_ref=f"{CONFIG['image']}:v1.2.0", replicas=1)
        opened = [open_session() for _number in range(3)]
        yield opened
        shift("blue", 100, sessions="break")
        for session in opened:
            ask(None, session, "DELETE")

    def test_a_share_is_refused_before_anything_is_deployed(self) -> None:
        before = its("mcp_release_info")
        image = its("mcp_rollout", pool="green", replicas=0)["image_ref"]
        version = "v1.2.0" if ":v1.3.0" in image else "v1.3.0"
        code, output = playbook(
            "bluegreen", [{"weight": 10, "seconds": 1}, {"weight": 100, "seconds": 1}], version=version
        )
        text = " ".join(output.split())
        assert (
            code and "refused, nothing was deployed" in text and "ids of this pool do not begin with blue-" in text
        ), output
        assert "sessions (mcp_sessions) set to break" in text and "Traceback" not in text
        assert its("mcp_rollout", pool="green", replicas=0)["image_ref"] == image
        after = its("mcp_release_info")
        assert (after["weights"], after["record"]["outcome"]) == (before["weights"], "failed")

    def test_a_share_and_an_unasked_switch_are_refused(self, three: list[str]) -> None:
        assert "in a split their requests would reach the other pool" in refused("green", 10, sessions="break")
        assert "pool blue has 3 open sessions" in refused("green", 100)
        assert "an unknown number of open sessions" in refused("green", 100, sessions_metric=None)
        assert "set sessions_metric" in refused("green", 100, sessions="drain", sessions_metric=None)
        assert weights() == BLUE and [lists(session) for session in three] == [200] * 3

    def test_drain(self, three: list[str]) -> None:
        """Blue serves until they are gone, then all goes at once."""
        with ThreadPoolExecutor() as beside:
            start = time.monotonic()
            draining = beside.submit(shift, "green", 100, sessions="drain", drain_timeout=60)
            time.sleep(7)
            assert weights() == BLUE and [lists(session) for session in three] == [200] * 3
            assert [ask(None, session, "DELETE")[0] for session in three] == [200] * 3
            result = draining.result()
        assert 7 < time.monotonic() - start < 30
        assert (result["sessions"]["at_risk_before"], result["sessions"]["at_risk_after"]) == (3, 0)
        assert result["after"] == GREEN == weights()

    def test_drain_has_an_end(self, three: list[str]) -> None:
        result = shift("green", 100, sessions="drain", drain_timeout=4)
        assert result["sessions"] == {"mode": "stateful", "marked": False, "at_risk_before": 3, "at_risk_after": 3}
        assert weights() == GREEN and [lists(session) for session in three] == [404] * 3

    def test_break(self, three: list[str]) -> None:
        result = shift("green", 100, sessions="break")
        assert (result["sessions"]["at_risk_before"], result["sessions"]["at_risk_after"]) == (3, 3)
        assert weights() == GREEN and [lists(session) for session in three] == [404] * 3

    def test_a_release_in_one_step(self, three: list[str]) -> None:
        """What the refusal offers, as a play; and its rollback, which refuses nothing."""
        code, output = playbook("bluegreen", [{"weight": 100, "seconds": 1}], version="v1.3.0", mcp_sessions="break")
        assert code == 0 and "3 sessions of pool blue were left behind" in output, output
        assert weights() == GREEN
        code, output = playbook("rollback")
        assert code == 0, output
        assert weights() == BLUE

    def test_a_split_that_was_forced_is_found_by_one_whole_session(self) -> None:
        code, output = playbook(
            "bluegreen",
            [{"weight": 50, "seconds": 1}, {"weight": 100, "seconds": 1}],
            version="v1.2.0",
            mcp_session_mode="stateless",
        )
        text = " ".join(output.split())
        # Half of the sessions are lost at the first request after the greeting, and hardly any survives twenty
        assert code and re.search(
            r"is not healthy: (notifications/initialized returned 404|stability .*Session not found)", text
        ), output
        assert "traffic is on blue" in text
        assert weights() == BLUE and its("mcp_release_info")["record"]["outcome"] == "rolled_back"
