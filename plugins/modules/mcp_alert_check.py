#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_alert_check
short_description: Check that the rules of alerts are loaded, and that a test alert reaches its receiver
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Looks whether Prometheus has loaded the rules of O(rules), evaluates them without an error, and sends alerts to an
    Alertmanager.
  - Sends a test alert to Alertmanager, with labels of its own, and waits until its receiver is notified. Before that it
    works out by Alertmanager's configuration which receivers such an alert would reach. It sends nothing unless that is
    O(test_receiver) alone, so nobody is woken. Alertmanager's own answer is compared as well, before anybody is
    notified.
  - The receiver is notified when C(alertmanager_notifications_total) of its integrations rises and no counter of
    failures does, within C(group_wait) and 10 seconds; or, with O(receiver_listen), when the notification arrives.
  - The test alert is ended at once afterwards. When this task is killed, Alertmanager ends it by itself
    (C(resolve_timeout)).
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.prometheus
  - mcp.server.alertmanager
  - mcp.server.attributes
  - mcp.server.attributes.action_group
attributes:
  check_mode:
    support: full
    details: No alert is sent, and nothing listens. All else is looked at.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  rules:
    description: The names of the alerts that Prometheus must have rules for. Without any, these checks are skipped.
    type: list
    elements: str
    default: []
  test_receiver:
    description: The receiver in Alertmanager that the test alert must reach, and no other. Without it, none is sent.
    type: str
  test_labels:
    description:
      - The labels by which Alertmanager routes the test alert. It also has C(alertname) with a name of its own,
        C(mcp_server) and C(mcp_test_id).
      - It has no C(namespace), as a release silences the alerts of its namespace.
    type: dict
    default:
      mcp_test: "true"
  receiver_listen:
    description:
      - C(HOST:PORT) at which this task listens for the notification, an address of the machine that runs the play. The
        webhook of O(test_receiver) has its URL.
      - Another test may listen there at the same time; it is waited for 30 seconds.
    type: str
  timeout:
    description: Seconds that one request to Alertmanager may take, such as V(2.5).
    type: float
    default: 5.0
seealso:
  - module: mcp.server.mcp_silence
  - module: mcp.server.mcp_gate
"""

EXAMPLES = r"""
- name: Check the alerts of the server, from the rule to the receiver
  mcp.server.mcp_alert_check:
    namespace: mcp-prod
    server: mcp-server
    prometheus:
      url: https://prometheus.example.com
    alertmanager:
      url: https://alertmanager.example.com
    rules: [McpServerErrors, McpServerSlow, McpServerMemory]
    test_receiver: mcp-test

- name: Wait for the notification at this machine
  mcp.server.mcp_alert_check:
    namespace: mcp-prod
    server: mcp-server
    alertmanager:
      url: https://alertmanager.example.com
    test_receiver: mcp-test
    receiver_listen: 10.20.0.5:9099
"""

RETURN = r"""
checks:
  description: The checks, in the order in which they were made.
  returned: always, once the options were found right
  type: list
  elements: dict
  contains:
    id:
      description: C(alert_rules), C(alert_sender), C(alert_route) or C(alert_notification).
      type: str
    name:
      description: The same for people.
      type: str
    verdict:
      description: V(passed), V(failed), V(skipped) where nothing is asked for, or V(cannot_measure), such as without an
        answer of Alertmanager.
      type: str
    ok:
      description: Whether it passed or was skipped.
      type: bool
    required:
      description: Whether the module fails by it. It is always true.
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
    - id: alert_notification
      name: notification of the test alert
      verdict: passed
      ok: true
      required: true
      skipped: false
      message: Alertmanager notified receiver mcp-test (webhook) of the test alert within 1.5 s, and nobody else.
      seconds: 1.7
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_alert_check import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
