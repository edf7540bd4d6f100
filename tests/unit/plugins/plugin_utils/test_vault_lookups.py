# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _vault
from ansible_collections.mcp.server.plugins.module_utils._vault import Trouble
from ansible_collections.mcp.server.plugins.plugin_utils import _vault_lookups


class Forbidden(Exception):
    pass


class Lookup:
    def __init__(self, answer):
        self.answer = answer

    def run(self, terms, variables, **options):
        if isinstance(self.answer, Exception):
            raise ValueError("planted-value") from self.answer
        return [(terms, options)] if self.answer else []


@pytest.fixture
def loaded(monkeypatch):
    """Return a function that installs a lookup."""

    def load(lookup):
        monkeypatch.setattr(_vault_lookups, "_is_installed", lambda: True)
        monkeypatch.setattr(_vault_lookups.lookup_loader, "get", lambda name: lookup)

    return load


def test_without_the_collection():
    with pytest.raises(Trouble) as trouble:
        _vault_lookups.ask("vault_read", "a", {})
    assert trouble.value.kind == _vault.MISSING


def test_an_answer(loaded):
    loaded(Lookup(True))
    assert _vault_lookups.ask("vault_read", "a", {"url": "x"}) == (["a"], {"url": "x"})
    assert _vault_lookups.ask("vault_login", "", {}) == ([], {})


def test_no_answer(loaded):
    loaded(Lookup(False))
    assert _vault_lookups.ask("vault_read", "a", {}) is None


def test_a_failure_keeps_its_kind_and_none_of_its_text(loaded):
    loaded(Lookup(Forbidden("planted-value")))
    with pytest.raises(Trouble) as trouble:
        _vault_lookups.ask("vault_read", "a", {})
    assert trouble.value.kind == _vault.DENIED
    assert "planted" not in f"{trouble.value}{trouble.value.detail}" and trouble.value.__cause__ is None


def test_an_old_version_of_the_collection(loaded):
    loaded(None)
    with pytest.raises(Trouble) as trouble:
        _vault_lookups.ask("vault_write", "a", {})
    assert (trouble.value.kind, trouble.value.detail) == (_vault.MISSING, "its version has no lookup vault_write")
