# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of one module by another, in the same process: options in, result out.

A release calls the same code that a playbook calls task by task. The packages below know nothing of modules.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Run, Spec, Task

COMMON = (*CLUSTER_OPTIONS, *SERVER_OPTIONS, *lease_renewal.OPTION, "endpoint", "auth")


@dataclass(frozen=True)
class Module:
    """A module that can be called."""

    spec: Spec
    run: Run
    option: str = ""  # the caller's option with its options, for messages


@dataclass(frozen=True)
class Calls:
    """Calls of modules that share the options of the cluster, the server and the run."""

    common: dict[str, t.Any]

    @classmethod
    def of(cls, params: dict[str, t.Any]) -> Calls:
        """Return calls that share these options of the calling module."""
        return cls({name: params[name] for name in COMMON if name in params})

    def params(self, module: Module, **options: t.Any) -> dict[str, t.Any]:
        """Return the validated options of a call: the shared ones that the module has, and these. Raises Failure."""
        given = {name: value for name, value in self.common.items() if name in module.spec.options}
        given = _given({**given, **options})
        validated = ArgumentSpecValidator(module.spec.options, **module.spec.rules()).validate(given)
        if validated.error_messages:
            raise Failure(f"{module.option or 'The call'}: {'; '.join(validated.error_messages)}")
        parameters: dict[str, t.Any] = validated.validated_parameters
        return parameters

    def run(self, task: Task, module: Module, **options: t.Any) -> dict[str, t.Any]:
        """Return what the module returns. Raises its Failure."""
        return module.run(replace(task, params=self.params(module, **options)))


def _given(value: t.Any) -> t.Any:
    """Return a value without the None in it: a spec counts an option that is None as given."""
    if isinstance(value, dict):
        return {name: _given(one) for name, one in value.items() if one is not None}
    return [_given(one) for one in value] if isinstance(value, list) else value


def secrets(module: Module, options: dict[str, t.Any]) -> set[str]:
    """Return the values among these options that must not be shown (no_log)."""
    given = {name: value for name, value in options.items() if name in module.spec.options and value is not None}
    return set(ArgumentSpecValidator(module.spec.options).validate(given)._no_log_values)
