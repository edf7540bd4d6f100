# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of one module by another, in the same process: options in, result out.

The rooms below know nothing of modules. What is wired together here (a release from its first weight to its end)
is the same code that a playbook calls one by one.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Run, Spec, Task

COMMON = (*CLUSTER_OPTIONS, *SERVER_OPTIONS, *lease_renewal.OPTION, "endpoint", "pool_key")


@dataclass(frozen=True)
class Module:
    """A module that can be called. option: the option whose value it gets, for what is said about a mistake in it."""

    spec: Spec
    run: Run
    option: str = ""


@dataclass(frozen=True)
class Calls:
    """What every module that is called has in common: where the cluster and the server are, and the run."""

    common: dict[str, t.Any]

    @classmethod
    def of(cls, params: dict[str, t.Any]) -> Calls:
        """Return calls that have this in common with the module of these options."""
        return cls({name: params[name] for name in COMMON if name in params})

    def params(self, module: Module, **options: t.Any) -> dict[str, t.Any]:
        """Return the validated options of a call; of those in common what the module takes. Raises Failure for one that it does not take."""
        given = {name: value for name, value in self.common.items() if name in module.spec.options}
        given = _given({**given, **options})
        validated = ArgumentSpecValidator(module.spec.options, **module.spec.rules()).validate(given)
        if validated.error_messages:
            raise Failure(f"{module.option or 'The call'}: {'; '.join(validated.error_messages)}")
        return validated.validated_parameters

    def run(self, task: Task, module: Module, **options: t.Any) -> dict[str, t.Any]:
        """Return what the module returns. Raises its Failure."""
        return module.run(replace(task, params=self.params(module, **options)))


def _given(value: t.Any) -> t.Any:
    """Return a value without what is None in it: to a spec an option that is there and None is one of two that exclude each other."""
    if isinstance(value, dict):
        return {name: _given(one) for name, one in value.items() if one is not None}
    return [_given(one) for one in value] if isinstance(value, list) else value


def secrets(module: Module, options: dict[str, t.Any]) -> set[str]:
    """Return the values among these options that must not be shown."""
    given = {name: value for name, value in options.items() if name in module.spec.options and value is not None}
    return set(ArgumentSpecValidator(module.spec.options).validate(given)._no_log_values)
