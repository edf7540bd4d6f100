# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollbacks on the real cluster: to what is named, from the history, and of a pool at 0."""

from __future__ import annotations

import json
import os
import signal
import time
import typing as t

import pytest
from playing import CONFIG, blue_again, kubectl, lease, module, play, rest, running, until, weights
from soaking import drawn, soak

PLAYBOOK = "playbooks/rollback.yml"
BLUE, GREEN = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}
NAMESPACE = ("-n", CONFIG["test_namespace"])
# As a survey gives them: text.
AT_ONCE = {
    "mcp_steps": '[{"weight": "100", "seconds": "1"}]',
    "mcp_bypass": "contract",
    "mcp_reason": "Its own target has it.",
    "mcp_warm_replicas": "",
}

needs_admin = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes objects beside the server's, which takes an administrator; the cluster of KUBECONFIG gives only "
    "the Role",
)


@pytest.fixture(autouse=True)
def start() -> None:
    blue_again()


@pytest.fixture(autouse=True, scope="module")
def end() -> t.Iterator[None]:
    yield
    blue_again()


def release(version: str = "v1.2.0") -> None:
    """Blue was live with v1.1.5, green is with this."""
    code, output = play("playbooks/bluegreen.yml", "-e", f"version={version}", "-e", json.dumps(AT_ONCE))
    assert code == 0 and weights() == GREEN, output


def roll_back(*words: str, **environment: str) -> str:
    code, output = play(PLAYBOOK, *words, **environment)
    assert code == 0, output
    return output


def refused(says: str, *words: str) -> str:
    code, output = play(PLAYBOOK, *words)
    assert code != 0 and says in " ".join(output.split()) and "Traceback" not in output, output
    return output


def pools() -> dict[str, t.Any]:
    return module("mcp_rollout_info")["pools"]


def image(version: str) -> str:
    return f"{CONFIG['image']}:{version}"


def tagged(image_ref: str) -> str:
    """Return the reference without the digest by which a release deploys it."""
    return image_ref.partition("@")[0]


def test_to_a_version_from_the_history_and_again() -> None:
    """Down the line of versions; the pool that has the traffic keeps its image, and a second run of each changes
    nothing.
    """
    release()
    before = pools()
    left = roll_back("-e", "mcp_rollback_only_unfinished=true")
    assert "changed=0" in left and "is in progress or paused" in left and pools() == before and weights() == GREEN, left
    listed = roll_back("--tags", "history")
    assert "changed=0" in listed and "green: live, 100 % of the traffic, 2 of 2 pods ready" in listed
    assert "from the history of blue" in " ".join(listed.split())
    recorded = module("mcp_release_info")["record"]
    assert "are ready there instead of" in roll_back("--check", "--diff", "-e", "mcp_rollback_version=v1.3.0")
    roll_back("--check", "-e", "mcp_rollback_version=v1.1.5")
    assert pools() == before and module("mcp_release_info")["record"] == recorded

    output = roll_back("-e", "mcp_rollback_version=v1.1.5", "-e", "mcp_reason=named")
    assert weights() == BLUE and pools()["green"]["replicas"] == 0
    assert "deploy.yml" not in "".join(
        line for line in output.splitlines() if line.startswith("included")
    )  # it ran: only the shift
    assert "changed=0" in roll_back("-e", "mcp_rollback_version=v1.1.5")
    record = module("mcp_release_info")["record"]
    assert (record["outcome"], record["reason"], record["steps"][-1]["verdict"]) == ("rolled_back", "named", "followed")

    # Blue is live: another version goes to green, and blue is what was bad then
    roll_back("-e", "mcp_rollback_version=v1.3.0")
    after = pools()
    assert weights() == GREEN and tagged(after["blue"]["image_ref"]) == image("v1.1.5")
    assert [one["revision"] for one in after["blue"]["revisions"]] == [
        one["revision"] for one in before["blue"]["revisions"]
    ]
    record = module("mcp_release_info")["record"]
    assert (record["from"]["pool"], record["from"]["version"], record["outcome"]) == ("green", "v1.3.0", "rolled_back")
    assert record["steps"][-1]["share"]["green"] == 100.0
    assert "changed=0" in roll_back("-e", "mcp_rollback_version=v1.3.0")
    assert "changed=0" in roll_back()  # an emergency does not flip it back

    # The history of green, which the traffic is to return to, has the release's version
    number = next(one["revision"] for one in after["green"]["revisions"] if tagged(one["image_ref"]) == image("v1.2.0"))
    refused("It has: ", "-e", "mcp_rollback_revision=7777")
    refused("-e mcp_force_version=v1.2.0", "-e", f"mcp_rollback_revision={number}")  # it was rolled back
    output = roll_back("-e", f"mcp_rollback_revision={number}", "-e", "mcp_force_version=v1.2.0")
    assert "only the image of the server's container is used" in output
    assert (
        weights() == BLUE
        and tagged(pools()["blue"]["image_ref"]) == image("v1.2.0")
        and tagged(pools()["green"]["image_ref"]) == image("v1.3.0")
    )


def test_in_the_middle_of_a_release() -> None:
    """Both pools have traffic: it is taken off the new one before that one gets another image."""
    module("mcp_release", f"state=begun image_ref={image('v1.2.0')} version=v1.2.0 take_over=true reason=test")
    module("mcp_rollout", f"pool=green image_ref={image('v1.2.0')} replicas=2")
    module("mcp_traffic_shift", "pool=green weight=50")
    planned = roll_back("--check", "-e", "mcp_rollback_only_unfinished=true", "-e", "mcp_rollback_pool=green")
    assert "is in progress or paused" not in planned and weights() == {"blue": 50, "green": 50}, planned
    output = roll_back("-e", "mcp_rollback_version=v1.3.0")
    assert "all traffic goes to blue first" in output
    assert (
        weights() == GREEN
        and tagged(pools()["green"]["image_ref"]) == image("v1.3.0")
        and tagged(pools()["blue"]["image_ref"]) == image("v1.1.5")
    )


def test_two_at_once() -> None:
    """Both end well, and nobody is called."""
    release()
    with running(PLAYBOOK) as process:
        said = until(process, "written: blue 100 %")
        output = roll_back()
        said += rest(process)
    assert "took over from " in output
    assert process.returncode == 0 and "Deployment issues" not in said, said
    assert weights() == BLUE and pools()["green"]["replicas"] == 0


def test_one_that_is_taken_over_says_that_the_traffic_is_back() -> None:
    release()
    with running(PLAYBOOK) as process:
        said = until(process, "measured 100.0 %")
        lease().acquire("another", "max@laptop", "", take_over=True)
        said += rest(process)
    assert process.returncode == 0 and "Deployment issues" not in said, said
    text = " ".join(said.split())
    assert "is back on blue. Another run took over and does the rest." in text and "max@laptop took over" in text, said
    assert weights() == BLUE


BAD = [
    (("-e", "mcp_rollback_version=v9.9.9"), "check the image's name and tag"),
    (("-e", "mcp_rollback_version=v1.2.1-crash"), "exit code 1"),
    (("-e", "mcp_rollback_version=v1.2.1-version"), "expected v1.2.1-version"),
    (("-e", '{"mcp_rollback_version": 1.10}'), "in quotes"),
    (("-e", "mcp_rollback_version=v1.1.5", "-e", "mcp_rollback_revision=1"), "mutually exclusive"),
]


@pytest.mark.parametrize("bad", drawn([(one,) for one in BAD], 1))
def test_a_bad_one_and_then_an_emergency_whose_pool_is_at_0(bad: tuple[tuple[str, ...], str]) -> None:
    """The traffic and the pool stay as they were. An emergency that can't bring its pool up says so when the cluster
    knows it; then it can.
    """
    release()
    words, says = bad
    start = time.monotonic()
    refused(says, *words)
    assert time.monotonic() - start < 90  # the cluster's reason, not the time-out of 600 s
    blue = pools()["blue"]
    assert weights() == GREEN and (tagged(blue["image_ref"]), blue["replicas"]) == (image("v1.1.5"), 2)

    module("mcp_rollout", f"pool=blue image_ref={image('v9.9.9')} replicas=0")
    start = time.monotonic()
    refused("pool blue has no ready endpoint and does not come up")
    assert time.monotonic() - start < 60 and weights() == GREEN

    module("mcp_rollout", f"pool=blue image_ref={image('v1.1.5')} replicas=0")
    output = roll_back()
    assert (
        output.index("scaling it up from 0 to 2 pods") < output.index("written: blue 100 %")
        and "a rollout of this server took" in output
    )
    assert weights() == BLUE and pools()["blue"]["replicas"] == 2
    assert "changed=0" in roll_back()


@soak
@needs_admin
def test_new_pods_that_crash_right_after_100_percent() -> None:
    """The traffic is back on the old pool although the new pods crash, and nothing of them is waited for."""
    release("v1.2.1-crash-late")
    deadline, crashes = time.monotonic() + 120, ["0"]
    while "0" in crashes and time.monotonic() < deadline:
        time.sleep(0.5)
        crashes = kubectl(
            *NAMESPACE,
            "get",
            "pods",
            "-l",
            "pool=green",
            "-o",
            "jsonpath={.items[*].status.containerStatuses[*].restartCount}",
        ).split()
    assert crashes and "0" not in crashes
    start = time.monotonic()
    roll_back()
    assert time.monotonic() - start < 40 and weights() == BLUE
    module(
        "mcp_watch",
        json.dumps({"endpoint": {"url": CONFIG["public_url"], "host": CONFIG["public_host"]}, "seconds": 3}),
    )


@pytest.mark.parametrize(
    ("task", "seconds"), [("Deploy the named version", 0.8), ("Shift the traffic to the requested version", 0.3)]
)
def test_killed_and_run_again(task: str, seconds: float) -> None:
    words = ("-e", "mcp_rollback_version=v1.3.0")
    with running(PLAYBOOK, *words) as process:
        until(process, task)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    roll_back(*words)
    found = pools()
    assert (
        weights() == GREEN and tagged(found["green"]["image_ref"]) == image("v1.3.0") and found["green"]["ready"] == 2
    )
    assert (tagged(found["blue"]["image_ref"]), found["blue"]["replicas"]) == (image("v1.1.5"), 0)
    record = module("mcp_release_info")["record"]
    assert (record["from"]["pool"], record["from"]["version"], record["outcome"]) == ("green", "v1.3.0", "rolled_back")


@pytest.fixture
def beside() -> t.Iterator[t.Callable[..., str]]:
    """kubectl in the server's namespace; autoscalers and budgets are gone afterwards."""
    try:
        yield lambda *words: kubectl(*NAMESPACE, *words)
    finally:
        kubectl(*NAMESPACE, "delete", "hpa,pdb", "--all")


@needs_admin
def test_autoscalers_are_raised_and_given_back(beside: t.Callable[..., str]) -> None:
    def least() -> tuple[int, ...]:
        return tuple(
            json.loads(beside("get", "hpa", f"mcp-server-{pool}", "-o", "json"))["spec"]["minReplicas"]
            for pool in ("blue", "green")
        )

    for pool in ("blue", "green"):
        beside("autoscale", "deployment", f"mcp-server-{pool}", "--min=1", "--max=4", "--cpu=80%")
    words = ("-e", "mcp_rollback_version=v1.3.0")
    with running(PLAYBOOK, *words) as process:
        until(process, "Record the requested version as checked")
        os.killpg(process.pid, signal.SIGKILL)
    assert least() == (1, 2)
    roll_back(*words)
    assert least() == (1, 1) and weights() == GREEN
    time.sleep(20)  # an autoscaler looks every 15 s
    found = pools()
    assert (found["blue"]["replicas"], found["green"]["replicas"]) == (
        0,
        2,
    )  # off at 0, and stable where it was given back
    roll_back("-e", "mcp_rollback_version=v1.1.5")
    assert weights() == BLUE and pools()["blue"]["ready"] == 2 and least() == (1, 1)


@needs_admin
def test_budgets(beside: t.Callable[..., str]) -> None:
    beside("create", "poddisruptionbudget", "server", "--selector=app=mcp-server", "--min-available=3")
    code, output = play("playbooks/bluegreen.yml", "-e", "version=v1.2.0", "-e", json.dumps(AT_ONCE))
    assert code and "PodDisruptionBudget server requires 3" in " ".join(output.split()), output
    assert weights() == BLUE
    with pytest.raises(AssertionError, match="PodDisruptionBudget server requires 3"):
        module("mcp_rollout", "pool=blue replicas=1")
    assert pools()["blue"]["replicas"] == 2
