#!/usr/bin/python
# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_replay_info
short_description: Replay a past release of an MCP server against the gates
version_added: 1.0.0
author:
  - the mcp.server authors (@mcp-server)
description:
  - Tells whether a release would have passed its gates, and if not, which one would have taken it back and at what
    second.
  - Every 5 seconds of the interval it judges as M(mcp.server.mcp_watch) does, by the samples that Prometheus had by
    then. The watch's own requests through the gateway are not among them; a watch that goes on may be told by those
    before its metrics tell.
  - After the first breach it goes on as if nothing had happened, to tell of the other gates too. What a real rollback
    did is in the samples.
  - With other limits it tells what they would have done.
extends_documentation_fragment:
  - mcp.server.cluster
  - mcp.server.server
  - mcp.server.run_id.unused
  - mcp.server.prometheus
  - mcp.server.attributes
  - mcp.server.attributes.action_group
  - mcp.server.attributes.read_only
options:
  prometheus:
    required: true
  release_id:
    description:
      - The id of a release in the release record. Its steps are judged, each from its time until the next one. Without
        it and O(from), the newest.
      - It can be one that goes on.
    type: str
  from:
    description: The beginning of an interval that is judged instead, in ISO 8601; UTC, when it does not say.
    type: str
  to:
    description: Its end. Without it, now. An interval may have 12 hours.
    type: str
  pool:
    description: The pool that is judged in the interval. Gates that compare take the other one as the live one.
    type: str
    choices: [blue, green]
  checks:
    description: V(shift) judges the gates that a step is passed by, V(triggers) those whose breach takes the release
      back.
    type: list
    elements: str
    choices: [shift, triggers]
    default: [shift, triggers]
  gates:
    description: Changes of the gates of a step, by name, and gates of your own, as in M(mcp.server.mcp_gate).
    type: dict
    default: {}
  triggers:
    description: Changes of the triggers, likewise.
    type: dict
    default: {}
  seconds:
    description: What is judged at once, and not by a window, is judged over so many seconds of a step, its last ones.
    type: float
    default: 600.0
"""

EXAMPLES = r"""
- name: Replay the newest release
  mcp.server.mcp_replay_info:
    namespace: mcp-prod
    server: mcp-server
    prometheus:
      url: https://prometheus.example.com
      token_env: PROMETHEUS_TOKEN
  register: replay

- name: Replay last Tuesday's release with a limit of 2 % and one minute
  mcp.server.mcp_replay_info:
    namespace: mcp-prod
    server: mcp-server
    release_id: 2026-11-17T11:20:00.000Z-v1.2.0
    triggers:
      errors:
        limit: 2
        window: 60
    prometheus:
      url: https://prometheus.example.com

- name: Replay an hour of the live pool
  mcp.server.mcp_replay_info:
    namespace: mcp-prod
    server: mcp-server
    pool: green
    from: "2026-11-17T11:00:00Z"
    to: "2026-11-17T12:00:00Z"
    checks: [triggers]
    prometheus:
      url: https://prometheus.example.com
"""

RETURN = r"""
verdict:
  description: What it would have come to, C(pass), C(breach) (rolled back), or C(inconclusive) when something could not
    be told at the end of a step.
  returned: success
  type: str
  sample: breach
first_breach:
  description: What would have rolled back first; nothing when nothing would have. All times are by Prometheus' clock.
  returned: success
  type: dict
  contains:
    gate:
      description: The gate's name.
      type: str
    kind:
      description: C(trigger), which rolls back at any time, or C(gate), which does at the end of a step.
      type: str
    since:
      description: Since when it was past its limit; nothing for what is judged at once.
      type: str
      sample: "2026-11-17T11:21:03.218Z"
    window_full:
      description: When the window was full; nothing for what is judged at once.
      type: str
      sample: "2026-11-17T11:23:03.218Z"
    reported:
      description: When a poll would have reported it.
      type: str
      sample: "2026-11-17T11:23:05.000Z"
    value:
      description: The value then, in the gate's unit.
      type: float
    weight:
      description: Percent of the traffic that the pool had; nothing for an interval.
      type: int
    reason:
      description: Why it does not pass.
      type: str
gates:
  description: Each trigger, then each gate of a step.
  returned: success
  type: list
  elements: dict
  contains:
    gate:
      description: Its name.
      type: str
    kind:
      description: C(trigger) or C(gate).
      type: str
    limit:
      description: The limit, in its unit.
      type: float
    unit:
      description: The unit, such as C(%) or C(s).
      type: str
    window:
      description: Seconds that the value has to be past the limit for a breach; nothing where the whole time is judged
        at once.
      type: float
    verdict:
      description: The last one, C(pass), C(breach), C(no_data) or C(cannot_measure).
      type: str
    outcome:
      description: C(breach) when it would have rolled back, or else what the last verdict comes to by the gate's
        policy.
      type: str
    reason:
      description: That of the last verdict; empty when it passed.
      type: str
    worst:
      description: The value furthest past the limit, or nearest to it; nothing when there was none.
      type: float
    seconds_past:
      description: How long it was past the limit altogether.
      type: float
    seconds_no_data:
      description: How long there was nothing, or too little, to tell by.
      type: float
    seconds_cannot_measure:
      description: How long Prometheus did not see the server.
      type: float
    breach:
      description: The first breach that would have rolled back, with the keys of RV(first_breach) but C(gate) and
        C(kind); nothing when there was none.
      type: dict
    verdicts:
      description: Its verdicts one after the other, each with C(verdict), C(from) and C(to).
      type: list
      elements: dict
steps:
  description:
    - What would have been decided at the end of each step, with C(weight), C(from), C(to), C(verdict) and C(reason). An
      interval is one step.
  returned: success
  type: list
  elements: dict
release:
  description: The C(id), C(started), C(ended) and C(outcome) of the release; nothing for an interval.
  returned: success
  type: dict
pool:
  description: The pool that was judged.
  returned: success
  type: str
from:
  description: The beginning of what was judged.
  returned: success
  type: str
to:
  description: Its end.
  returned: success
  type: str
polls:
  description: How many times it was judged.
  returned: success
  type: int
lines:
  description: The same as a table for people.
  returned: success
  type: list
  elements: str
html:
  description: The same as one HTML file, with a plot for each gate. It needs nothing else.
  returned: success
  type: str
"""

from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_replay_info import SPEC, run
from ansible_collections.mcp.server.plugins.module_utils._task import main

if __name__ == "__main__":
    main(SPEC, run)
