# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stdout callback for programs, as ansible.posix.json is, which ansible-core does not have: one JSON document at the
end.
"""

from __future__ import annotations

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: whole_json
type: stdout
short_description: Write the results as one JSON document
description: The results of all tasks, at the end of the play.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "whole_json"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.results = []

    def v2_runner_on_ok(self, result):
        self.results.append(dict(result.result))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.results.append(dict(result.result))

    def v2_playbook_on_stats(self, stats):
        self._display.display(json.dumps(self.results))
