# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found before a release changes anything: a version that lost digits or ended badly, and what would be missing
later.
"""

from __future__ import annotations

import json
import typing as t

import pytest
from playing import CONFIG, blue_again, module, play, weights

NEW = "v1.3.0"
AT_ONCE = {"version": NEW, "bluegreen_steps": [{"weight": 100, "seconds": 1}], "mcp_warm_seconds": 1}
DEAD = "http://127.0.0.1:9"
HOOK = f"{DEAD}/a-secret"


@pytest.fixture(autouse=True, scope="module")
def start() -> t.Iterator[None]:
    blue_again()
    yield
    blue_again()


def state() -> t.Any:
    """Return what a release would change."""
    return module("mcp_rollout_info")["pools"]["green"]["image_ref"], weights(), module("mcp_release_info")["record"]


def refused(says: str, playbook: str = "bluegreen", *words: str, **variables: t.Any) -> str:
    before = state()
    code, output = play(f"playbooks/{playbook}.yml", *words, "-e", json.dumps(variables))
    text = " ".join(output.split())
    assert code != 0 and says in text and "Traceback" not in text, output
    assert state() == before
    return text


def test_a_retry_does_not_release_again_what_failed() -> None:
    run_id = module("mcp_release", f"state=begun image_ref={CONFIG['image']}:{NEW} version={NEW}")["run_id"]
    module("mcp_release", state="ended", outcome="failed", reason="5 % of the answers failed.", run_id=run_id)
    for words in ((), ("--check",)):
        text = refused(f"{NEW} failed at ", "bluegreen", *words, version=NEW, mcp_force_version="")
        assert "(5 % of the answers failed)" in text and f"-e mcp_force_version={NEW}" in text
    refused(f"{NEW} failed at ", "preflight", version=NEW, mcp_force_version="v1.2.0")
    refused(f"{NEW} failed at ", "rollback", version=NEW, mcp_rollback_version=NEW, mcp_force_version="")


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"version": 1.10}, "version is 1.1, which is a number and may"),
        ({"version": "v1 2"}, "it must be the tag of an image"),
        (
            {"version": NEW, "mcp_prometheus": {"url": DEAD}},
            f"Metrics (app, kubelet): Prometheus at {DEAD} does not answer",
        ),
        (
            {"version": NEW, "mcp_prometheus": {"url": DEAD, "token_env": "NOT_SET"}},
            "No bearer token in environment variable NOT_SET",
        ),
        ({"version": NEW, "mcp_prometheus": {"url": DEAD, "sorce": ["app"]}}, "prometheus.sorce"),
        (
            {"version": NEW, "mcp_guard": True, "mcp_guard_image_ref": f"{CONFIG['image']}:v0"},
            f"The guard's image {CONFIG['image']}:v0 is not in the registry",
        ),
        ({"version": NEW, "mcp_guard": True, "mcp_guard_image_ref": None}, "The guard has no image"),
    ],
)
def test_refused_before_anything_is_changed(variables: dict[str, t.Any], says: str) -> None:
    refused(says, **variables)


def test_the_plan_tells_all_of_it() -> None:
    text = refused(
        f"Prometheus at {DEAD} does not answer",
        "bluegreen",
        "--check",
        version=NEW,
        mcp_prometheus={"url": DEAD},
        mcp_announce=[{"url": HOOK}],
    )
    assert "Announcements would not reach webhook 1: no connection" in text


def test_a_dead_webhook_fails_the_preflight_and_warns_a_release() -> None:
    dead = {
        "mcp_announce": [{"url_env": "NOT_SET"}, {"url": HOOK}],
        "mcp_silence": True,
        "mcp_alertmanager": {"url": DEAD},
    }
    text = refused(
        "Announcements would not reach webhook 1 (environment variable NOT_SET): it is empty or missing.",
        "preflight",
        version=NEW,
        **dead,
    )
    assert (
        "webhook 2: no connection (Connection refused)" in text and "Alertmanager 127.0.0.1:9 does not answer" in text
    )
    code, output = play("playbooks/bluegreen.yml", "-e", json.dumps({**AT_ONCE, **dead}))
    assert code == 0 and "Announcements would not reach webhook 1" in " ".join(output.split()), output
    assert weights() == {"blue": 0, "green": 100}
