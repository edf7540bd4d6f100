# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others say goes through results, filters and facts of a play, and is a template in none of them."""

from __future__ import annotations


def test_results_filters_and_facts(play, tmp_path):
    file = tmp_path / "ran"
    hostile = tmp_path / "hostile"
    hostile.write_text("{{ lookup('pipe', 'touch %s') }}{%% set x = 1 %%}" % file)  # noqa: UP031
    tasks = [
        {"ansible.builtin.command": {"argv": ["cat", str(hostile)]}, "register": "said"},
        {
            "ansible.builtin.set_fact": {
                "cause": "{{ {'msg': said.stdout} | mcp.server.failure_message }}",
                "refusal": "{{ {'msg': said.stdout} | mcp.server.release_refusal(said.stdout) }}",
                "escalation": "{{ [{'name': said.stdout}] | mcp.server.escalation }}",
            }
        },
        {"ansible.builtin.set_fact": {"again": "{{ cause }} {{ refusal }} {{ escalation }}"}},
        {"ansible.builtin.debug": {"msg": "{{ again }}"}},
        {"ansible.builtin.fail": {"msg": "{{ cause }}"}},
    ]
    output, _errors = play(tasks).communicate(timeout=120)
    assert "lookup('pipe'" in output and "set x = 1" in output, output
    assert not file.exists()
