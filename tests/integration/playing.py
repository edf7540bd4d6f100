# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays and single modules on the cluster, as a user starts them; for the targets that are pytest (runme.sh)."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv

CONFIG = json.loads((Path(__file__).with_name("integration_config.yml")).read_text())
ROOT = Path(CONFIG["root"])
COLLECTIONS = ROOT / "playbooks" / "collections"
INVENTORY = ROOT / "inventory" / "sandbox"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_"))},
    "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
    "KUBECONFIG": CONFIG["kubeconfig"],
    "MCP_URL": CONFIG["public_url"],
    "MCP_REGISTRY": CONFIG["registry_url"],
    "MCP_NAMESPACE": CONFIG["test_namespace"],
    "MCP_HOST": CONFIG["public_host"],
    "MCP_PROMETHEUS": CONFIG["prometheus_url"],
    "ANSIBLE_NOCOLOR": "1",
    "MCP_VALIDATION": "none",  # it has a target of its own
    "MCP_TEST_TOKEN": "planted-4c1e6f0b9d.token",
    "MCP_TEST_KEY": "planted key of 8a52c1e7",
}
# Its own target (other_writers) has the rest; here each rollback would take half a minute more.
QUICK = ("-e", "mcp_rollback_verify_seconds=1")
# Where the example server has its health document. Servers without one have a target of their own (strangers).
HEALTH = {"health_path": "/health", "health_checks": ["status == 'HEALTHY'"]}
# What no output and no record may ever show: a planted token and a key for the MCP endpoint, and what the kubeconfig
# gives us to log in with.
SECRETS = [
    ENVIRONMENT["MCP_TEST_TOKEN"],
    ENVIRONMENT["MCP_TEST_KEY"],
    *re.findall(r"(?:token|client-key-data)\"?: *\"?([^\"\s]{20,})", Path(CONFIG["kubeconfig"]).read_text()),
]

sys.path[:0] = [str(COLLECTIONS), str(ROOT)]
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._release.lease import Lease  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task  # noqa: E402
from sandbox.paths import CACHE  # noqa: E402

# The same few versions are released again and again, however they ended before.
NAMED = "{{ mcp_rollback_version | default(version | default(''), true) }}"
FORCED = ("-e", json.dumps({"mcp_force_version": NAMED}))


def variables(name: str, host: str, **more: t.Any) -> dict[str, t.Any]:
    """Return the variables of a server that a test has made beside the sandbox's own. host: that it is asked for by.

    What is judged by metrics has targets of its own, and so has the contract; here they would only take time.
    """
    return {
        "mcp_server": name,
        "mcp_namespace": CONFIG["test_namespace"],
        "mcp_kubeconfig": CONFIG["kubeconfig"],
        "mcp_image": CONFIG["image"],
        "mcp_registry": CONFIG["registry_url"],
        "mcp_endpoint": {"url": CONFIG["public_url"], "host": host},
        **{f"mcp_{name}": value for name, value in HEALTH.items()},
        "mcp_compare_version": ["health"],
        "mcp_prometheus": None,
        "mcp_contract_check": False,
        "mcp_validation": [],
        **more,
    }


def play(playbook: str, *words: str, cwd: Path = ROOT, seconds: float = 240, **environment: str) -> tuple[int, str]:
    command = ["ansible-playbook", playbook, "-i", str(INVENTORY), *QUICK, *FORCED, *words]
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert not [secret for secret in SECRETS if secret in done.stdout]
    return done.returncode, done.stdout


@contextmanager
def running(playbook: str, *words: str, **environment: str) -> t.Iterator[subprocess.Popen[str]]:
    """A play in a process group of its own, which does not outlive the block."""
    command = ["ansible-playbook", playbook, "-i", str(INVENTORY), *QUICK, *FORCED, *words]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # which a shell's background jobs, and so these tests, may ignore
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)


def until(process: subprocess.Popen[str], words: str, times: int = 1) -> str:
    """What it says until the words came so often."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        times -= words in line
        if not times:
            return said
    raise AssertionError(f"it ended without {words!r}:\n{said}")


def rest(process: subprocess.Popen[str], seconds: float = 200) -> str:
    """What it says until it ends."""
    return process.communicate(timeout=seconds)[0]


@contextmanager
def clients(
    folder: Path, rate: float, seconds: float = 900, host: str = CONFIG["public_host"]
) -> t.Iterator[dict[str, t.Any]]:
    """Clients on the gateway for as long as the block lasts; what they saw (sandbox.load) is in the dictionary
    afterwards.
    """
    file = folder / f"load-{host}.json"
    words = [CONFIG["public_url"], host, str(file), "--rate", str(rate), "--seconds", str(seconds), "--streams", "0"]
    process = subprocess.Popen([sys.executable, "-m", "sandbox.load", *words], cwd=ROOT)
    seen: dict[str, t.Any] = {}
    try:
        yield seen
        time.sleep(2)  # what follows the end of a release belongs to it
    finally:
        process.terminate()
        process.wait(30)
        seen |= json.loads(file.read_text())


def module(name: str, arguments: str = "", *, check: bool = False, fails: bool = False, **options: t.Any) -> dict:
    """What a module returns, or its failure's message and evidence; arguments: as after ``ansible -a``, also as a JSON
    object.

    It runs in this process: a state that a test needs, or looks at, costs no start of Ansible.
    """
    loaded = importlib.import_module(f"ansible_collections.mcp.server.plugins.modules.{name}")
    server = {"namespace": CONFIG["test_namespace"], "server": "mcp-server", "kubeconfig": CONFIG["kubeconfig"]}
    given: dict[str, t.Any] = json.loads(arguments) if arguments.startswith("{") else parse_kv(arguments)
    given |= options
    if "force_version" in loaded.SPEC.options:
        given.setdefault("force_version", given.get("version"))
    if "health_path" in loaded.SPEC.options:
        server |= HEALTH
    validated = ArgumentSpecValidator(loaded.SPEC.options, **loaded.SPEC.rules()).validate({**server, **given})
    assert not validated.error_messages, validated.error_messages
    try:
        result = {"changed": False, **loaded.run(Task(validated.validated_parameters, check_mode=check))}
    except Failure as failure:
        assert fails, failure.msg
        return {"msg": failure.msg, **failure.evidence}
    assert not fails, result
    return result


def kubectl_command(*words: str) -> list[str]:
    """kubectl as the cluster's administrator."""
    from_sandbox = sorted(CACHE.glob("binaries-*/kubectl"))
    binary = from_sandbox[-1] if from_sandbox else "kubectl"
    return [str(binary), "--kubeconfig", CONFIG["admin_kubeconfig"], *words]


def kubectl(*words: str, stdin: str | None = None) -> str:
    return subprocess.run(
        kubectl_command(*words), input=stdin, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def weights() -> dict:
    return module("mcp_release_info")["weights"]


def lease() -> Lease:
    """The server's Lease, for a test that is another run."""
    server = {
        **dict.fromkeys(CLUSTER_OPTIONS),
        "kubeconfig": CONFIG["kubeconfig"],
        "api_timeout": 10.0,
        "api_retry_timeout": 0.0,
    }
    return Lease(connect(server), CONFIG["test_namespace"], "mcp-server")


def let_go() -> None:
    """Of the Lease, whoever has it: a test that failed in the middle of a release must not fail the next one."""
    holder, _version = lease().read()
    if holder:
        lease().release(holder.run)


def blue_again() -> None:
    let_go()
    module("mcp_rollout", f"pool=blue image_ref={CONFIG['image']}:v1.1.5 replicas=2")
    module("mcp_traffic_shift", "pool=blue weight=100 timeout=120")
    module(
        "mcp_rollout", f"pool=green image_ref={CONFIG['image']}:v1.2.0 replicas=0"
    )  # not what another target had there
    if module("mcp_release_info")["record"] is not None:
        module("mcp_release", "state=ended outcome=rolled_back")
