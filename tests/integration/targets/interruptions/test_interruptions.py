# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases on the real cluster that are killed anywhere, stopped by a person, or started twice."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import typing as t
from pathlib import Path

import pytest
from playing import CONFIG, blue_again, lease, module, play, rest, running, until, weights
from soaking import drawn

STEPS = [{"weight": weight, "seconds": 1} for weight in (10, 50, 100)]
# What is judged by metrics has targets of its own; here it would only take time.
SHORT = {"mcp_prometheus": None, "mcp_warm_seconds": 1}
WORDS = ("-e", "version=v1.2.0", "-e", json.dumps({"bluegreen_steps": STEPS, **SHORT}))


@pytest.fixture(autouse=True)
def start() -> None:
    blue_again()


@pytest.fixture(autouse=True, scope="module")
def end() -> t.Iterator[None]:
    yield
    blue_again()


def judge_released() -> None:
    assert weights() == {"blue": 0, "green": 100}
    found = module("mcp_release_info")
    assert ":v1.2.0@sha256:" in module("mcp_rollout_info")["pools"][found["live"]]["image_ref"]
    record = found["record"]
    assert (record["outcome"], record["from"]["pool"], record["to"]["pool"]) == ("succeeded", "blue", "green")
    assert record["from"]["version"] == "v1.1.5"
    steps = [step["weights"]["green"] for step in record["steps"]]
    assert steps == sorted(set(steps)), steps  # none doubled, none undone
    assert module("mcp_rollout", "pool=green replicas=2")["changed"] is False


# The tasks of the role that do something, and what the last of them says on its way from the first weight to the end.
SHIFTING = "Shift the traffic step by step to pool green"
TASKS = [
    "Begin the release record",
    "Check that sessions survive the first step",
    "Deploy the version to the idle pool",
    "Check that every new pod speaks MCP",
    "Compare the new version's contract with the live one's",
    "Record the new version's contract",
    SHIFTING,
]
SAYS = [
    words
    for number, step in enumerate(STEPS, 1)
    for words in (
        f"step {number} of {len(STEPS)}",
        f"written: blue {100 - step['weight']} %",
        f"green {step['weight']} %: measured",
    )
]
# Seconds after the words: some are killed before they write and some after; after a measured share come the session,
# the watch and the warm window.
KILLS = [
    *((f"TASK [mcp.server.bluegreen : {name}", 0.15 * number) for number, name in enumerate(TASKS, 1)),
    *((words, 0.02 * number) for number, words in enumerate(SAYS)),
    ("green 50 %: measured", 0.9),
    ("green 100 %: measured", 0.3),
    ("green 100 %: measured", 1.6),
    ("green 100 %: measured", 2.6),
]


@pytest.mark.parametrize(("words", "seconds"), drawn(KILLS, 3))
def test_killed_and_run_again(words: str, seconds: float) -> None:
    """kill -9 of the whole process group so long after it said this; then the same command."""
    with running("playbooks/bluegreen.yml", *WORDS) as process:
        until(process, words)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    reached = weights()["green"]
    code, output = play("playbooks/bluegreen.yml", *WORDS)
    assert code == 0, output
    judge_released()
    if 0 < reached < 100:  # it goes on there, without deploying again
        assert f"of {sum(step['weight'] >= reached for step in STEPS)}: green {reached} %" in output, output
        assert "Deploy the version to the idle pool" not in output, output


def test_every_task_is_killed_once() -> None:
    code, output = play("playbooks/bluegreen.yml", *WORDS)
    assert code == 0, output
    seen = re.findall(r"TASK \[mcp.server.bluegreen : ([^\]]+)", output)
    # Includes, what only looks at its options or tells, and what is skipped here. The last of them comes only after
    # another release that was left half shifted.
    others = {
        "Validate the version",
        "Validate that the Git repository can name the image",
        "Validate that the image is the one that the command has accepted",
        "Validate what is bypassed",
        "Show whom to call when the release could not begin",
        "Show whom to call",
        "Report the triggers that nobody watches",
        "Check what the release needs later",
        "Find the digest of the version",
        "Validate the steps and checks",
        "Prepare the idle pool",
        "Show the plan of the release",
        "Check that the new version keeps the live one's contract",
        "Run your own tasks before the first weight",
        "Shift the traffic",
        "Publish job stats",
        "Publish the report as a job stat",
        "Write the version into the Git repository",
        "Take away the traffic that an unfinished release left on the idle pool",
    }
    assert {name for name in seen if not name.startswith("Validating arguments")} - others == set(TASKS)
    assert [words for words in SAYS if words not in output] == []


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid: int) -> bool:
    """Whether it does anything; one that has ended may stay listed until somebody asks how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", drawn([signal.SIGKILL, signal.SIGHUP], 1))
def test_a_play_that_is_gone_asks_and_moves_nothing_more(how: signal.Signals) -> None:
    """Its worker ends with it, although neither signal reaches that."""
    steps = json.dumps(
        {
            "bluegreen_steps": [
                {"weight": 10, "seconds": 1},
                {"weight": 50, "seconds": 10},
                {"weight": 100, "seconds": 1},
            ]
        }
    )
    with running("playbooks/bluegreen.yml", *WORDS, "-e", steps) as process:
        until(process, "green 50 %, 5 of 10 s")
        workers = [worker for worker in children(process.pid) if runs(worker)]
        os.kill(process.pid, how)
        process.wait(30)
        time.sleep(1)
        left = [worker for worker in workers if runs(worker)]
        assert workers and not left
    before = weights()
    assert before == {"blue": 50, "green": 50}
    time.sleep(10)
    assert weights() == before


@pytest.mark.parametrize("how", drawn([signal.SIGINT, signal.SIGTERM], 1))
def test_stopped_by_a_person(how: signal.Signals) -> None:
    """Ctrl-C, or a supervisor: the traffic stays at the step's share, and the same command goes on from there."""
    with running("playbooks/bluegreen.yml", *WORDS) as process:
        until(process, "green 50 %: measured")
        os.killpg(process.pid, how)
        begun = time.monotonic()
        said = rest(process, 30)
        assert process.returncode and time.monotonic() - begun < 9, said  # 3 s are the goal
        assert "Traceback" not in said, said
    assert weights() == {"blue": 50, "green": 50}
    record = module("mcp_release_info")["record"]
    assert record["outcome"] == "running" and "paused at 50 %" in record["paused"]["reason"], record
    assert lease().read()[0] is None  # given back
    code, output = play("playbooks/bluegreen.yml", *WORDS)
    assert code == 0, output
    judge_released()


def test_two_at_once() -> None:
    """The second is refused with the holder's name, and the first does not notice."""
    with running(
        "playbooks/bluegreen.yml", *WORDS, "-e", json.dumps({"bluegreen_steps": [{"weight": 100, "seconds": 15}]})
    ) as process:
        until(process, "green 100 %: measured")
        code, output = play("playbooks/bluegreen.yml", "-e", "version=v1.3.0")
        assert code and "is in progress (by " in output and "Traceback" not in output, output
        code, output = play("playbooks/bluegreen.yml", "-e", "version=v1.3.0", "-e", "mcp_take_over=true")
        assert code and "take_over needs a reason" in output, output
        said = rest(process)
        assert process.returncode == 0, said
    assert module("mcp_release_info")["record"]["outcome"] == "succeeded"


def test_an_emergency_takes_over_from_a_release() -> None:
    """It is not held up; the release notices, changes nothing more, and does not roll back itself."""
    with running(
        "playbooks/bluegreen.yml",
        *WORDS,
        "-e",
        json.dumps({"bluegreen_steps": [{"weight": 50, "seconds": 20}, {"weight": 100, "seconds": 1}]}),
    ) as process:
        until(process, "green 50 %: measured")
        code, output = play("playbooks/rollback.yml")
        assert code == 0 and "took over from " in output, output
        said = rest(process)
    assert process.returncode
    assert "This run lost the Lease of " in said
    assert (
        "Deployment issues" not in said and "mcp.server.announce" not in said
    )  # it did not fail, and it is the emergency's to tell
    assert weights() == {"blue": 100, "green": 0}
    assert module("mcp_release_info")["record"]["outcome"] == "rolled_back"
    assert CONFIG["test_namespace"] in said
