# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Try each dependency in a Job of its own, side by side."""

from __future__ import annotations

import functools
import secrets
import threading
import typing as t
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import LONGEST_NAME
from ansible_collections.mcp.server.plugins.module_utils._dependencies import judge, objects
from ansible_collections.mcp.server.plugins.module_utils._dependencies.objects import CONTAINER, STARTING, Dependency
from ansible_collections.mcp.server.plugins.module_utils._jobs import reading, running
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import begun
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Result, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import CONFIGURATION, name_of

AT_ONCE = 5  # Jobs
SHOWN = 5.0  # seconds between lines of progress
DELETING = 3.0  # seconds for all Jobs, also after a signal
MAX_BYTES = 1024 * 1024  # of a log, of which the end counts
CONFIG_ERROR = "CreateContainerConfigError"  # a Secret, a ConfigMap or a key of one that is not there
# What the kubelet says of an image whose user is root, or has only a name.
ABOUT_THE_USER = ("runAsNonRoot",)


@dataclass(frozen=True)
class Source:
    """What the Jobs are made from. template: the pod template of the pool. container: the server's in it."""

    template: Object
    container: str
    labels: t.Mapping[str, str]
    pull_secrets: tuple[str, ...]
    ttl: int


def source(
    cluster: Api, server: Server, pool: str, labels: t.Mapping[str, str], pull_secrets: tuple[str, ...], ttl: int
) -> Source:
    """Return what the Jobs are made from. Raises Failure."""
    workload = cluster.get(server.workload_path(pool))
    refuse_traffic({one: server.selector(cluster, one) for one in POOLS}, {**labels, **objects.LABELS}, server)
    template = mapping(workload, "spec", "template")
    return Source(template, server.container_in(cluster, workload, pool), labels, pull_secrets, ttl)


def refuse_traffic(by_pool: t.Mapping[str, t.Mapping[str, str]], labels: t.Mapping[str, str], server: Server) -> None:
    """Raise Failure when the Service of a pool selects pods with these labels: a Job is not one of its pods. Pure.

    by_pool: the selectors.
    """
    for pool, selector in by_pool.items():
        if selectors.selects(selector, labels):
            raise Failure(
                f"Service {server.namespace}/{server.service(pool)} of pool {pool} would select the pods of the Jobs, "
                "as they have all labels of its selector: take one of them out of labels (mcp_dependencies_labels)."
            )


def results(
    task: Task, cluster: Api, server: Server, dependencies: t.Sequence[Dependency], found: Source | Failure
) -> list[Result]:
    """Return a result for each dependency. Its Job is gone then, or the cluster removes it.

    found: why nothing can be tried, when it is a Failure.
    """
    names = {
        one.name: f"{server.name[:LONGEST_NAME].rstrip('.-')}-check-{secrets.token_hex(4)}" for one in dependencies
    }
    slots, stops = threading.BoundedSemaphore(AT_ONCE), threading.Event()

    def one_of(dependency: Dependency) -> Result:
        with slots:
            return _results.made(
                f"dependency_{dependency.name}",
                f"dependency {dependency.name}",
                functools.partial(_tried, task, cluster, server, dependency, found, names[dependency.name], stops),
                required=dependency.required,
            )

    since = Deadline(0)
    try:
        waits = begun([functools.partial(one_of, dependency) for dependency in dependencies])
        return [_awaited(task, wait, dependency, since) for wait, dependency in zip(waits, dependencies, strict=True)]
    finally:
        # Also after a signal: those that still wait for a slot must begin nothing. What was deleted already is no
        # failure.
        stops.set()
        if not task.check_mode and not isinstance(found, Failure):
            _delete_all(cluster, server, names.values())


def _awaited(task: Task, wait: t.Callable[[float], Result], dependency: Dependency, since: Deadline) -> Result:
    while True:
        try:
            result = wait(SHOWN)
        except TimeoutError:  # its requests and its Job have limits of their own
            task.progress(f"waiting for dependency {dependency.name}, {since.elapsed:.0f} s")
            continue
        word = (
            "skipped" if result["skipped"] else "ok" if result["ok"] else "FAILED" if result["required"] else "warning"
        )
        task.progress(f"{word}: {result['message']}")
        return result


def _delete_all(cluster: Api, server: Server, names: t.Iterable[str]) -> None:
    waits = begun([functools.partial(running.delete, cluster, server, name) for name in names])
    bound = Deadline(DELETING)
    for wait in waits:
        with suppress(TimeoutError):  # the cluster removes it
            wait(max(bound.left, 0.01))


def purpose(server: Server, dependency: Dependency) -> running.Purpose:
    """Return what the sentences about a Job say."""
    return running.Purpose(
        CONTAINER,
        f"that tries dependency {dependency.name} of {server}",
        f"which tries dependency {dependency.name} of {server}",
        f"Dependency {dependency.name} of {server} was not tried",
        f"dependency {dependency.name} is being tried",
        "image_ref of the dependency",
        "user of the dependency",
        "the requests and limits of the Job",
    )


def _tried(
    task: Task,
    cluster: Api,
    server: Server,
    dependency: Dependency,
    found: Source | Failure,
    name: str,
    stops: threading.Event,
) -> str:
    if isinstance(found, Failure):
        raise CannotMeasure(found.msg)
    interrupted = CannotMeasure(f"Dependency {dependency.name} of {server} was not tried: the play was interrupted.")
    if stops.is_set():
        raise interrupted
    its = purpose(server, dependency)
    wanted = objects.job(
        name,
        dependency,
        found.template,
        found.container,
        labels=found.labels,
        pull_secrets=found.pull_secrets,
        ttl=found.ttl,
    )
    try:
        created = running.create(cluster, server, wanted, its, dry_run=task.check_mode)
        if stops.is_set():  # while it was created, so that nobody else deletes it
            running.delete(cluster, server, name)
            raise interrupted
        if task.check_mode:
            raise Skipped(
                f"Dependency {dependency.name} of {server} is not tried in check mode; the API server would accept its "
                "Job."
            )
        pod = running.followed(
            cluster, server, created, its, Deadline(STARTING + dependency.timeout), running_seconds=dependency.timeout
        )
    except running.NotStarted as failure:
        if failure.reason == CONFIG_ERROR and not any(word in failure.msg for word in ABOUT_THE_USER):
            # The server's own pods would not start either.
            raise Failure(failure.msg) from None
        raise CannotMeasure(_about_the_user(failure.msg)) from None
    except _results.CannotMeasure:
        raise
    except Failure as failure:  # the API server, or a right
        raise CannotMeasure(f"Dependency {dependency.name} of {server} was not tried: {failure.msg}") from None
    try:
        has_end = dependency.expect is not None  # of a part, the expected end would be missing
        output = reading.text(
            cluster, server.namespace, name_of(pod), CONTAINER, MAX_BYTES, whole=has_end, tailLines="200"
        )
    except Failure as failure:
        if dependency.expect is not None:
            raise CannotMeasure(
                f"Dependency {dependency.name} of {server}: the output of its command cannot be read: {failure.msg}"
            ) from None
        output = ""
    hidden, state = objects.secrets_of(dependency, found.template, found.container), reading.state(pod, CONTAINER)
    if mapping(state, "terminated").get("exitCode") and (why := judge.taken_away(pod)):
        raise CannotMeasure(
            f"Dependency {dependency.name} of {server} was not tried to its end: the cluster ended its pod ({why}). "
            "Run it again."
        )
    return judge.verdict(dependency, str(server), state, output, hidden)


def _about_the_user(message: str) -> str:
    if not any(word in message for word in ABOUT_THE_USER):
        return message
    return message.removesuffix(f"; {CONFIGURATION}.") + "; set user of the dependency to a number other than 0."
