#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_dependency_check
short_description: Try the database and other services that a server needs, with the server's own environment
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Runs a command for each dependency, such as C(SELECT 1) by C(psql), in a Job in the server's namespace, all side by
    side. Each has a verdict of its own.
  - The Job's container has the environment of the server's own container, with its references to Secrets and
    ConfigMaps, its ServiceAccount, its mounted Secrets and ConfigMaps, its user, and the nodes that the server may run
    on. So no secret is read here, and what the server would be refused, the Job is refused, too.
  - Each Job has a time limit (C(activeDeadlineSeconds)) and C(ttlSecondsAfterFinished), so the cluster ends and removes
    it when this task is killed. It meets the Pod Security level C(restricted), gets no token of the ServiceAccount
    unless that is asked for, and no traffic from any Service, as its pod is never ready.
  - What keeps a command from being run, such as a full quota, an image that cannot be pulled or a missing right, is
    V(cannot_measure). It fails the task like a dependency that does not answer.
  - Of the output of a failed command, the last lines are in the sentence, without secrets that have the name or the
    form of one.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: The API server is asked whether it would accept the Jobs. Nothing is created, and each check is skipped.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  dependencies:
    description: What the server needs. Without any, the only check is skipped.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name, such as V(database), in lower-case letters, digits, underscores and hyphens.
        type: str
        required: true
      command:
        description:
          - The command and its arguments. It passes when it ends with exit code 0 and O(dependencies[].expect).
          - Nothing in it is replaced. For variables name a shell, such as V([sh, -c, 'psql "$DATABASE_URL" -tAc "SELECT
            1"']).
        type: list
        elements: str
        required: true
      image_ref:
        description: The image that has the command, such as V(docker.io/library/postgres:15). The default is the
          server's own.
        type: str
      expect:
        description: A regular expression that the output must contain, such as V(^1$). C(^) and C($) are the ends of a
          line.
        type: str
      timeout:
        description: Seconds for the command, from when its container runs. The pod has 60 seconds to start.
        type: float
        default: 30.0
      env:
        description:
          - Further environment variables, as a container of Kubernetes has them (C(name) with C(value) or
            C(valueFrom)). They replace those of the server's container with the same name.
          - Give a secret by C(valueFrom), not by C(value).
        type: list
        elements: dict
        default: []
      env_from:
        description: Further Secrets and ConfigMaps whose keys become variables, as C(envFrom) of a container.
        type: list
        elements: dict
        default: []
      required:
        description: Whether the task fails by it. Otherwise its failure is a warning.
        type: bool
        default: true
      user:
        description:
          - The number of the user that the container runs as; V(0) leaves it to the image and the namespace, as
            OpenShift wants it.
          - The default is the one in the pod template, or for another image V(65534).
        type: int
      token:
        description: Whether the container gets the token of the server's ServiceAccount, as a login by it needs.
        type: bool
        default: false
  pool:
    description: The pool whose pod template gives environment, Secrets and image. The route says which one is V(live)
      and V(idle); without a live pool V(live) is blue.
    type: str
    choices: [blue, green, live, idle]
    default: live
  labels:
    description:
      - Labels of the Jobs' pods, such as those by which a NetworkPolicy selects the server's pods. By default no label
        of the server is set.
      - Labels that the Service of a pool selects are refused.
    type: dict
    default: {}
  ttl:
    description: Seconds after which the cluster removes a Job that has ended, when this task did not delete it.
    type: int
    default: 60
seealso:
  - module: mcp.server.mcp_debug
  - module: mcp.server.mcp_preflight
"""

EXAMPLES = r"""
- name: Try the database and the other services of the server
  mcp.server.mcp_dependency_check:
    namespace: mcp-prod
    server: mcp-server
    dependencies:
      - name: database
        image_ref: docker.io/library/postgres:15
        command: [sh, -c, 'psql "$DATABASE_URL" -tAc "SELECT 1"']
        expect: ^1$
      - name: external-services
        command: [./health-check, --external-services]

- name: Try the database from under the NetworkPolicy of the server's pods
  mcp.server.mcp_dependency_check:
    namespace: mcp-prod
    server: mcp-server
    pool: idle
    labels:
      app: mcp-server
    dependencies:
      - name: database
        command: [./health-check, --database]
"""

RETURN = r"""
checks:
  description: A result for each dependency, in their order.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: C(dependency_) and the name of the dependency; C(dependencies) when none is declared.
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) in check mode and where none is declared, or V(cannot_measure) where
        the command could not be run.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    required:
      description: Whether the module fails by it.
      type: bool
    skipped:
      description: Whether it was not made.
      type: bool
    message:
      description: What was found; of a failure also what to do.
      type: str
    seconds:
      description: How long it took.
      type: float
  sample:
    - id: dependency_database
      name: dependency database
      verdict: passed
      ok: true
      required: true
      skipped: false
      message: Dependency database answers as the server needs it.
      seconds: 2.4
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_dependency_check import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
