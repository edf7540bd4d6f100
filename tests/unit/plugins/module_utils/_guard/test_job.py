# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.mcp.server.plugins.module_utils._guard.job import identity, inert, is_ours, job
from ansible_collections.mcp.server.plugins.module_utils._server import Server

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
OPTIONS = {"namespace": "prod", "server": "mcp", "release_id": "r", "action": "rollback"}


def made(run: str = "run", image_ref: str = "ee:1", account: str = "releaser", **options: str) -> dict:
    return job(SERVER, run, image_ref, account, {**OPTIONS, **options})


def test_a_job_tells_its_pod_what_to_watch_and_who_it_is() -> None:
    wanted = made()
    (container,) = wanted["spec"]["template"]["spec"]["containers"]
    assert container["command"][:-1] == ["ansible", "localhost", "-c", "local", "-m", "mcp.server.mcp_guard", "-a"]
    arguments = json.loads(container["command"][-1])
    assert (arguments["state"], arguments["namespace"], arguments["server"]) == ("running", "prod", "mcp")
    assert json.loads(arguments["options"]) == {**OPTIONS, "guard_id": identity(wanted)}
    assert is_ours(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "{{ lookup('pipe', 'id') }}",
        "{% set a = 1 %}",
        "{# a #}",
        '\\"{{ 1 }}',
        "\\{{ 1 }}",
        "{" * 5,
        "$(HOME)",
        "$$(HOME)",
    ],
)
def test_nothing_in_its_arguments_is_a_template(text: str) -> None:
    options = {"release_id": text, "triggers": {text: [text, {}, {"a": {"b": text}}]}}
    assert json.loads(inert(options)) == options
    # Neither of Ansible nor of Kubernetes
    assert not re.search(r"\{\{|\{%|\{#|\$", inert(options))
    assert not re.search(
        r"\{\{|\{%|\{#|\$", made(**options)["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    )


def test_its_pod_belongs_to_no_service_of_the_server() -> None:
    assert not {"app", "pool"} & made()["spec"]["template"]["metadata"]["labels"].keys()


def test_it_is_the_same_only_when_it_is_made_from_the_same() -> None:
    others = [made("another"), made(image_ref="ee:2"), made(account="another"), made(action="pause")]
    assert identity(made()) == identity(made())
    assert len({identity(one) for one in [made(), *others]}) == 5


@pytest.mark.parametrize(
    ("kind", "status", "guards"),
    [("Complete", "True", False), ("Failed", "True", False), ("Failed", "False", True), ("Suspended", "True", True)],
)
def test_one_that_has_ended_guards_nothing(kind: str, status: str, guards: bool) -> None:
    assert bool(identity({**made(), "status": {"conditions": [{"type": kind, "status": status}]}})) is guards


def test_a_job_of_somebody_else_is_not_ours() -> None:
    assert not is_ours({"metadata": {"labels": {"app": "mcp"}}})
    assert not is_ours({"metadata": {}})


def test_labels_that_others_add_change_nothing() -> None:
    """Such as a policy of the cluster."""
    wanted = made()
    wanted["metadata"]["labels"] = {**wanted["metadata"]["labels"], "team": "tools"}
    assert is_ours(wanted)


def test_it_lasts_longer_than_a_pause_may() -> None:
    """Which is 20 hours (docs/guard.md)."""
    spec = made()["spec"]
    assert (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (24 * 60 * 60, 10 * 60)
