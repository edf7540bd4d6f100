# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError

from ansible_collections.mcp.server.plugins.lookup.check_variables import LookupModule
from ansible_collections.mcp.server.plugins.plugin_utils import _core_version
from ansible_collections.mcp.server.plugins.plugin_utils._core_version import OLDEST, problem

RUNTIME = Path(__file__).parents[4] / "meta" / "runtime.yml"


@pytest.mark.parametrize("version", ["2.16.19", "2.18.0", "2.9", "1.9.4"])
def test_an_older_one_is_named_with_what_to_install(version, monkeypatch):
    monkeypatch.setattr("sys.executable", "/opt/bin/python3")
    assert problem(version) == (
        f"mcp.server needs ansible-core 2.19 or newer, and this is {version} of /opt/bin/python3. "
        "Install ansible-core>=2.19, or use an execution environment that has it (in AWX: of the job template)."
    )


@pytest.mark.parametrize("version", ["2.19.0", "2.19.0b7", "2.21.5", "2.22.0.dev0", "3.0.0"])
def test_a_newer_one_is_fine(version):
    assert problem(version) == ""


def test_it_is_the_version_that_ansible_warns_of():
    assert yaml.safe_load(RUNTIME.read_text())["requires_ansible"] == f">={'.'.join(map(str, OLDEST))}.0"


def test_a_playbook_fails_at_its_start_and_an_emergency_goes_on(monkeypatch):
    monkeypatch.setattr(_core_version, "problem", lambda: "It is too old.")
    warned = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda self, text, *rest, **more: warned.append(text))
    lookup = LookupModule(loader=None, templar=None)
    with pytest.raises(AnsibleError, match="^It is too old"):
        lookup.run(["status"], {"inventory_hostname": "a"})
    monkeypatch.setattr(lookup, "read", lambda name, variables: [])
    assert lookup.run(["rollback"], {"inventory_hostname": "a"}, strict=False) == [True]
    assert warned == ["It is too old."]
