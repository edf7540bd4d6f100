#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_rollout
short_description: Change the image or the size of a pool, and wait until the rollout has finished
version_added: 1.0.0
author: "the mcp.server authors (@mcp-server)"
description:
  - Sets the image, the number of replicas, or both on the Deployment or StatefulSet of one pool by one patch, and waits
    until exactly that is ready and available.
  - Does not wait for the time-out when the rollout can't succeed. It fails at once with the reason that the cluster
    gives when an image can't be pulled, the server's container crashes again and again or can't be created, or the
    Deployment's own deadline has passed; and after O(ready_grace) when no node takes a pod, a Secret is missing, a
    volume is not mounted, a quota refuses the pods, or no new pod gets ready.
  - Only what has happened since the change counts, and only in the server's own container (O(container)). Init
    containers and sidecars have until O(wait_timeout), whatever they report. So has what the kubelet tries again
    because it could not reach a registry or the API server, and a pod for which an autoscaler adds a node. All of it is
    shown with the progress.
  - Fails as soon as somebody else puts the image back while it waits, or makes the pool smaller where no autoscaler
    works on it. It names who did it, and the command that suspends a GitOps tool (C(docs/gitops.md)).
  - With O(replicas=0) it waits until the pods are gone.
  - A StatefulSet that is C(OrderedReady) replaces no pod while one of a former revision is not ready, also once its
    image was put back. Then it is scaled to the size at which that pod is gone, and up again, unless ready pods that
    have traffic or volumes would be lost (C(docs/release.md)). Another image is refused for one whose
    C(updateStrategy) would keep pods as they are.
  - When the API server was away meanwhile it ends no sooner than a minute after that, and when the pods are endpoints
    (or after 3 minutes), so that a gateway's controller, which pauses for up to a minute, has heard of the pods before
    it hears of their weight.
  - Where a HorizontalPodAutoscaler works on the pool, its C(minReplicas) is raised to O(replicas), up to its
    C(maxReplicas); the former value is kept in its annotation C(mcp.server/min-replicas) and given back when the
    release or rollback ends (M(mcp.server.mcp_release)). Going down, but for 0, is left to the autoscaler. 0 switches
    it off, as Kubernetes has it.
  - A pool gets no fewer pods than it has while the route gives it traffic. The route is read right before and right
    after; when somebody gave it traffic in between, the pool gets its pods back and this fails.
  - How long it took is noted in the release record, when it is the release that runs.
  - Before a pool without traffic is scaled to 0, sessions with its mark (C(docs/sessions.md)) are sent to the other
    pool, whose 404 makes their clients start anew; nobody would answer them but the gateway.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: The API server validates the patch and stores nothing (C(dryRun=All)); nothing is waited for.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  pool:
    description: The pool to change.
    type: str
    required: true
    choices: [blue, green]
  image_ref:
    description: The image that the pool's container shall run, with its tag or digest. Without it the image stays.
    type: str
  replicas:
    description: How many pods the pool shall have. Without it the number stays.
    type: int
  wait_timeout:
    description: Seconds that the rollout may take.
    type: float
    default: 600.0
  ready_grace:
    description:
      - Seconds that a pod may stay in a state that can pass by itself, which are no node for it, no Secret or volume
        yet, a quota that has no room, and a readiness probe that fails.
      - The last is counted from the start of the container, after the probe's own initial delay and its first period,
        and not while a startup probe goes on.
      - Raise it where nodes are added on demand, and no event on the pod says so.
    type: float
    default: 30.0
  keep_logs:
    description:
      - Keep the last lines of the pods that this change ends in the ConfigMap of the release record, for
        M(mcp.server.mcp_report), as a rollback does with those of the bad pool.
      - At most 200 lines and 32 KiB of a container, also of the run before its last restart, of at most 10 pods, and
        200 KiB in all. Passwords, tokens, private keys and the like are left out.
      - It takes a few seconds at most. What fails is a warning. It needs the right to get C(pods/log).
    type: bool
    default: false
notes:
  - Reasons are more exact with the right to list events; it does without.
  - Without the right to list autoscalers it finds those that have the name of their Deployment or StatefulSet, or
    C(keda-hpa-) before it, and warns that there may be others.
  - Without the right to list budgets it warns, and does without.
seealso:
  - module: mcp.server.mcp_version_check
  - module: mcp.server.mcp_traffic_shift
"""

EXAMPLES = r"""
- name: Deploy a version to the green pool
  mcp.server.mcp_rollout:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    image_ref: ghcr.io/org/mcp-server:v1.2.0
    replicas: 3

- name: Scale the green pool down, once its traffic has left
  mcp.server.mcp_rollout:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    replicas: 0
"""

RETURN = r"""
workload:
  description: Kind, namespace and name of the pool's Deployment or StatefulSet.
  returned: always, once it was read
  type: str
  sample: Deployment mcp-prod/mcp-server-green
image_ref:
  description: The image that the workload has now, or would have.
  returned: always, once the workload was read
  type: str
  sample: ghcr.io/org/mcp-server:v1.2.0
replicas:
  description: The number of pods that the workload has now, or would have.
  returned: always, once the workload was read
  type: int
  sample: 3
previous:
  description: What the workload had before.
  returned: always, once the workload was read
  type: dict
  contains:
    image_ref:
      description: The image.
      type: str
    replicas:
      description: The number of pods.
      type: int
  sample: {"image_ref": "ghcr.io/org/mcp-server:v1.1.5", "replicas": 0}
autoscaler:
  description: The HorizontalPodAutoscaler of the pool; null when there is none, or O(replicas) is not given.
  returned: always, once the workload was read
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    min_replicas:
      description: Its C(minReplicas) now, or what it would be.
      type: int
    original_min_replicas:
      description: What its owner gave it.
      type: int
  sample: {"name": "mcp-server-green", "min_replicas": 3, "original_min_replicas": 2}
kept_logs:
  description: What was kept of the logs; null when nothing was.
  returned: always, once the workload was changed
  type: dict
  contains:
    pool:
      description: The pool.
      type: str
    logs:
      description: How many logs, one for each container, and one for each that ran before a restart.
      type: int
    lines:
      description: How many lines.
      type: int
    pods_left_out:
      description: How many pods were too many.
      type: int
  sample: {"pool": "green", "logs": 3, "lines": 240, "pods_left_out": 0}
ready:
  description: How many pods of the new revision are ready.
  returned: not in check mode
  type: int
  sample: 3
revision:
  description: The workload's revision, as C(kubectl rollout history) shows it. Of a StatefulSet it is empty without the
    right to list ControllerRevisions.
  returned: success, not in check mode
  type: str
  sample: "7"
seconds:
  description: How long it was waited.
  returned: not in check mode
  type: float
  sample: 12.4
reason:
  description: The cluster's word for why the rollout can't succeed, such as V(ImagePullBackOff); empty when it only
    took too long.
  returned: when the wait failed
  type: str
  sample: CrashLoopBackOff
problems:
  description: For each pod that will not become ready as it is, why.
  returned: when the wait failed
  type: list
  elements: str
  sample: ["pod mcp-server-green-6d4b: container mcp-server was restarted 2 times, last after exit code 137
    (OOMKilled)"]
overwritten:
  description: What another client changed, as RV(mcp.server.mcp_traffic_shift#module:overwritten).
  returned: on failure, when that is why
  type: dict
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_rollout import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
