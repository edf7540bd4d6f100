# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another client that puts things back every few seconds, as Argo CD's self-heal does; with either kind of apply."""

from __future__ import annotations

import copy
import json
import subprocess
import threading
import time
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field

Object = dict[str, t.Any]
ARGO_CD = "argocd-controller"
HOW = ("client-side", "server-side")
GROUPS = {"HTTPRoute": "gateway.networking.k8s.io", "Deployment": "apps", "HorizontalPodAutoscaler": "autoscaling"}


class Kubectl(t.Protocol):
    def __call__(self, *words: str, stdin: str | None = None) -> str: ...


@dataclass
class Loop:
    """times: how often it was applied so far. errors: what kubectl said when it could not."""

    times: int = 0
    errors: list[str] = field(default_factory=list)


def as_in_git(kubectl: Kubectl, namespace: str, kind: str, name: str, app: str = "shop") -> Object:
    """Return the manifest of an object as it is now, with the mark of an application of Argo CD."""
    found = json.loads(kubectl("-n", namespace, "get", f"{kind}.{GROUPS[kind]}", name, "-o", "json"))
    tracking = f"{app}:{GROUPS[kind]}/{kind}:{namespace}/{name}"
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": found["metadata"].get("labels", {}),
        "annotations": {"argocd.argoproj.io/tracking-id": tracking},
    }
    return {"apiVersion": found["apiVersion"], "kind": kind, "metadata": metadata, "spec": found["spec"]}


def without(manifest: Object, *fields: str) -> Object:
    """Return the manifest without these fields of its spec."""
    left = copy.deepcopy(manifest)
    for name in fields:
        left["spec"].pop(name, None)
    return left


def apply(kubectl: Kubectl, manifest: Object, how: str, manager: str = ARGO_CD) -> None:
    """Apply it once. how: of HOW. Server-side apply takes the fields from whoever has them."""
    force = ("--server-side", "--force-conflicts") if how == "server-side" else ()
    kubectl("apply", *force, f"--field-manager={manager}", "-f", "-", stdin=json.dumps(manifest))


@contextmanager
def puts_back(kubectl: Kubectl, manifest: Object, how: str, manager: str = ARGO_CD, every: float = 3.0, after: float = 0.0) -> t.Iterator[Loop]:
    """Apply it every few seconds for as long as the block lasts. after: seconds before the first time."""
    loop, stop = Loop(), threading.Event()

    def work() -> None:
        pause = after
        while not stop.wait(pause):
            begun = time.monotonic()
            try:
                apply(kubectl, manifest, how, manager)
                loop.times += 1
            except (subprocess.SubprocessError, OSError) as error:
                loop.errors.append(str(getattr(error, "stderr", "") or error))
            pause = max(0.0, every - (time.monotonic() - begun))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        stop.set()
        thread.join(60)
