# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of lookups that read variables of a host (see _variables.py)."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.mcp.server.plugins.plugin_utils import _variables


class ReadingLookup(LookupBase):
    def given(self, name: str, variables: t.Any) -> t.Any:
        """Return the value of a variable by inventory, -e and the like; None when it is not set."""
        return self._templar.template(variables[name]) if name in variables else None

    def read(self, name: str, variables: t.Any, default: bool = True) -> t.Any:
        """Return the value in its type, or the default. Raises AnsibleError, which names the variable."""
        try:
            given = self.given(name, variables)
            return None if not default and _variables.is_unset(given) else _variables.value(name, given)
        except _variables.Invalid as error:
            raise AnsibleError(str(error)) from None
        except AnsibleError as error:  # of its template
            raise AnsibleError(f"{name} cannot be read: {error}") from error

    def read_if_possible(self, name: str, variables: t.Any, strict: bool, default: bool = True) -> t.Any:
        """Return the same as read(). Unless strict, only warn about an invalid value that can be left out."""
        try:
            return self.read(name, variables, default)
        except AnsibleError as error:
            if strict or name not in _variables.known() or not _variables.can_be_left_out(name):
                raise
            self.warn(error)
            return _variables.value(name, None) if default else None

    @staticmethod
    def warn(problem: t.Any) -> None:
        Display().warning(f"{str(problem).rstrip('. ')}. Continuing as if it were not set.")
