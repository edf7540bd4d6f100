# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What plays make of variables, as a user starts them, without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.plugin_utils import _variables

ROOT = Path(__file__).parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
SERVER = {
    "mcp_namespace": "prod",
    "mcp_endpoint": {"url": "http://127.0.0.1:9"},
    "mcp_image": "example/image",
    "mcp_kubeconfig": "/nowhere/kubeconfig",
}
# One value of each type that is no default, and as a survey gives it.
NATIVE = {
    "bool": (True, False),
    "int": (3,),
    "float": (2.5,),
    "str": ("some-words",),  # mcp_pool_header must be the name of a header
    "path": ("/some/file",),
    "dict": ({"url": "http://some.where", "n": 3, "of": ["a"]}, {}),
    "list of dict": ([{"name": "a", "n": 3}], []),
    "list of str": (["a", "b"], []),
    "list of path": (["/some/file", "/other"], []),
    "raw": ("a-name", {"stateful_set": "a", "service": "b"}),  # mcp_blue and mcp_green
}


def values(spec):
    """Return what the test gives for a variable."""
    kind = spec["type"] + (f" of {spec['elements']}" if "elements" in spec else "")
    if "choices" in spec:
        return (spec["choices"], []) if spec["type"] == "list" else tuple(spec["choices"])
    if spec.get("options"):
        one = {name: values(sub)[0] for name, sub in spec["options"].items()}
        return ([one], []) if spec["type"] == "list" else (one,)
    return NATIVE[kind]


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def ansible(tmp_path):
    """Start a playbook with these variables of one host and extra ones; return its exit code and its output, on one
    line.
    """

    def start(book, *words, host=None, extra=None, strategy="linear"):
        (tmp_path / "inventory.yml").write_text(
            yaml.safe_dump({"all": {"hosts": {"a": SERVER if host is None else host}}})
        )
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_", "KUBE"))
        }
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "10000",
        }
        environment["ANSIBLE_STRATEGY"] = strategy
        command = ["ansible-playbook", book, "-i", str(tmp_path / "inventory.yml"), *words]
        if extra:
            (tmp_path / "extra.json").write_text(json.dumps(extra))
            command += ["-e", f"@{tmp_path}/extra.json"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return start


def test_text_means_the_same_as_the_native_value(ansible, tmp_path):
    """In one play, once for each value, all that the roles work with: every variable of every role and of server and
    cluster.
    """
    specs = {
        **{name: spec for role in ROLES for name, spec in _variables.of_role(role).items()},
        **{name: _variables.known()[name] for name in _variables.TARGET},
    }
    own = {role: yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text()) for role in ROLES}
    shown = {role: "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} }}" for role, names in own.items()}
    rounds = max(len(values(spec)) for spec in specs.values())
    given = {name: values(spec) for name, spec in specs.items()}
    content = "{{ {" + ", ".join(f"'{role}': all_of_{role}" for role in ROLES) + "} | to_json }}"
    tasks = []
    # Each round has another value; "unset" has none, and the empty text.
    for at in [*range(rounds), "unset"]:
        if at == "unset":
            natives = {name: None for name in specs if name not in ("mcp_namespace", "version")}
        else:
            natives = {name: some[at % len(some)] for name, some in given.items()}
        texts = {name: "" if value is None else text(value) for name, value in natives.items()}
        for how, variables in (("native", natives), ("text", texts)):
            tasks.append({"ansible.builtin.set_fact": {f"round_{at}_{how}": content}, "vars": variables})
    facts = (
        "{{ {"
        + ", ".join(f"'{fact}': {fact}" for task in tasks for fact in task["ansible.builtin.set_fact"])
        + "} | to_json }}"
    )
    tasks.append({"ansible.builtin.copy": {"content": facts, "dest": str(tmp_path / "found.json"), "mode": "0600"}})
    play = {
        "hosts": "a",
        "gather_facts": False,
        "connection": "local",
        "vars_files": [str(ROOT / "roles" / role / "defaults" / "main.yml") for role in ROLES],
        "vars": {
            "mcp_namespace": "prod",
            "version": "v1",
            "git_push_version": "v1",
            **{f"all_of_{role}": words for role, words in shown.items()},
        },
        "tasks": tasks,
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    code, output = ansible("play.yml", "-e", f"ansible_python_interpreter={sys.executable}", host={"mcp_other": 1})
    assert code == 0, output
    found = {fact: json.loads(value) for fact, value in json.loads((tmp_path / "found.json").read_text()).items()}
    for at in [*range(rounds), "unset"]:
        native, as_text = (found[f"round_{at}_{how}"] for how in ("native", "text"))
        assert native == as_text, at
        assert repr(native) == repr(as_text), at  # true is no 1
    assert (
        native["bluegreen"]["bluegreen_contract_check"] is True
        and native["bluegreen"]["bluegreen_warm_replicas"] is None
    )
    second = found["round_1_text"]
    assert (
        second["watch"]["watch_rollback"],
        second["bluegreen"]["bluegreen_contract_check"],
        second["bluegreen"]["bluegreen_guard"],
    ) == (False, False, False)
    assert second["bluegreen"]["bluegreen_steps"] == []
    first = found["round_0_text"]
    assert first["bluegreen"]["bluegreen_steps"] == [{"weight": 3, "seconds": 2.5}]
    assert set(first["status"]["status_target"]) == set(_variables.TARGET.values())


@pytest.mark.parametrize(
    ("book", "extra", "says"),
    [
        (
            "bluegreen",
            {},
            "a: version is not set: pass the version to release, such as -e version=v1.2.0.",
        ),
        ("bluegreen", {"version": ""}, "version is not set"),
        ("bluegreen", {"version": "", "mcp_image_ref": ""}, "version is not set"),
        ("bluegreen", {"version": "v1.2.0", "mcp_guard": "maybe"}, "mcp_guard must be true or false, not 'maybe'."),
        (
            "bluegreen",
            {"version": "v1.2.0", "mcp_steps": '[{"weight": 100, "seconds": "soon"}]'},
            "mcp_steps[0].seconds must be a number, not 'soon'.",
        ),
        ("bluegreen", {"version": "v1.2.0", "mcp_escalation": "nobody"}, "mcp_escalation must be a list"),
        ("bluegreen", {"version": "v1.2.0", "mcp_image": ""}, "mcp_image is not set: set it in the inventory"),
        (
            "bluegreen",
            {"version": "v1.2.0", "mcp_git_timeout": "soon"},
            "mcp_git_timeout must be a number, not 'soon'.",
        ),
        ("preflight", {"mcp_git_changes": [{"file": "x"}]}, "mcp_git_changes[0] needs regexp."),
        ("bluegreen", {"version": "v1.2.0", "mcp_guard": "{{ nowhere }}"}, "'nowhere' is undefined"),
        ("status", {"mcp_namespace": ""}, "mcp_namespace is not set"),
        ("watch", {"mcp_watch_rollback": "if needed"}, "mcp_watch_rollback must be true or false, not 'if needed'."),
        ("status", {"mcp_status_seconds": "soon"}, "mcp_status_seconds must be a number, not 'soon'."),
        ("preflight", {"mcp_validate_certs": "maybe"}, "mcp_validate_certs must be true or false, not 'maybe'."),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(ansible, book, extra, says):
    code, output = ansible(f"mcp.server.{book}", extra=extra)
    assert code != 0 and says in output and f"mcp.server.{book} :" not in output and "Traceback" not in output, output
    assert "mcp.server.preflight :" not in output, output


@pytest.mark.parametrize(
    ("hosts", "forks", "limit", "rates"),
    [
        (1, 5, None, (40.0, 5.0)),
        (10, 20, None, (40.0, 5.0)),
        (20, 50, None, (20.0, 5.0)),
        (20, 5, "50", (10.0, 5.0)),
        (20, 20, 20, (1.0, 1.0)),
    ],
)
def test_servers_that_are_watched_at_once_share_one_rate(ansible, tmp_path, hosts, forks, limit, rates):
    """As each task takes a fork, what is watched at once is never more than these."""
    content = "{{ [bluegreen_watch_rate, watch_rate] | to_json }}"
    play = {
        "hosts": "all",
        "gather_facts": False,
        "connection": "local",
        "vars_files": [str(ROOT / "roles" / role / "defaults" / "main.yml") for role in ("bluegreen", "watch")],
        "vars": {} if limit is None else {"mcp_max_synthetic_rate": limit},
        "tasks": [
            {
                "ansible.builtin.copy": {"content": content, "dest": str(tmp_path / "found.json"), "mode": "0600"},
                "run_once": True,
                "vars": {"ansible_python_interpreter": sys.executable},
            }
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    (tmp_path / "many.yml").write_text(yaml.safe_dump({"all": {"hosts": {f"host{n}": SERVER for n in range(hosts)}}}))
    code, output = ansible("play.yml", "-i", str(tmp_path / "many.yml"), "-l", "host*", "-f", str(forks))
    assert code == 0, output
    assert tuple(json.loads((tmp_path / "found.json").read_text())) == rates


@pytest.mark.parametrize("strategy", ["linear", "host_pinned"])
def test_a_bad_value_of_one_server_stops_no_other(ansible, tmp_path, strategy):
    hosts = {"good": SERVER, "bad": {**SERVER, "mcp_guard": "maybe"}, "fine": SERVER}
    (tmp_path / "several.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    code, output = ansible(
        "mcp.server.bluegreen",
        "-i",
        str(tmp_path / "several.yml"),
        "-l",
        "good,bad,fine",
        "-f",
        "1",
        extra={"version": "v1", "mcp_waves": "[]"},
        strategy=strategy,
    )
    assert code == 2 and "bad: mcp_guard must be true or false, not 'maybe'." in output and "Traceback" not in output, (
        output
    )
    for host in ("good", "fine"):
        assert f'fatal: [{host}]: FAILED! => {{"changed": false, "msg": "No cluster to connect to' in output, output


def test_a_bad_value_of_one_server_keeps_a_fleet_from_its_first_wave(ansible, tmp_path):
    hosts = {"good": SERVER, "bad": {**SERVER, "mcp_guard": "maybe"}}
    (tmp_path / "several.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    code, output = ansible(
        "mcp.server.bluegreen", "-i", str(tmp_path / "several.yml"), "-l", "good,bad", extra={"version": "v1"}
    )
    assert code == 2 and "bad: mcp_guard must be true or false, not 'maybe'." in output, output
    assert "No cluster to connect to" not in output and "Release the server" not in output, output


def test_a_template_of_one_server_that_fails_keeps_no_other_from_its_rollback(ansible, tmp_path):
    unread = {**SERVER, "mcp_kubeconfig": "{{ nowhere }}", "mcp_route": "{{ nowhere }}"}
    hosts = {"bad": unread, "fine": SERVER, "worse": {**unread, "mcp_namespace": "{{ nowhere }}"}}
    (tmp_path / "several.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    code, output = ansible("mcp.server.rollback", "-i", str(tmp_path / "several.yml"), "-l", "bad,fine,worse")
    assert (
        code == 2
        and 'fatal: [fine]: FAILED! => {"changed": false, "msg": "No cluster to connect to' in output
        and "Traceback" not in output
    ), output
    for host in ("bad", "worse"):
        assert f"fatal: [{host}]" in output and "cannot be read: 'nowhere' is undefined" in output, output


def test_what_a_push_is_told_later_is_not_missed_before(ansible):
    change = {
        "file": "x",
        "regexp": "v1",
        "replace": "{{ git_push_version }} on {{ git_push_pool }} of {{ inventory_hostname }}",
    }
    code, output = ansible(
        "mcp.server.bluegreen", host={**SERVER, "mcp_git_changes": [change]}, extra={"version": "v1.2.0"}
    )
    assert code != 0 and "No cluster to connect to" in output and "undefined" not in output, output
    code, output = ansible(
        "mcp.server.bluegreen",
        host={**SERVER, "mcp_git_changes": [{**change, "file": "{{ nowhere }}"}]},
        extra={"version": "v1.2.0"},
    )
    assert code != 0 and "'nowhere' is undefined" in output and "mcp.server.preflight :" not in output, output


def test_an_emergency_goes_on_without_what_it_cannot_read(ansible):
    extra = {
        "mcp_shift_timeout": "soon",
        "mcp_endpoint": "[",
        "mcp_escalation": "nobody",
        "mcp_guard": "maybe",
        "mcp_own_variables": {"a": 1},
    }
    extra |= {"mcp_route_nearest": "maybe", "mcp_hosts": "", "mcp_rollback_version": ""}
    code, output = ansible("mcp.server.rollback", extra=extra)
    assert code != 0 and "No cluster to connect to: kubeconfig /nowhere/kubeconfig" in output, (
        output
    )  # as far as a play gets here
    assert "[WARNING]: mcp_shift_timeout must be a number, not 'soon'. Continuing as if it were not set." in output, (
        output
    )
    extra = {"mcp_api_timeout": "{{ nowhere }}", "mcp_endpoint": {"url": "{{ nowhere }}"}, "mcp_reason": "{{ 1 / 0 }}"}
    code, templates = ansible("mcp.server.rollback", extra=extra)
    assert code != 0 and "No cluster to connect to: kubeconfig /nowhere/kubeconfig" in templates, templates
    assert "mcp_api_timeout cannot be read: 'nowhere' is undefined. Continuing as if it were not set." in templates, (
        templates
    )
    assert output.count("mcp_shift_timeout must be a number") == 1 and "mcp_guard must" not in output, output


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"mcp_context": {"a": 1}}, "mcp_context must be text, not a dict."),
        ({"mcp_kubeconfig": "{{ nowhere }}"}, "mcp_kubeconfig cannot be read: 'nowhere' is undefined"),
        ({"mcp_api_host": ["https://x"]}, "mcp_api_host must be text, not a list."),
        ({"mcp_route_kind": "nginx"}, "mcp_route_kind must be one of httproute,"),
        ({"mcp_rollback_pool": "purple"}, "mcp_rollback_pool must be one of blue, green, not 'purple'."),
        ({"mcp_rollback_version": ["v1"]}, "mcp_rollback_version must be text, not a list."),
    ],
)
def test_an_emergency_takes_no_other_cluster_or_pool_for_what_it_cannot_read(ansible, extra, says):
    code, output = ansible("mcp.server.rollback", extra=extra)
    assert code != 0 and says in output and "Going on as if" not in output, output
    assert 'fatal: [a]: FAILED! => {"changed": false, "msg": "No cluster to connect to' not in output, output


def test_a_rollback_does_not_read_the_version_and_says_so(ansible):
    code, output = ansible("mcp.server.rollback", extra={"version": "v1.1.5"})
    assert (
        "version is for releases and is not read here. To roll back to a version, pass -e mcp_rollback_version=v1.1.5."
        in output
    ), output
    assert (
        code != 0 and "Send the traffic back" in output and "Choose the pool for the requested version" not in output
    ), output
    code, output = ansible("mcp.server.rollback", extra={"mcp_rollback_version": "v1.1.5"})
    assert code != 0 and "Choose the pool for the requested version" in output and "is for releases" not in output, (
        output
    )
    code, output = ansible("mcp.server.rollback", extra={"mcp_rollback_pool": "purple"})
    assert code != 0 and "mcp_rollback_pool must be one of blue, green, not 'purple'." in output, output


def test_unknown_names_of_hosts_and_extra_variables_are_told_once_for_each_host(ansible):
    host = {**SERVER, "mcp_prometeus": {"url": "http://secret.example"}, "mcp_acme_code": 7, "mcp_release": {"a": {}}}
    code, output = ansible(
        "mcp.server.status", host=host, extra={"mcp_stop_afer": 10, "mcp_own_variables": "mcp_acme_*"}
    )
    warning = (
        "a: no playbook of mcp.server reads mcp_prometeus (did you mean mcp_prometheus?), mcp_stop_afer (did "
        "you mean mcp_stop_after?)."
    )
    assert output.count(warning) == 1 and "secret.example" not in output and "mcp_acme" not in output, output
    code, output = ansible("mcp.server.status")
    assert "no playbook of mcp.server reads" not in output, output


# These ask no cluster.
WITHOUT_CLUSTER = {"build", "ci_scaffold", "controller"}


@pytest.mark.parametrize("book", sorted({path.stem for path in (ROOT / "playbooks").glob("*.yml")} - WITHOUT_CLUSTER))
def test_the_variables_of_the_connection_reach_every_role(ansible, book):
    host = {
        "mcp_namespace": "prod",
        "mcp_api_host": "http://127.0.0.1:1",
        "mcp_api_key": "s3cret",
        "mcp_api_timeout": "1",
    }
    host |= {
        "mcp_endpoint": SERVER["mcp_endpoint"],
        "mcp_image": "example/image",
        "mcp_prometheus": {"url": "http://127.0.0.1:3"},
        "mcp_install_gateway": {"name": "public"},
        "mcp_install_hostname": "mcp.example.com",
        "mcp_debug_image_ref": "registry.example/tools:v1",
        "mcp_check_registry": "false",  # staging.yml asks it first
        "mcp_drill": "true",
        "mcp_validate_guide": "true",
    }
    quick = {"mcp_rollback_api_retry_timeout": "0", "mcp_api_retry_timeout": "0", "mcp_release_id": "x"}
    quick["mcp_break_glass_api_retry_timeout"] = "0"
    extra = {"version": "v1.2.0", "mcp_reason": "a"}
    code, output = ansible(f"mcp.server.{book}", "-vvv", host=host | quick, extra=extra)
    who = (
        "Prometheus at http://127.0.0.1:3" if book == "replay" else "The API server http://127.0.0.1:1"
    )  # who is asked first
    assert code != 0 and f"{who} does not answer" in output and "s3cret" not in output and "Traceback" not in output, (
        output
    )


def test_without_prometheus_a_release_says_which_triggers_nobody_watches(ansible, tmp_path):
    role = {"ansible.builtin.import_role": {"name": "mcp.server.bluegreen", "rolespec_validate": False}}
    play = {
        "hosts": "a",
        "gather_facts": False,
        "vars_files": [str(ROOT / "playbooks" / "vars" / "controller.yml")],
        "tasks": [role],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    says = "these triggers are not watched: latency, database, memory."
    code, output = ansible("play.yml", extra={"version": "v1.2.0"})
    assert (
        code != 0
        and output.count(says) == 1
        and output.index(says) < output.index("No cluster to connect to: kubeconfig /nowhere/kubeconfig")
    ), output
    code, output = ansible("play.yml", extra={"version": "v1.2.0", "mcp_prometheus": '{"url": "http://127.0.0.1:3"}'})
    assert code != 0 and says not in output and "No cluster to connect to: kubeconfig /nowhere/kubeconfig" in output, (
        output
    )
