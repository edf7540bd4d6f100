# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context
from ansible_collections.mcp.server.plugins.module_utils._checks.options import CHECKS
from ansible_collections.mcp.server.plugins.module_utils._checks.run import Outcome, run_checks
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Task

SERVER = Server("shop", "weather", "{server}-{pool}", "weather", "weather")

Validated = t.Callable[..., list[dict[str, t.Any]]]


@pytest.fixture
def validated() -> Validated:
    """The option, as Ansible fills it in."""

    def call(*checks: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        validation = ArgumentSpecValidator({"checks": CHECKS}).validate({"checks": list(checks)})
        assert not validation.error_messages
        return validation.validated_parameters["checks"]

    return call


@pytest.fixture
def lines() -> list[str]:
    """What the task showed."""
    return []


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def ran(validated: Validated, lines: list[str], stop: threading.Event) -> t.Callable[..., list[Outcome]]:
    """The outcomes of checks, all of which are named unless they have a name."""

    def call(*checks: dict[str, t.Any], url: str | None = None, cluster: t.Any = None, **given: t.Any) -> list[Outcome]:
        context = Context(cluster, SERVER, "green", "v1.2.0", {**endpoint.defaults(), "url": url}, **given)
        named = validated(*({"name": "smoke", **check} for check in checks))
        return run_checks(Task({}, progress=lines.append), context, named, stop)

    return call
