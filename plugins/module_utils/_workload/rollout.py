# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change a workload's image and size by a patch, and wait until its rollout is complete or has failed."""

from __future__ import annotations

import datetime
import functools
import threading
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import STATEFUL_SET
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, started
from ansible_collections.mcp.server.plugins.module_utils._workload import stateful_sets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import (
    Object,
    condition,
    earlier_restarts,
    is_ready,
    needs_events,
    uid_of,
)
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import (
    State,
    new_pods,
    revision,
    state,
    wanted_pods,
)

CAUSE = "kubernetes.io/change-cause"
COMPLETE = "NewReplicaSetAvailable"  # the reason of the condition Progressing after a rollout

POLL = 1.0  # seconds
MAX_PODS = 5  # whose events are read in one look
MAX_EVENTS = "100"  # of one pod
HEARTBEAT = 10.0  # seconds after which an unchanged line of progress is shown again


def patch(container: str, before: dict[str, t.Any], after: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a strategic merge patch with what differs. A new image is a new revision, so the patch has its cause."""
    body: dict[str, t.Any] = {"spec": {}}
    if after["replicas"] != before["replicas"]:
        body["spec"]["replicas"] = after["replicas"]
    if after["image_ref"] != before["image_ref"]:
        body["metadata"] = {"annotations": _cause(after["image_ref"])}
        body["spec"]["template"] = {"spec": {"containers": [{"name": container, "image": after["image_ref"]}]}}
    return body


def fenced(
    workload: Object, container: str, before: dict[str, t.Any], after: dict[str, t.Any], run: str
) -> list[fence.Operation]:
    """Return the same as a fenced JSON patch of this run (fence.py). workload: as it was read."""
    operations = fence.stamp(
        workload, run, _cause(after["image_ref"]) if after["image_ref"] != before["image_ref"] else None
    )
    if after["replicas"] != before["replicas"]:
        operations.append({"op": "add", "path": "/spec/replicas", "value": after["replicas"]})
    if after["image_ref"] != before["image_ref"]:
        names = [one.get("name") for one in items(workload, "spec", "template", "spec", "containers")]
        place = f"/spec/template/spec/containers/{names.index(container)}"
        operations.append({"op": "test", "path": f"{place}/name", "value": container})
        operations.append({"op": "replace", "path": f"{place}/image", "value": after["image_ref"]})
    return operations


def _cause(image_ref: str) -> dict[str, str]:
    return {CAUSE: f"mcp.server.mcp_rollout: {image_ref}"}


class ImageGone(Failure):
    """The rollout cannot succeed because a registry does not have the image."""


class View:
    """A pool's workload and its pods, read anew for each state.

    grace: seconds, see pods.problem(). stale: the Progressing condition from before this run's change. refuse: raises
    Failure for a workload that must not be waited for. changed_ago: seconds since before this run's change; None when
    it changed nothing: then the rollout began earlier or, when that one is complete, begins with the first look.
    """

    def __init__(
        self,
        cluster: Api,
        server: Server,
        pool: str,
        grace: float,
        stale: Object | None = None,
        refuse: t.Callable[[Object], None] = lambda _workload: None,
        changed_ago: float | None = None,
    ) -> None:
        self.cluster = cluster
        self.pool = pool
        self.path = server.workload_path(pool)
        self.title = server.workload_title(pool)
        self.label = server.workload(pool) if server.is_single else pool  # in lines of progress
        self.revision = ""  # of a Deployment
        self.is_set = server.objects(pool).kind == STATEFUL_SET
        self.stale = stale
        self._refuse = refuse
        self._server, self._namespace = server, server.namespace
        self._container = server.container
        self._grace = grace
        self._may_read_events = True
        # The API server's time, which the answer to the change has told.
        self._since = None if changed_ago is None else cluster.now() - datetime.timedelta(seconds=changed_ago)
        self._earlier: dict[str, int] | None = None

    def state(self) -> State:
        workload = self.cluster.get(self.path)
        self._refuse(workload)
        self.revision = revision(workload)
        self._container = self._server.container_in(self.cluster, workload, self.pool)
        selector = selectors.labels(mapping(workload, "spec", "selector", "matchLabels"))
        replicasets: list[Object] = []
        if not self.is_set:
            replicasets = items(self.cluster.get(paths.replica_sets(self._namespace), labelSelector=selector), "items")
        pods = items(self.cluster.get(paths.pods(self._namespace), labelSelector=selector), "items")
        if self._earlier is None:
            if self._since is None and _was_complete(workload):
                self._since = self.cluster.now()
            self._earlier = earlier_restarts(pods, self._container, self._since) if self._since else {}
        new = new_pods(workload, replicasets, pods)
        now = self.cluster.now()  # before the events are read: which pods need them depends on it
        waits = self.is_set and len(new) < wanted_pods(workload) and all(map(is_ready, new))
        return state(
            workload,
            replicasets,
            pods,
            # A StatefulSet has no condition that says why there is no next pod.
            self._events(new, now, uid_of(workload) if waits else ""),
            now,
            self._container,
            self._grace,
            self.stale,
            self._since,
            self._earlier,
        )

    def _events(self, pods: t.Sequence[Object], now: datetime.datetime, also: str = "") -> list[Object]:
        """Return the events of pods that only these explain: not those of the whole namespace, which may be thousands.

        also: the uid of another object whose events are wanted.

        Read side by side, since an API server in trouble takes seconds for each.
        """
        if not self._may_read_events:
            return []
        unexplained = [pod for pod in pods if needs_events(pod, now, self._grace, self._container, self._since)]
        uids = [uid for pod in unexplained if (uid := uid_of(pod))]
        wanted = [*uids[:MAX_PODS], *filter(None, [also])]
        reads = [started(functools.partial(self._events_of, uid)) for uid in wanted]
        # Each read ends by itself, as any request does.
        return [event for read in reads for event in read(threading.TIMEOUT_MAX)]

    def _events_of(self, uid: str) -> list[Object]:
        selector = f"involvedObject.uid={uid}"
        try:
            return items(
                self.cluster.get(paths.events(self._namespace), fieldSelector=selector, limit=MAX_EVENTS), "items"
            )
        except Forbidden:
            self._may_read_events = False
            return []


def _was_complete(workload: Object) -> bool:
    """Return whether no rollout is going on, by a workload that this run did not change."""
    if stateful_sets.is_set(workload):
        return stateful_sets.newest_revision(workload) == mapping(workload, "status").get("currentRevision")
    return bool(condition(workload, "Progressing").get("reason") == COMPLETE)


def wait(
    view: View,
    patience: Deadline,
    progress: t.Callable[[str], None],
    enough: int | None = None,
    unblock: t.Callable[[stateful_sets.Blocked], bool] = lambda _blocked: False,
) -> State:
    """Wait until the rollout is complete; return its state. Raises Failure, with the state as evidence.

    enough: for an emergency, which polls more often: this many ready pods are enough, or fewer when no more come soon.
    unblock: removes what an OrderedReady StatefulSet waits for, and returns whether it did. Called once for each pod.
    """
    evidence: dict[str, t.Any] = {}
    shown, shown_at = "", 0.0
    problems: t.Sequence[str] = ()
    asked: set[str] = set()
    while True:
        now = view.state()
        line, problems = f"{view.label}: {now}", now.problems
        evidence = {"ready": now.ready, "reason": now.reason, "problems": list(now.problems)}
        no_more = now.failed or now.ready + len(problems) + now.behind >= now.wanted
        if now.done or (enough is not None and (now.ready >= enough or (now.ready and no_more))):
            return now
        if now.blocked and now.blocked.pod not in asked:
            asked.add(now.blocked.pod)
            if unblock(now.blocked):
                continue
        # Nodes that have the image start it: in an emergency these may be enough.
        if now.failed and not (enough is not None and now.image_gone and now.starting):
            failure = ImageGone if now.image_gone else Failure
            raise failure(f"{view.title} will not become ready: {now.failed}.", **evidence)
        if line != shown or patience.elapsed - shown_at >= HEARTBEAT:
            first = f" ({problems[0]})" if problems else ""
            progress(f"{line}{first}, {_times.stopwatch(patience.elapsed)} of {_times.stopwatch(patience.seconds)}")
            shown, shown_at = line, patience.elapsed
        if not patience.pause(POLL if enough is None else POLL / 2):
            if enough is not None and evidence.get("ready"):
                return now
            why = f" ({'; '.join(problems)})" if problems else ""
            raise Failure(
                f"{view.title} is not complete after {patience.seconds:g} s: {line}{why}. "
                "Check its events, or raise wait_timeout.",
                **evidence,
            )
