# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.doc_fragments.checks import ModuleDocFragment
from ansible_collections.mcp.server.plugins.module_utils._checks import run, validation
from ansible_collections.mcp.server.plugins.module_utils._checks.options import CHECKS, KINDS, kind


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"name": "a"}, "one of the following is required: mcp, http, pod, command"),
        ({"name": "a", "mcp": {"tool": "a"}, "command": {"argv": ["a"]}}, "mutually exclusive"),
        ({"mcp": {"tool": "a"}}, "missing required arguments: name"),
        ({"name": "a", "pod": {"command": ["a"], "pool": "red"}}, "must be one of: blue, green"),
        ({"name": "a", "http": {"url": "http://shop/", "method": "HEAD"}}, "must be one of: GET"),
    ],
)
def test_the_argument_spec_refuses(check: dict[str, t.Any], problem: str) -> None:
    assert problem in "; ".join(ArgumentSpecValidator({"checks": CHECKS}).validate({"checks": [check]}).error_messages)


def test_values_of_headers_and_variables_do_not_spoil_the_result_of_the_release() -> None:
    """no_log hides a value in the whole result: in weights where a variable is 1, in pools where one is blue."""
    check = {"name": "a", "command": {"argv": ["a"], "environment": {"TRIES": "1", "POOL": "blue"}}}
    assert not ArgumentSpecValidator({"checks": CHECKS}).validate({"checks": [check]})._no_log_values


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_a_check(name: str) -> None:
    assert kind({**dict.fromkeys(KINDS), name: {}}) == name


def test_every_kind_has_its_options_a_runner_and_what_may_be_wrong_with_it() -> None:
    assert set(KINDS) == set(run.KINDS) == set(validation._OF_KIND) == set(CHECKS["options"]) - {"name", "timeout"}


def test_the_documentation_is_that_of_the_options() -> None:
    def shape(option: dict[str, t.Any], nested: str) -> dict[str, t.Any]:
        keys = {key: option.get(key) for key in ("type", "elements", "choices", "default", "required")}
        return keys | {name: shape(each, nested) for name, each in option.get(nested, {}).items()}

    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["checks"]
    assert shape(documented, "suboptions") == shape(CHECKS, "options")
