# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: plain
short_description: Another process as the same user
description: Needs neither sudo nor its password. See test_every_module.py.
author: the mcp.server authors
options:
  become_user:
    description: Not used.
    vars: [{name: ansible_become_user}]
  become_flags:
    description: Not used.
    vars: [{name: ansible_become_flags}]
"""


class BecomeModule(BecomeBase):
    name = "plain"

    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        return f"env K8S_AUTH_HOST=http://127.0.0.1:1 {self._build_success_command(cmd, shell)}" if cmd else cmd
