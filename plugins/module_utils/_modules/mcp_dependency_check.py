# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_dependency_check: what the server needs, tried by Jobs with the environment of its own pods."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _image, _results
from ansible_collections.mcp.server.plugins.module_utils._dependencies import trying
from ansible_collections.mcp.server.plugins.module_utils._dependencies.objects import Dependency
from ansible_collections.mcp.server.plugins.module_utils._jobs import running
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, pools
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

LIVE, IDLE = "live", "idle"
OF_KUBERNETES: dict[str, t.Any] = {"type": "list", "elements": "dict", "default": [], "no_log": False}

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "dependencies": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "command": {"type": "list", "elements": "str", "required": True},
                "image_ref": {"type": "str"},
                "expect": {"type": "str"},
                "timeout": {"type": "float", "default": 30.0},
                "env": OF_KUBERNETES,
                "env_from": OF_KUBERNETES,
                "required": {"type": "bool", "default": True},
                "user": {"type": "int"},
                "token": {"type": "bool", "default": False, "no_log": False},
            },
        },
        "pool": {"type": "str", "choices": [*POOLS, LIVE, IDLE], "default": LIVE},
        "labels": {"type": "dict", "default": {}},
        "ttl": {"type": "int", "default": 60},
    }
)
MOST = 20  # dependencies
LONGEST = 600  # seconds
_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?")


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    dependencies = dependencies_of(params)
    if not dependencies:
        nothing = "No dependency is declared (mcp_dependencies), so none was tried."
        skipped = _results.result("dependencies", "dependencies", _results.SKIPPED, nothing)
        return {"changed": False, "checks": [skipped]}
    labels = labels_of(params["labels"])
    cluster, server = connection.connect(params), Server.from_params(params)
    found: trying.Source | Failure
    try:
        pool = pool_of(cluster, server, params["pool"])
        found = trying.source(cluster, server, pool, labels, running.pull_secrets(cluster, server), params["ttl"])
        task.progress(
            f"{len(dependencies)} {'dependency is' if len(dependencies) == 1 else 'dependencies are'} tried by Jobs in "
            f"{server.namespace}, as the pods of pool {pool}"
        )
    except Failure as failure:
        found = failure
    checks = trying.results(task, cluster, server, dependencies, found)
    result = {"changed": False, "checks": checks}
    if failed := _results.problems(checks):
        # Of a failure that all share, one sentence is enough.
        raise Failure(" ".join(dict.fromkeys(failed)), **result)
    return result


def dependencies_of(params: dict[str, t.Any]) -> list[Dependency]:
    """Return what is to be tried. Raises Failure for options that cannot be used."""
    given = params["dependencies"]
    if len(given) > MOST:
        raise Failure(f"{len(given)} dependencies are too many for one run: declare at most {MOST}.")
    names = [one["name"] for one in given]
    for one in given:
        name, where = one["name"], f"dependencies (mcp_dependencies), {printable(one['name'], 40)}"
        if not _NAME.fullmatch(name) or names.count(name) > 1:
            raise Failure(
                f"{where}: the name must be the only one of its kind, of at most 40 lower-case letters, digits, "
                "underscores and hyphens."
            )
        if not one["command"]:
            raise Failure(f"{where}: command is empty: set it to the command that tries it, and its arguments.")
        if one["image_ref"]:
            _image.Image.parse(one["image_ref"])
        if not 1 <= one["timeout"] <= LONGEST:
            raise Failure(f"{where}: timeout must be from 1 to {LONGEST} seconds.")
        if one["user"] is not None and not 0 <= one["user"] < 2**31:
            raise Failure(f"{where}: user must be the number of a user, or 0 for the one of the image.")
        try:
            re.compile(one["expect"] or "")
        except re.error as error:
            raise Failure(f"{where}: expect is not a regular expression ({printable(str(error), 100)}).") from None
    if not 0 <= params["ttl"] <= LONGEST:
        raise Failure(f"ttl must be from 0 to {LONGEST} seconds.")
    return [
        Dependency(
            **{
                **one,
                "image_ref": one["image_ref"] or None,
                "expect": one["expect"] or None,
                "command": tuple(one["command"]),
                "env": tuple(one["env"]),
                "env_from": tuple(one["env_from"]),
            }
        )
        for one in given
    ]


def labels_of(given: dict[str, t.Any]) -> dict[str, str]:
    """Return labels as text: YAML makes a bool of true."""
    return {str(key): str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}


def pool_of(cluster: Api, server: Server, wanted: str) -> str:
    """Return the pool whose pod template counts. Raises Failure."""
    if wanted in POOLS:
        return wanted
    kind = kind_of(server)
    try:
        weights = kind.weights(kind.read(cluster, server), server)
    except Unreachable:  # naming a pool would not help
        raise
    except Failure as failure:
        raise Failure(
            f"Which pool of {server} is live cannot be told ({failure.msg.rstrip('.')}): set pool "
            "(mcp_dependencies_pool) to blue or green."
        ) from None
    live = pools.live(weights) or POOLS[0]
    return live if wanted == LIVE else other(live)
