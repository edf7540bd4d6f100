# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run probes in a Job, from inside the cluster's network."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._debug import judge, objects, output
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import CONTAINER, Object, Options
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Outcome, Probe
from ansible_collections.mcp.server.plugins.module_utils._jobs import running
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of


def purpose(server: Server) -> running.Purpose:
    """Return what the sentences about the Job say."""
    return running.Purpose(
        CONTAINER,
        f"to debug {server}",
        f"which debugs {server}",
        f"The probes of {server} were not asked",
        "the probes are being asked",
        "mcp_debug_image_ref",
        "user (mcp_debug_user)",
        "10m to 500m of CPU and 32Mi to 128Mi of memory",
    )


def run(
    task: Task,
    cluster: Api,
    server: Server,
    image_ref: str,
    asked: t.Sequence[Probe],
    *,
    timeout: float,
    **more: t.Any,
) -> list[Outcome]:
    """Return what came of the probes, in their order, within C(timeout) seconds.

    A Job asks, and is deleted afterwards; the cluster removes it too, when we are killed. In check mode nothing is
    asked, and nothing comes of it. more: of Options. Raises Failure when the Job cannot be created or does not start.
    """
    options = Options(image_ref, timeout, **more)
    return in_job(task, cluster, server, options, asked)[0] if asked else []


def in_job(
    task: Task, cluster: Api, server: Server, options: Options, asked: t.Sequence[Probe]
) -> tuple[list[Outcome], Object]:
    """Return what came of the probes, and the Job. It stays as long as Options.stay says. Raises Failure."""
    bound, its = Deadline(options.timeout), purpose(server)
    options = replace(options, pull_secrets=running.pull_secrets(cluster, server))
    wanted = objects.job(objects.job_name(server, secrets.token_hex(4)), asked, options)
    where = f"Job {server.namespace}/{name_of(wanted)}"
    if task.check_mode:
        return [], running.create(cluster, server, wanted, its, dry_run=True)
    task.progress(f"{where} asks {len(asked)} {'probe' if len(asked) == 1 else 'probes'}")
    created: Object | None = wanted
    try:
        created = running.create(cluster, server, wanted, its)
        pod = running.followed(
            cluster,
            server,
            created,
            its,
            bound,
            progress=task.progress,
            is_complete=lambda pod: options.stay > 0 and output.is_complete(cluster, server.namespace, pod),
        )
        return judge.outcomes(asked, output.steps(cluster, server.namespace, pod)), created
    finally:
        if not options.stay:
            running.delete(cluster, server, name_of(wanted))
