# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that turn bad under load and are taken back by a trigger; for the targets that try triggers."""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import contextmanager
from datetime import datetime

import pytest
from playing import CONFIG, kubectl, module, play, weights

needs_prometheus = pytest.mark.skipif(
    CONFIG["prometheus_url"] == "none",
    reason="judges metrics; the cluster of KUBECONFIG has no Prometheus (MCP_PROMETHEUS)",
)
needs_admin = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="sets the environment of a Deployment or deletes a pod, which takes an administrator's rights; the "
    "cluster of KUBECONFIG gives only the Role",
)


@contextmanager
def faults(**environment: str) -> t.Iterator[None]:
    """The green pods' settings, beside their image's."""
    where = ("-n", CONFIG["test_namespace"], "set", "env", "deployment/mcp-server-green")
    kubectl(*where, *(f"{name}={value}" for name, value in environment.items()))
    try:
        yield
    finally:
        kubectl(*where, *(f"{name}-" for name in environment))


def words(version: str, steps: list[dict], **more: t.Any) -> list[str]:
    return [
        "playbooks/bluegreen.yml",
        "-e",
        json.dumps({"version": version, "mcp_steps": steps, "mcp_warm_seconds": 0, **more}),
    ]


# Whose limit a fifth of bad answers is near; it has a test of its own.
NO_BURSTS = {"mcp_bypass": "error_burst", "mcp_reason": "It has a test of its own."}


def release(version: str, triggers: dict, steps: list[dict], *, seconds: float = 240, **more: t.Any) -> tuple[int, str]:
    """Run a release; seconds: of the longest that it may take. Return the exit code and the output."""
    return play(*words(version, steps, mcp_triggers=triggers, **more), seconds=seconds)


def last_answer(seen: dict, version: str) -> float:
    """When the clients had the last good answer of green with this version, epoch seconds."""
    return max(seen[kind]["answers"][f"{version[1:]} green"]["last"] for kind in ("kept", "new"))


def judge_taken_back(output: str, trigger: str, bad: str, seen: dict, window: float) -> None:
    """By this trigger; and how long it took."""
    assert re.search(rf"with a breach: [a-z_, ]*{trigger}[a-z_, ]* breach", " ".join(output.split())), output
    assert weights() == {"blue": 100, "green": 0}
    record = module("mcp_release_info")["record"]
    assert record["outcome"] == "rolled_back"
    begun = min(float(since) for since in re.findall(r"since: (\d+\.\d+)", output))
    back = datetime.fromisoformat(record["ended"]).timestamp()
    last = last_answer(seen, bad)
    print(
        f"{bad}: by {trigger}; from the first sample past the limit to the window full {window:.0f} s, to the "
        f"rollback recorded {back - begun:.1f} s, "
        f"to the last answer of it {last - begun:.1f} s; {seen['failed']} of {seen['sent']} requests failed at "
        f"{seen['rate']} a second"
    )
    # The scrapes at both ends of the window, a poll, and the rollback itself.
    assert last - begun < window + 25
