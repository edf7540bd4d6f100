# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards on the real cluster: the machine that releases dies, by kill -9 of the play's whole process group."""

from __future__ import annotations

import json
import os
import signal
import time
import typing as t
from datetime import datetime
from pathlib import Path

import pytest
from playing import CONFIG, blue_again, clients, kubectl, module, play, running, until, weights
from soaking import soak

NAMESPACE = CONFIG["test_namespace"]
LEASE = 60  # seconds
SOON = 20  # seconds after the Lease has expired

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="needs the sandbox's execution-environment image, and looks at Jobs and the Lease",
)


@pytest.fixture(autouse=True)
def start() -> None:
    blue_again()


@pytest.fixture(autouse=True, scope="module")
def end() -> t.Iterator[None]:
    yield
    blue_again()
    module("mcp_guard", "state=absent")


def words(weight: int, seconds: int, action: str = "rollback", version: str = "v1.2.0") -> tuple[str, ...]:
    more = {
        "mcp_guard": True,
        "mcp_guard_action": action,
        "mcp_steps": [{"weight": weight, "seconds": seconds}, {"weight": 100, "seconds": 1}],
        "mcp_triggers": {"errors": {"window": 15}},
        "mcp_bypass": "error_burst",
        "mcp_reason": "The trigger errors is to be seen.",
    }
    return ("-e", f"version={version}", "-e", json.dumps(more))


def killed_at(weight: int, action: str, version: str = "v1.2.0") -> None:
    """A release is at this share when its process group is killed."""
    with running("playbooks/bluegreen.yml", *words(weight, 120, action, version)) as process:
        until(process, f"green {weight} %: measured")
        time.sleep(3)
        os.killpg(process.pid, signal.SIGKILL)
    assert weights() == {"blue": 100 - weight, "green": weight}


def record() -> dict[str, t.Any]:
    return module("mcp_release_info")["record"]


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def expiry() -> float:
    lease = json.loads(kubectl("-n", NAMESPACE, "get", "lease", "mcp-server-release", "-o", "json"))
    return moment(lease["spec"]["renewTime"]) + LEASE


def recorded(so: t.Callable[[dict[str, t.Any]], bool], seconds: float) -> dict[str, t.Any]:
    deadline = time.monotonic() + seconds
    while not so(found := record()):
        assert time.monotonic() < deadline, found
        time.sleep(1)
    return found


def job() -> dict[str, t.Any]:
    return json.loads(kubectl("-n", NAMESPACE, "get", "job", "mcp-server-guard", "-o", "json"))


def await_the_end_of_the_guard() -> None:
    kubectl("-n", NAMESPACE, "wait", "--for=condition=Complete", "--timeout=30s", "job/mcp-server-guard")


@pytest.mark.parametrize("weight", [pytest.param(10, marks=soak), 50, pytest.param(100, marks=soak)])
def test_the_machine_dies_and_the_guard_rolls_back(weight: int) -> None:
    killed_at(weight, "rollback")
    expires = expiry()
    ended = recorded(lambda found: found["guard"]["state"] == "rolled_back", LEASE + SOON + 30)
    print(f"{moment(ended['ended']) - expires:.1f} s after the Lease had expired")
    assert 0 < moment(ended["ended"]) - expires < SOON
    assert weights() == {"blue": 100, "green": 0}
    assert (ended["outcome"], ended["steps"][-1]["verdict"]) == ("rolled_back", "followed")
    assert "rolled back by the guard: the run of " in ended["reason"]
    await_the_end_of_the_guard()


def test_the_machine_dies_and_the_guard_holds() -> None:
    killed_at(50, "pause")
    expires = expiry()
    held = recorded(lambda found: found["guard"]["state"] == "paused", LEASE + SOON + 30)
    assert 0 < moment(held["guard"]["at"]) - expires < SOON
    assert "last renewed its Lease" in held["guard"]["reason"]
    assert weights() == {"blue": 50, "green": 50}
    first = job()["metadata"]["uid"]
    # Somebody runs it again: it goes on, with a guard of its own, which ends with it.
    code, output = play("playbooks/bluegreen.yml", *words(100, 1, "pause"))
    assert code == 0, output
    await_the_end_of_the_guard()
    assert job()["metadata"]["uid"] != first
    after = record()
    assert (after["id"], after["outcome"], after["guard"]["state"]) == (held["id"], "succeeded", "running")
    assert weights() == {"blue": 0, "green": 100}


@soak
def test_a_guard_that_pauses_goes_on_watching_the_triggers(tmp_path: Path) -> None:
    """The machine dies, and then the version turns bad: its errors are past the limit for the window, and it is taken
    back.
    """
    with clients(tmp_path, 60):
        killed_at(50, "pause", "v1.2.1-errors-late")
        ended = recorded(lambda found: found["guard"]["state"] == "rolled_back", LEASE + SOON + 90)
    assert weights() == {"blue": 100, "green": 0}
    assert ended["outcome"] == "rolled_back" and "errors breach" in ended["reason"], ended
    await_the_end_of_the_guard()


def test_a_guard_whose_image_is_not_there_stops_the_release_before_anything_is_deployed() -> None:
    code, output = play(
        "playbooks/bluegreen.yml", *words(100, 1), "-e", "mcp_guard_image_ref=ghcr.io/org/mcp-server-ee:none"
    )
    assert (
        code
        and "mcp-server-ee:none" in output
        and "Deploy the version to the idle pool" not in output
        and "Traceback" not in output
    ), output
    assert weights() == {"blue": 100, "green": 0}


def test_a_guard_that_does_not_start_stops_the_release_before_anything_is_moved() -> None:
    # An image that is there, and has no Ansible.
    code, output = play(
        "playbooks/bluegreen.yml", *words(100, 1), "-e", "mcp_guard_image_ref=ghcr.io/org/mcp-server:v1.1.5"
    )
    assert code and "The guard of " in output and "does not start" in output and "Traceback" not in output, output
    assert "weights of" not in output, output
    assert weights() == {"blue": 100, "green": 0}


def paused(seconds: float) -> dict[str, t.Any]:
    """A release of which nobody has approved more than 50 % yet; the guard has its Lease."""
    more = json.dumps({"mcp_stop_after": 50, "mcp_pause_seconds": seconds})
    code, output = play("playbooks/bluegreen.yml", *words(50, 3), "-e", more)
    assert code == 0 and "paused at 50 % until " in output, output
    found = recorded(lambda found: found["guard"]["state"] == "paused", 30)
    assert weights() == {"blue": 50, "green": 50} and found["paused"]["until"]
    return found


def test_a_paused_release_goes_on_when_it_is_approved() -> None:
    found = paused(600)
    time.sleep(10)  # the guard renews it
    assert expiry() - time.time() > LEASE - 20
    code, output = play("playbooks/bluegreen.yml", *words(50, 1))
    assert code == 0 and "step 1 of 2: green 50 %" in output, output
    assert (record()["id"], record()["outcome"]) == (found["id"], "succeeded")
    assert weights() == {"blue": 0, "green": 100}
    await_the_end_of_the_guard()


def test_a_paused_release_goes_back_when_nobody_approves_it() -> None:
    paused(25)
    ended = recorded(lambda found: found["outcome"] != "running", 25 + SOON)
    assert ended["outcome"] == "rolled_back" and "nobody continued it" in ended["reason"], ended
    assert weights() == {"blue": 100, "green": 0}
    await_the_end_of_the_guard()


def test_a_guard_is_started_once_and_taken_away() -> None:
    begun = module("mcp_release", f"state=begun image_ref={CONFIG['image']}:v1.3.0 version=v1.3.0")
    options = {
        "image_ref": "ghcr.io/org/mcp-server-ee:1.0.0",
        "release_id": begun["record"]["id"],
        "run_id": begun["run_id"],
    }
    started = module("mcp_guard", **options)
    assert (started["changed"], started["guard"]["state"], started["guard"]["id"]) == (
        True,
        "running",
        started["guard_id"],
    )
    assert module("mcp_guard", **options)["changed"] is False
    pausing = module("mcp_guard", **options, action="pause")
    assert (pausing["changed"], pausing["guard"]["action"]) == (True, "pause")
    assert module("mcp_guard", "state=absent")["changed"] is True
    assert module("mcp_guard", "state=absent")["changed"] is False
    module("mcp_release", f"state=ended outcome=failed run_id={begun['run_id']}")
