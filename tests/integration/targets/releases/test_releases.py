# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole releases on the real cluster, as a user starts them: good ones, bad versions, bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playing import CONFIG, ENVIRONMENT, ROOT, SECRETS, blue_again, kubectl, module, play, weights
from soaking import drawn


@pytest.fixture(autouse=True, scope="module")
def start():
    blue_again()
    yield
    blue_again()


needs_admin = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes broken objects on purpose, which takes an administrator's rights; the cluster of KUBECONFIG gives "
    "only the Role",
)


def judge_failure(code: int, output: str, words: str) -> None:
    """Non-zero, one sentence that says why, no traceback, traffic where it was."""
    assert code != 0, output
    assert "Traceback" not in output, output
    assert re.search(words, " ".join(output.split())), output
    assert weights() == {"blue": 100, "green": 0}


BAD_VERSIONS = [
    ("v1.2.1-unready", "Readiness probe failed"),
    ("v1.2.1-crash", "CrashLoopBackOff|exit code 1"),
    ("v1.2.1-version", "1.0.0"),
    ("v1.2.1-not-mcp", "returned HTML"),
    ("v1.2.1-contract", r"\[tools/reorder_point\] Tool reorder_point is gone"),
    ("v1.2.1-database", "UNHEALTHY"),
    ("v9.9.9", "v9.9.9"),
    ("latest-greatest", "latest-greatest"),
]


@pytest.mark.parametrize(("version", "words"), drawn(BAD_VERSIONS, 4))
def test_a_bad_version_gets_no_traffic(version, words):
    start = time.monotonic()
    code, output = play("playbooks/bluegreen.yml", "-e", f"version={version}")
    judge_failure(code, output, words)
    assert time.monotonic() - start < 120  # the cluster's reason at once, not the rollout's time-out of 600 s


def test_a_broken_contract_that_is_accepted():
    """It is released then, and the record says what was accepted."""
    accept = {"mcp_contract_accept": ["tools/reorder_point", "tools/search_inventory"]}
    code, output = play("playbooks/bluegreen.yml", "-e", "version=v1.2.1-contract", "-e", json.dumps(accept))
    assert code == 0, output
    assert "Tool reorder_point is gone" in output
    contract = module("mcp_release_info")["record"]["to"]["contract"]
    assert contract["accepted"] == ["tools/reorder_point", "tools/search_inventory/inputSchema/properties/warehouse"]
    assert len(contract["structure_hash"]) == 64
    blue_again()


def test_failing_answers_roll_back(tmp_path):
    """A version that turns bad only under the watch: its pods pass their checks, and 5xx answers take it back."""
    steps = [{"weight": 50, "seconds": 30}, {"weight": 100, "seconds": 1}]
    code, output = play(
        "playbooks/bluegreen.yml", "-e", json.dumps({"version": "v1.2.1-errors", "bluegreen_steps": steps})
    )
    judge_failure(code, output, "failed")
    assert module("mcp_release_info")["record"]["outcome"] == "rolled_back"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"version": 1.10}, "quote"),
        ({"version": "v1.2.0", "mcp_kubeconfig": "/nowhere/kubeconfig"}, "/nowhere/kubeconfig"),
        ({"version": "v1.2.0", "mcp_server": "no-such-server"}, "no-such-server-blue"),
        ({"version": "v1.2.0", "mcp_endpoint": {"url": "http://127.0.0.1:9"}}, "nothing listens"),
        ({"version": "v1.2.0", "mcp_registry": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"version": "v1.2.0", "mcp_steps": [{"weight": 50, "seconds": 1}]}, "do not end at 100 %"),
    ],
)
def test_bad_input(variables, words):
    code, output = play("playbooks/bluegreen.yml", "-e", json.dumps(variables))
    judge_failure(code, output, words)


def test_cluster_unreachable(tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(re.sub(r"https://[^\"\s,]+", "https://127.0.0.1:9", Path(CONFIG["kubeconfig"]).read_text()))
    code, output = play(
        "playbooks/bluegreen.yml", "-e", json.dumps({"version": "v1.2.0", "mcp_kubeconfig": str(kubeconfig)})
    )
    judge_failure(code, output, "does not answer")


@needs_admin
def test_namespace_missing():
    variables = {
        "version": "v1.2.0",
        "mcp_namespace": "no-such-namespace",
        "mcp_kubeconfig": CONFIG["admin_kubeconfig"],
    }
    code, output = play("playbooks/bluegreen.yml", "-e", json.dumps(variables))
    judge_failure(code, output, "no-such-namespace")


@pytest.fixture
def broken_objects():
    """What of the server's objects a test breaks is put back as it was."""
    kinds = ["httproute/mcp-server", "service/mcp-server-green", "role/mcp-releaser"]
    namespace = ("-n", CONFIG["test_namespace"])
    saved = json.loads(kubectl("get", *kinds, *namespace, "-o", "json"))
    for item in saved["items"]:
        for name in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            item["metadata"].pop(name, None)
        item.pop("status", None)
        if item["kind"] == "Service":
            item["spec"] = {name: item["spec"][name] for name in ("selector", "ports")}
    yield lambda *words: kubectl(*words, *namespace)
    for item in saved["items"]:
        kubectl("delete", item["kind"], item["metadata"]["name"], "--ignore-not-found", *namespace)
        kubectl("create", "-f", "-", stdin=json.dumps(item))
    deadline = time.monotonic() + 30
    while play("playbooks/preflight.yml")[0] != 0 and time.monotonic() < deadline:
        time.sleep(1)


@needs_admin
@pytest.mark.parametrize(
    ("breakage", "words"),
    [
        (("delete", "service", "mcp-server-green"), f"Service {CONFIG['test_namespace']}/mcp-server-green"),
        (("delete", "httproute", "mcp-server"), f"HTTPRoute {CONFIG['test_namespace']}/mcp-server"),
        (
            (
                "patch",
                "httproute",
                "mcp-server",
                "--type=json",
                "-p",
                '[{"op": "remove", "path": "/spec/rules/0/backendRefs/1"}]',
            ),
            "no rule that lists both pools",
        ),
        (
            (
                "patch",
                "role",
                "mcp-releaser",
                "--type=json",
                "-p",
                '[{"op": "replace", "path": "/rules/0/verbs", "value": ["get"]}]',
            ),
            "may not patch httproutes",
        ),
    ],
)
def test_broken_objects(broken_objects, breakage, words):
    broken_objects(*breakage)
    code, output = play("playbooks/bluegreen.yml", "-e", "version=v1.2.0")
    assert code != 0
    assert "Traceback" not in output
    assert re.search(words, " ".join(output.split())), output


def test_release_from_a_checkout_and_rollback_installed(tmp_path):
    """`cd playbooks && ansible-playbook bluegreen.yml`, then the built and installed collection takes it back. Both
    twice: nothing changes.
    """
    code, output = play("bluegreen.yml", "-e", "version=v1.2.0", cwd=ROOT / "playbooks")
    assert code == 0, output
    assert "answers, 0 failed" in output  # progress while it waited
    assert weights() == {"blue": 0, "green": 100}
    code, output = play("bluegreen.yml", "-e", "version=v1.2.0", cwd=ROOT / "playbooks")
    assert code == 0 and "changed=0" in output, output

    subprocess.run(
        ["ansible-galaxy", "collection", "build", "--output-path", tmp_path, ROOT],
        env=ENVIRONMENT,
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    (artifact,) = tmp_path.glob("*.tar.gz")
    installed = tmp_path / "installed"
    subprocess.run(
        ["ansible-galaxy", "collection", "install", "--force", "--offline", "-p", installed, artifact],
        env=ENVIRONMENT,
        check=True,
        timeout=60,
    )
    where = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    code, output = play("mcp.server.rollback", cwd=tmp_path, **where)
    assert code == 0, output
    assert weights() == {"blue": 100, "green": 0}
    assert module("mcp_release_info")["record"]["outcome"] == "rolled_back"
    code, output = play("mcp.server.rollback", cwd=tmp_path, **where)
    assert code == 0 and "changed=0" in output, output


def test_tasks_of_the_user_and_checks(tmp_path):
    """The one come before the first weight, the others in the warm window; a failure of each takes the release back."""
    mine = tmp_path / "mine.yml"
    look = {"namespace": CONFIG["test_namespace"], "server": "mcp-server", "kubeconfig": CONFIG["kubeconfig"]}
    mine.write_text(
        json.dumps(
            [
                {"name": "Look", "mcp.server.mcp_release_info": look, "register": "found"},
                {
                    "name": "Mine",
                    "ansible.builtin.assert": {"that": ["found.weights.green == 0", "not fail_mine | default(false)"]},
                },
            ]
        )
    )
    checks = [
        {"name": "a tool", "mcp": {"tool": "search_inventory", "arguments": {"text": "a"}}},
        {
            "name": "a page",
            "http": {
                "url": f"{CONFIG['public_url']}/health",
                "headers": {"Host": CONFIG["public_host"]},
                "expect": "HEALTHY",
            },
        },
        {"name": "a command", "command": {"argv": ["sh", "-c", 'test "$MCP_POOL" = green']}},
    ]
    steps = [{"weight": 100, "seconds": 1}]
    more = {
        "version": "v1.2.0",
        "mcp_before_shift_tasks": str(mine),
        "mcp_checks": checks,
        "mcp_steps": steps,
        "mcp_warm_seconds": 4,
    }
    code, output = play("playbooks/bluegreen.yml", "-e", json.dumps({**more, "fail_mine": True}))
    judge_failure(
        code,
        output,
        "Release of v1.2.0 failed before it got any traffic; all traffic is on blue. Cause: Assertion failed",
    )
    failing = [*checks, {"name": "a bad one", "command": {"argv": ["false"]}}]
    code, output = play(
        "playbooks/bluegreen.yml", "-e", json.dumps({**more, "mcp_checks": failing, "mcp_warm_seconds": 30})
    )
    judge_failure(code, output, "all traffic is on blue .*again. Cause: .*a bad one")
    assert module("mcp_release_info")["record"]["outcome"] == "rolled_back"
    code, output = play("playbooks/bluegreen.yml", "-e", json.dumps(more))
    assert code == 0, output
    assert weights() == {"blue": 0, "green": 100}
    blue_again()


@needs_admin
def test_two_servers_in_one_play(tmp_path):
    """Each gets its own steps, at the same time; the target several has what goes wrong there, mcp_fleet has waves."""
    sessions = {"server": "mcp-sessions", "kubeconfig": CONFIG["admin_kubeconfig"]}
    steps = {"mcp-server": [10, 50, 100], "mcp-sessions": [50, 100]}
    hosts = {
        name: {
            "mcp_steps": [{"weight": weight, "seconds": 2} for weight in weights],
            "mcp_warm_seconds": 1,
            "mcp_prometheus": None,
            "mcp_waves": [],
        }
        for name, weights in steps.items()
    }
    hosts["mcp-sessions"] |= {
        "mcp_namespace": CONFIG["test_namespace"],
        "mcp_kubeconfig": CONFIG["admin_kubeconfig"],
        "mcp_image": CONFIG["image"],
        "mcp_registry": CONFIG["registry_url"],
        "mcp_endpoint": {"url": CONFIG["public_url"], "host": f"marked.{CONFIG['public_host']}"},
        "mcp_health_path": "/health",
    }
    (tmp_path / "two.yml").write_text(json.dumps({"sandbox": {"hosts": hosts}}))
    words = ("-i", str(tmp_path / "two.yml"), "-e", "version=v1.2.0")
    code, output = play("playbooks/bluegreen.yml", *words)
    assert (
        code
        and "Refusing to run bluegreen.yml on 2 servers that were not named: mcp-server, mcp-sessions."
        in " ".join(output.split())
    ), output
    code, output = play("playbooks/bluegreen.yml", *words, "-l", "all")
    assert code == 0, output
    records = [module("mcp_release_info")["record"], module("mcp_release_info", **sessions)["record"]]
    assert [[step["weights"]["green"] for step in record["steps"]] for record in records] == list(steps.values())
    assert records[1]["started"] < records[0]["ended"]
    del hosts["mcp-sessions"]["mcp_endpoint"]  # which an emergency does without
    (tmp_path / "two.yml").write_text(json.dumps({"sandbox": {"hosts": hosts}}))
    code, output = play("playbooks/rollback.yml", *words[:2], "-l", "all")
    assert code == 0, output
    assert weights() == module("mcp_release_info", **sessions)["weights"] == {"blue": 100, "green": 0}


def test_secrets_stay_secret():
    """With as much output as there is, and a token and a key that go to each server: no play and no record shows them.
    play() looks each time.
    """
    assert len(SECRETS) > 1
    auth = {"token_env": "MCP_TEST_TOKEN", "headers": {"X-API-Key": {"env": "MCP_TEST_KEY"}}}
    words = ("-vvvv", "--diff", "-e", json.dumps({"mcp_auth": auth}))
    code, output = play("playbooks/bluegreen.yml", "-e", "version=v1.2.0", *words)
    assert code == 0, output
    assert play("playbooks/rollback.yml", *words)[0] == 0
    record = json.dumps(module("mcp_release_info")["record"])
    assert not [secret for secret in SECRETS if secret in record]


@needs_admin
def test_a_token_out_of_a_secret():
    """The Role does not have this right unless somebody adds it: docs/mcp.md."""
    namespace = ("-n", CONFIG["test_namespace"])
    kubectl(*namespace, "create", "secret", "generic", "probe", f"--from-literal=token={ENVIRONMENT['MCP_TEST_TOKEN']}")
    try:
        result = module(
            "mcp_health",
            service="mcp-server-blue",
            kubeconfig=CONFIG["admin_kubeconfig"],
            auth={"token_secret": {"name": "probe"}},
        )
    finally:
        kubectl(*namespace, "delete", "secret", "probe")
    assert result["healthy"]
    assert ENVIRONMENT["MCP_TEST_TOKEN"] not in json.dumps(result)


def test_check_mode_changes_nothing():
    before = module("mcp_release_info")
    code, output = play("playbooks/bluegreen.yml", "--check", "--diff", "-e", "version=v1.3.0")
    assert code == 0, output
    assert (
        "Plan: v1.3.0 of " in output
        and " step 3   100 % to green, watched for 5 s" in output
        and "PROBLEM" not in output
    )
    assert module("mcp_release_info") == before


def test_check_mode_tells_all_that_would_fail():
    before = module("mcp_release_info")
    wrong = {
        "version": "v9.9.9",
        "mcp_endpoint": {"url": "http://127.0.0.1:9"},
        "mcp_required_secrets": [{"name": "none"}],
    }
    code, output = play("playbooks/bluegreen.yml", "--check", "--diff", "-e", json.dumps(wrong))
    judge_failure(
        code,
        output,
        r"would fail, for 3 reasons: \(1\) .*v9.9.9 is not in the registry.* \(2\) .*Secret none.* \(3\) .*nothing "
        r"listens there",
    )
    assert output.count("PROBLEM") == 3
    assert module("mcp_release_info") == before


def test_demo():
    """`make demo` without the make, and with less load: a release and a rollback with no failed request."""
    command = [sys.executable, "-m", "sandbox.demo", "--rate", "100"]
    demo = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=400, check=False)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    summary = json.loads(Path(demo.stdout.strip().splitlines()[-1].rpartition(" ")[2]).read_text())
    assert summary["requests"]["failed"] == 0
    assert summary["requests"]["sent"] > 2000
    assert [step["set"]["green"] for step in summary["steps"]] == [10, 50, 100]
