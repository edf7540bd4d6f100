# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""staging.yml on a server that is one Deployment, from a folder of manifests, with exactly the Role of its page."""

from __future__ import annotations

import json
import re
import secrets
import signal
import time
import typing as t
from pathlib import Path

import planted
import pytest
import yaml
from playing import CONFIG, ROOT, kubectl, play, rest, running, until, variables
from roles_of_pages import account, apply, kubeconfig_of

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

OLD, NEW, CRASHES, MISSING = "v1.1.5", "v1.2.0", "v1.2.1-crash", "v9.9.9"
NAME = "mcp-server"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
CREDENTIAL = "planted-in-a-manifest-Vb3oNq8x"
PLANTED = (*planted.PLANTED, CREDENTIAL, "sandbox-only@")
RUNS = ("registry", "apply", "rollout", "internal", "external", "flow_1", "flow_2", "flow_3")


class Place(t.NamedTuple):
    """The namespace, its folder of manifests, and the kubeconfig of who stages."""

    namespace: str
    folder: Path
    kubeconfig: Path

    @property
    def host(self) -> str:
        return f"{self.namespace}.{CONFIG['public_host']}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    folder = tmp_path_factory.mktemp("staging")
    found = Place(f"staging-try-{secrets.token_hex(3)}", folder / "k8s", folder / "stager.kubeconfig")
    rules = yaml.safe_load(re.findall(r"```yaml\n(- api.*?)```", (ROOT / "docs/staging.md").read_text(), re.DOTALL)[0])
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": found.namespace}},
        *account(found.namespace, "stager", rules),
    ]
    found.folder.mkdir()
    for name, manifest in manifests(found).items():
        (found.folder / name).write_text(yaml.safe_dump(manifest))
    try:
        apply(*objects)
        kubeconfig_of(found.namespace, "stager", folder)
        yield found
    finally:
        kubectl("delete", "namespace", found.namespace, "--ignore-not-found", "--wait=false")


def manifests(place: Place) -> dict[str, t.Any]:
    """Return the files of the folder: the sandbox's server as one Deployment, whose image is of no version."""
    pool = ROOT / "sandbox/manifests/mcp-server/pool/pool.yaml"
    service, deployment = yaml.safe_load_all(pool.read_text())
    for one in (service, deployment):
        del one["metadata"]["namespace"]
    deployment["spec"]["replicas"] = 1
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["image"] = f"{CONFIG['image']}:none"
    container["resources"]["requests"] = {"cpu": "1m", "memory": "64Mi"}
    secret = {"database-url": DATABASE, "credential": CREDENTIAL}
    route = {
        "parentRefs": [{"name": "sandbox", "namespace": "projectcontour"}],
        "hostnames": [place.host],
        "rules": [{"backendRefs": [{"name": NAME, "port": 8080}]}],
    }
    return {
        "deployment.yaml": deployment,
        "route.yml": {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": NAME},
            "spec": route,
        },
        "secret.json": {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "mcp-server-secrets"},
            "stringData": secret,
        },
        "service.yaml": service,
    }


FLOWS = [
    {
        "name": "a part is found",
        "mcp": {"tool": "reorder_point", "arguments": {"daily_demand": 2, "lead_time_days": 3}, "expect": "!isError"},
    },
    {"name": "the database answers", "pod": {"command": ["./health-check", "--database"]}},
    {"name": "operations", "command": {"argv": ["sh", "-c", "echo all tests pass for $MCP_VERSION"]}},
]


def staged(
    place: Place, tmp_path: Path, version: str, *words: str, **more: t.Any
) -> tuple[int, str, dict[str, t.Any], float]:
    """Run the play; return its exit code, output, the results of the checks by their ids, and its seconds."""
    words = (*inventory(place, tmp_path, **more), "-e", f"version={version}", *words)
    began = time.monotonic()
    code, said = play("playbooks/staging.yml", *words, ANSIBLE_LOG_PATH=str(tmp_path / "log"))
    seconds = time.monotonic() - began
    output = (tmp_path / "out.json").read_text() if (tmp_path / "out.json").exists() else "{}"
    assert not planted.shown(said + output + (tmp_path / "log").read_text(), PLANTED)
    assert "Traceback" not in said, said
    found = json.loads(output)
    checks = found["servers"][0]["checks"] if found else []
    (tmp_path / "out.json").unlink(missing_ok=True)
    return code, said, {one["id"]: one for one in checks}, seconds


def inventory(place: Place, tmp_path: Path, **more: t.Any) -> tuple[str, ...]:
    its = {
        **variables(NAME, place.host),
        "mcp_namespace": place.namespace,
        "mcp_kubeconfig": str(place.kubeconfig),
        "mcp_staging_source": {"folder": str(place.folder)},
        "mcp_critical_flows": FLOWS,
        "mcp_escalation": [{"kind": "application", "name": "Eva", "contact": "555"}],
        "mcp_load": False,
        **more,
    }
    file = tmp_path / "staging.yml"
    file.write_text(json.dumps({"staging": {"hosts": {NAME: its}}}))
    return ("-i", str(file), "-l", NAME, "-e", f"mcp_output={tmp_path / 'out.json'}")


def verdicts(checks: dict[str, t.Any]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in checks.items() if not name.startswith("load")}


def objects(place: Place) -> dict[str, t.Any]:
    """Return what the play could have made: spec and generation by kind and name."""
    kinds = "deployment,service,httproute,secret,configmap,lease,job,serviceaccount,role,pvc,statefulset"
    listed = json.loads(kubectl("-n", place.namespace, "get", kinds, "-o", "json"))["items"]
    given = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default", "ServiceAccount/stager", "Role/stager"}
    found = {f"{one['kind']}/{one['metadata']['name']}": one for one in listed}
    return {
        name: (one.get("spec", one.get("data")), one["metadata"].get("generation"))
        for name, one in found.items()
        if name not in given
    }


def test_a_version_is_staged_and_checked(place: Place, tmp_path: Path) -> None:
    code, said, checks, _file = staged(place, tmp_path, NEW, "--check", "--diff")
    assert code == 0 and "+kind: HTTPRoute" in said and "hidden" in said, said
    assert objects(place) == {}

    code, said, checks, _file = staged(place, tmp_path, NEW)
    assert code == 0, said
    assert verdicts(checks) == dict.fromkeys(RUNS, "passed"), said
    assert "all tests pass for v1.2.0" in checks["flow_3"]["output"]
    assert "a good health document" in checks["external"]["message"]
    made = objects(place)
    lease = made.pop(f"Lease/{NAME}-release")
    assert sorted(made) == [
        f"Deployment/{NAME}",
        f"HTTPRoute/{NAME}",
        "Secret/mcp-server-secrets",
        f"Service/{NAME}",
    ], made
    assert not lease[0].get("holderIdentity"), lease
    (container,) = made[f"Deployment/{NAME}"][0]["template"]["spec"]["containers"]
    assert re.fullmatch(rf"{CONFIG['image']}:{NEW}@sha256:\w{{64}}", container["image"])

    # The modern era has no ping.
    code, said, checks, _file = staged(place, tmp_path, NEW, mcp_era="legacy")
    assert code == 0 and "changed=0" in said and "a ping" in checks["internal"]["message"], said
    after = objects(place)
    assert after.pop(f"Lease/{NAME}-release") == lease and after == made


def test_each_failure_is_a_row_and_the_others_are_made(place: Place, tmp_path: Path) -> None:
    """The external entry is broken while the internal one is good, and flows fail."""
    flows = [
        {"name": "no such part", "mcp": {**FLOWS[0]["mcp"], "expect": "structuredContent.result == `7`"}},
        {"name": "operations", "command": {"argv": ["sh", "-c", "echo 1 of 9 tests failed; exit 3"]}},
        {"name": "the database answers", "pod": {"command": ["./health-check", "--database"]}},
    ]
    endpoint = {"url": CONFIG["public_url"], "host": "nobody.example"}
    internal = {"url": CONFIG["public_url"], "host": place.host}
    code, said, checks, _file = staged(
        place, tmp_path, NEW, mcp_endpoint=endpoint, mcp_internal_endpoint=internal, mcp_critical_flows=flows
    )
    assert code and "Eva" in said, said
    wanted = dict.fromkeys(RUNS, "passed") | dict.fromkeys(("external", "flow_1", "flow_2"), "failed")
    assert verdicts(checks) == wanted, said
    assert "exit code 3" in checks["flow_2"]["message"] and "1 of 9 tests failed" in checks["flow_2"]["output"]


def test_a_version_that_cannot_run_ends_at_once(place: Place, tmp_path: Path) -> None:
    before = objects(place)
    later = dict.fromkeys(("internal", "external", "flow"), "skipped")
    code, said, checks, _file = staged(place, tmp_path, MISSING)
    assert code and verdicts(checks) == {"registry": "failed", "apply": "skipped", "rollout": "skipped", **later}, said
    assert objects(place) == before
    for version, word, most in ((MISSING, "ErrImagePull|ImagePullBackOff|not found", 40), (CRASHES, "crash|exit", 90)):
        code, said, checks, seconds = staged(place, tmp_path, version, mcp_check_registry=False)
        wanted = {"registry": "skipped", "apply": "passed", "rollout": "failed", **later}
        assert code and verdicts(checks) == wanted, said
        assert re.search(word, checks["rollout"]["message"]) and seconds < most, (seconds, checks["rollout"])
        print(f"{version}: {seconds:.1f} s: {checks['rollout']['message']}")


def test_what_is_not_of_the_namespace_is_refused(place: Place, tmp_path: Path) -> None:
    before = objects(place)
    file = place.folder / "more.yaml"
    for more, words in (
        ({"kind": "ConfigMap", "metadata": {"name": "other", "namespace": "default"}}, "in namespace default"),
        ({"kind": "Namespace", "metadata": {"name": "mine"}}, "of the whole cluster"),
    ):
        file.write_text(yaml.safe_dump({"apiVersion": "v1", **more}))
        try:
            code, said, checks, _file = staged(place, tmp_path, NEW)
        finally:
            file.unlink()
        assert code and checks["apply"]["verdict"] == "failed" and words in checks["apply"]["message"], said
        assert checks["rollout"]["verdict"] == "skipped" and objects(place) == before


def test_a_run_that_was_killed_is_finished_by_the_next(place: Place, tmp_path: Path) -> None:
    """Also what somebody else set by kubectl is refused, and taken over by force."""
    kubectl("-n", place.namespace, "set", "image", f"deployment/{NAME}", f"{NAME}={CONFIG['image']}:{OLD}")
    code, said, checks, _file = staged(place, tmp_path, NEW)
    assert code and "kubectl-set" in checks["apply"]["message"], said
    many = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"part-{number:02}"}} for number in range(40)
    ]
    (place.folder / "parts.yaml").write_text(yaml.safe_dump_all(many))
    words = (*inventory(place, tmp_path), "-e", f"version={NEW}", "-e", "mcp_staging_force=true")
    with running("playbooks/staging.yml", *words) as process:
        until(process, "created ConfigMap part-02")
        process.send_signal(signal.SIGKILL)
        rest(process)
    time.sleep(0.5)
    made = [name for name in objects(place) if name.startswith("ConfigMap/part-")]
    assert 3 <= len(made) < len(many)
    code, said, checks, _file = staged(place, tmp_path, NEW, mcp_staging_force=True)
    assert code == 0 and verdicts(checks) == dict.fromkeys(RUNS, "passed"), said
    assert len([name for name in objects(place) if name.startswith("ConfigMap/part-")]) == len(many)
    code, said, checks, _file = staged(place, tmp_path, NEW)
    assert code == 0 and "changed=0" in said, said
