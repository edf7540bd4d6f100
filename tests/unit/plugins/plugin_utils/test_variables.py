# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER
from ansible_collections.mcp.server.plugins.plugin_utils import _variables

ROOT = Path(__file__).parents[4]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
STEPS = [{"weight": 10, "seconds": 3.0}, {"weight": 100, "seconds": 1.5}]


@pytest.mark.parametrize(
    ("name", "given", "means"),
    [
        ("mcp_guard", "false", False),
        ("mcp_guard", "False", False),
        ("mcp_guard", " no ", False),
        ("mcp_guard", "yes", True),
        ("mcp_guard", 0, False),
        ("mcp_contract_check", "", True),
        ("mcp_contract_check", None, True),
        ("mcp_contract_check", "false", False),
        ("mcp_warm_replicas", "", None),
        ("mcp_warm_replicas", "  ", None),
        ("mcp_warm_replicas", "0", 0),
        ("mcp_warm_replicas", 0, 0),
        ("mcp_warm_replicas", "3", 3),
        ("mcp_warm_seconds", "2.5", 2.5),
        ("mcp_warm_seconds", "", 900),
        ("mcp_steps", json.dumps([{"weight": "10", "seconds": "3"}, {"weight": 100, "seconds": "1.5"}]), STEPS),
        ("mcp_steps", "- {weight: 10, seconds: 3}\n- {weight: 100, seconds: 1.5}\n", STEPS),
        ("mcp_steps", ['{"weight": 10, "seconds": 3}', {"weight": "100", "seconds": "1.5"}], STEPS),
        ("mcp_steps", "[]", []),
        ("mcp_contract_accept", "tools/a, tools/b", ["tools/a", "tools/b"]),
        ("mcp_contract_accept", '["tools/a"]', ["tools/a"]),
        ("mcp_contract_accept", "tools/a", ["tools/a"]),
        (
            "mcp_endpoint",
            '{"url": "http://x", "timeout": "3"}',
            {"url": "http://x", "timeout": "3"},
        ),  # the module's to convert
        ("mcp_endpoint", "{}", {}),
        ("mcp_blue", " weather ", "weather"),
        ("mcp_blue", "", None),
        ("mcp_blue", "123", "123"),
        ("mcp_blue", "on", "on"),
        ("mcp_blue", {"service": "w"}, {"service": "w"}),
        ("mcp_blue", '{"deployment": "weather", "service": "w"}', {"deployment": "weather", "service": "w"}),
        ("mcp_green", "stateful_set: weather\nservice: w\n", {"stateful_set": "weather", "service": "w"}),
        ("mcp_green", "{'deployment': 'weather'}", {"deployment": "weather"}),
        ("mcp_port", "3000", 3000),
        ("mcp_endpoint", "null", None),
        ("mcp_steps", " ~ ", _variables.value("mcp_steps", None)),
        ("mcp_contract_accept", "2026-11-01", ["2026-11-01"]),
        ("mcp_contract_accept", "yes", ["yes"]),
        (
            "mcp_route_custom",
            '{"api_version": "v1", "kind": "T", "total": "10", "green": ""}',
            {"api_version": "v1", "kind": "T", "total": 10},
        ),
        ("mcp_route_nearest", "true", True),
        ("mcp_report_dir", "", ""),
        ("mcp_replay_dest", "", None),
        ("mcp_rollback_version", 1.1, 1.1),  # the module's to refuse
        ("mcp_sessions", "drain", "drain"),
        ("mcp_api_timeout", "3", 3.0),
        ("mcp_api_timeout", ".5", 0.5),
        ("mcp_api_timeout", "1e-3", 0.001),
        ("mcp_api_timeout", 1e-07, 1e-07),
        ("mcp_warm_replicas", "1_000", 1000),
        ("mcp_warm_replicas", " +3.0\n", 3),
        ("mcp_warm_replicas", 3.0, 3),
        ("mcp_sessions", " drain\n", "drain"),
        ("mcp_contract_accept", "tools/a\ntools/b\n", ["tools/a", "tools/b"]),  # a survey's text area
    ],
)
def test_what_a_value_means(name, given, means):
    found = _variables.value(name, given)
    assert repr(found) == repr(means)  # True is no 1


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("mcp_guard", "maybe", "mcp_guard must be true or false, not 'maybe'."),
        ("mcp_guard", 2, "mcp_guard must be true or false, not 2."),
        ("mcp_guard", [], "mcp_guard must be true or false, not a list."),
        ("mcp_warm_seconds", "soon", "mcp_warm_seconds must be a number, not 'soon'."),
        ("mcp_warm_seconds", "nan", "mcp_warm_seconds must be a number, not 'nan'."),
        ("mcp_warm_seconds", "-1", "mcp_warm_seconds must be a number, not '-1'."),
        ("mcp_warm_seconds", True, "mcp_warm_seconds must be a number, not True."),
        ("mcp_warm_replicas", "1.5", "mcp_warm_replicas must be a whole number, not '1.5'."),
        ("mcp_steps", "soon", "mcp_steps must be a list, or one as JSON or YAML."),
        ("mcp_steps", {"weight": 1}, "mcp_steps must be a list, or one as JSON or YAML."),
        ("mcp_steps", [7], "mcp_steps[0] must be a dictionary, or one as JSON or YAML."),
        ("mcp_steps", [{"weight": 1, "seconds": "soon"}], "mcp_steps[0].seconds must be a number, not 'soon'."),
        ("mcp_steps", [{"weight": 1}], "mcp_steps[0] needs seconds."),
        (
            "mcp_steps",
            [{"weight": 1, "seconds": 1, "secs": 2}],
            "mcp_steps[0] has no key 'secs'; it may have weight, seconds.",
        ),
        ("mcp_endpoint", "[1", "mcp_endpoint must be a dictionary, or one as JSON or YAML."),
        ("mcp_endpoint", "a: &a [1]\nb: [*a, *a]", "mcp_endpoint must be a dictionary"),
        ("mcp_endpoint", "a: [" + "1," * 100_000, "mcp_endpoint must be a dictionary"),
        ("mcp_contract_accept", {"a": 1}, "mcp_contract_accept must be a list, or one as JSON or YAML."),
        ("mcp_auth", "s3cret-token", "mcp_auth must be a dictionary, or one as JSON or YAML."),
        ("mcp_sessions", "lose", "mcp_sessions must be one of keep, drain, break, not 'lose'."),
        ("mcp_sessions", "x" * 1000, f"mcp_sessions must be one of keep, drain, break, not '{'x' * 59}...."),
        ("mcp_replay_checks", '["shift", "x"]', "mcp_replay_checks[1] must be one of shift, triggers, not 'x'."),
        ("mcp_image", {"a": 1}, "mcp_image must be text, not a dict."),
        ("mcp_rollback_pool", "purple", "mcp_rollback_pool must be one of blue, green, not 'purple'."),
        ("mcp_endpoint", "[" * 100_000, "mcp_endpoint must be a dictionary"),
        # Digits for which Python takes minutes, or which it does not show
        ("mcp_warm_replicas", "1e999999999", "mcp_warm_replicas must be a whole number, not '1e999999999'."),
        ("mcp_warm_replicas", "9" * 10_000, "mcp_warm_replicas must be a whole number, not '999"),
        ("mcp_warm_replicas", 10**400, "mcp_warm_replicas must be a whole number, not 1000"),
        pytest.param(
            "mcp_warm_seconds",
            10**5000,
            "mcp_warm_seconds must be a number, not a number with too many digits.",
            id="more digits than Python shows",
        ),
        ("mcp_warm_seconds", float("inf"), "mcp_warm_seconds must be a number, not inf."),
        (
            "mcp_steps",
            [{"weight": "1e999999999", "seconds": 1}],
            "mcp_steps[0].weight must be a whole number, not '1e999999999'.",
        ),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str) else None,
)
def test_what_cannot_be_meant_is_a_sentence_that_names_the_variable(name, given, says):
    with pytest.raises(_variables.Invalid) as raised:
        _variables.value(name, given)
    assert str(raised.value).startswith(says)


def test_what_says_which_server_cluster_or_pool_is_meant_cannot_be_left_out():
    left_out = {name for name in _variables.known() if _variables.can_be_left_out(name)}
    measuring = {"mcp_port", "mcp_health_path", "mcp_health_checks", "mcp_pool_header", "mcp_pool_key"}
    assert set(_variables.TARGET) & left_out == {
        "mcp_api_timeout",
        "mcp_route_nearest",
        "mcp_validate_certs",
        *measuring,
    }
    assert "mcp_rollback_version" not in left_out and "mcp_endpoint" in left_out


def test_a_default_is_not_shared():
    _variables.value("mcp_steps", None).clear()
    assert len(_variables.value("mcp_steps", None)) == 3


@pytest.mark.parametrize(
    ("names", "own", "says"),
    [
        (["mcp_prometeus"], [], "no playbook of mcp.server reads mcp_prometeus (did you mean mcp_prometheus?)."),
        (
            ["mcp_escalations", "mcp_gaurd"],
            [],
            "reads mcp_escalations (did you mean mcp_escalation?), mcp_gaurd (did you mean mcp_guard?).",
        ),
        (["MCP_Guard"], [], "reads MCP_Guard (did you mean mcp_guard?)."),
        (["mcp_host"], [], "reads mcp_host (did you mean mcp_hosts?)."),
        (["mcp_acme_billing_code"], [], "reads mcp_acme_billing_code. Correct"),
        (["mcp_acme_billing_code"], ["mcp_acme_*"], ""),
        (["mcp_acme_billing_code"], ["mcp_acme_billing_code"], ""),
        (["mcp_acme_billing_code"], [7, None, True], "reads mcp_acme_billing_code. Correct"),
        (
            [
                "mcp_guard",
                "mcp_hosts",
                "mcp_own_variables",
                "mcp_api_key",
                "mcp_release",
                "version",
                "release",
                "prometheus",
                7,
            ],
            [],
            "",
        ),
        ([f"mcp_x{number:03d}y" for number in range(500)], [], "mcp_x009y and 490 more."),
        (["mcp_" + "z" * 10_000], [], "zzz..."),
    ],
)
def test_names_that_nothing_reads(names, own, says):
    said = _variables.strangers(names, own)
    assert says in said and bool(said) == bool(says) and len(said) < 2000


def test_what_is_missing_and_the_version_first():
    (first, *others) = _variables.missing(
        ["preflight", "bluegreen"], lambda name: name in ("mcp_image", "mcp_namespace")
    )
    assert first == "version is not set: pass the version to release, such as -e version=v1.2.0."
    assert others == ["mcp_endpoint is not set: set it in the inventory (docs/variables.md)."]
    assert _variables.missing(["preflight"], lambda name: name != "version") == []
    assert _variables.missing(["report"], lambda name: False) == [
        "mcp_namespace is not set: set it in the inventory (docs/variables.md)."
    ]


@pytest.mark.parametrize("file", sorted((ROOT / "inventory").glob("*/hosts.yml")), ids=lambda file: file.parent.name)
def test_the_examples_have_no_name_that_nothing_reads(file):
    (group,) = yaml.safe_load(file.read_text()).values()
    for variables in group["hosts"].values():
        assert _variables.strangers(variables, []) == ""


def test_a_name_that_is_none():
    with pytest.raises(_variables.Invalid, match="'mcp_x' is not a variable of mcp.server"):
        _variables.value("mcp_x", 1)


@pytest.mark.parametrize(
    "file", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda file: file.stem
)
def test_the_commands_of_a_page_have_no_name_that_nothing_reads(file):
    given = set(re.findall(r"""-e (?:'\{")?(\w+)(?:=|": )""", file.read_text()))
    assert given <= {"version"} | _variables.known().keys()


def comparable(spec):
    return {key: value for key, value in spec.items() if key not in ("description", "required")}


def test_a_variable_is_the_same_in_all_roles():
    for role in ROLES:
        for name, spec in _variables.of_role(role).items():
            assert comparable(spec) == comparable(_variables.known()[name]), (role, name)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_what_its_argument_spec_has(role):
    text = "".join(
        file.read_text()
        for file in (ROOT / "roles" / role).rglob("*.yml")
        if file.parent.name in ("defaults", "vars", "tasks")
    )
    read = set(re.findall(r"'mcp\.server\.variable', '(\w+)'", text)) | set(re.findall(r"\{\{ (version)\b", text))
    assert read == set(_variables.of_role(role))
    assert not re.findall(r"\bmcp_\w+ \|", text)  # past the place that converts


def test_all_variables_but_the_version_begin_with_the_prefix():
    names = {name for role in ROLES for name in _variables.of_role(role)} | _variables.TARGET.keys()
    assert {name for name in names if not name.startswith("mcp_")} == {"version"}
    releasing = {"bluegreen", "build_image", "install", "preflight", "staging"}
    assert {role for role in ROLES if "version" in _variables.of_role(role)} == releasing


def test_every_option_of_server_and_cluster_has_a_variable():
    assert sorted(_variables.TARGET.values()) == sorted({*SERVER, *CLUSTER} - {"api_retry_timeout"})
    assert not set(_variables.TARGET) & {name for role in ROLES for name in _variables.of_role(role)}


def test_what_is_handed_to_other_jobs_is_no_stranger():
    tasks = [yaml.safe_load(file.read_text()) for file in (ROOT / "roles").glob("*/tasks/*.yml")]
    published = set(re.findall(r"'ansible\.builtin\.set_stats': \{'data': \{'(\w+)'", str(tasks)))
    assert published == set(_variables.PUBLISHED)


def test_the_page_of_the_variables_is_current():
    sys.path.insert(0, str(ROOT / "tests" / "tools"))
    import variables

    assert variables.PAGE.read_text() == variables.page(), "run tests/tools/variables.py"
