# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tag becomes a release: the pipelines that ci_scaffold.yml writes, each step run against registry and cluster."""

from __future__ import annotations

import base64
import json
import re
import secrets
import subprocess
import sys
import typing as t
from pathlib import Path

import planted
import pytest
import yaml
from pipelines import RUN, Forge, StepFailed, git
from playing import CONFIG, ROOT, kubectl, play, variables
from repositories import PREPARE, commit, repository, runner_environment, scaffold
from roles_of_pages import account, apply

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

FIRST, SECOND = "v1.0.0", "v1.1.0"
AUDIENCE = "https://cluster.example.com/api?of=org"
JOB_TOKEN = "planted-job-token-Uw7rHq2c"
STAGED = "tools-staged"
PORTS = [{"name": "http", "port": 8080}]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the artifact of this checkout, which the jobs install."""
    folder = tmp_path_factory.mktemp("artifact")
    words = ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(folder)]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    (file,) = folder.glob("*.tar.gz")
    return str(file)


class World(t.NamedTuple):
    """A namespace for both environments, with the pipeline's ServiceAccount."""

    namespace: str
    folder: Path


@pytest.fixture
def world(tmp_path: Path) -> t.Iterator[World]:
    found = World(f"ci-try-{secrets.token_hex(3)}", tmp_path)
    rules = yaml.safe_load(re.findall(r"```yaml\n(- api.*?)```", (ROOT / "docs/staging.md").read_text(), re.DOTALL)[0])
    try:
        kubectl("create", "namespace", found.namespace)
        apply(*account(found.namespace, "pipeline", rules))
        yield found
    finally:
        kubectl("delete", "namespace", found.namespace, "--ignore-not-found", "--wait=false")


def servers(world: World, image: str) -> dict[str, t.Any]:
    """Return the inventory of the repository."""
    host = f"{world.namespace}.{CONFIG['public_host']}"
    its = variables(
        "tools",
        host,
        mcp_namespace=world.namespace,
        mcp_image=image,
        mcp_compare_version=["server_info"],
        mcp_health_path=None,
        mcp_health_checks=None,
        mcp_contract_check=True,
        mcp_install_gateway={"name": "sandbox", "namespace": "projectcontour"},
        mcp_install_replicas=1,
        mcp_install_run_as_user=10001,
        mcp_install_pre_stop_seconds=1,
        mcp_install_termination_seconds=5,
        mcp_install_resources={"requests": {"cpu": "1m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        mcp_install_releasers=[{"kind": "ServiceAccount", "name": "pipeline", "namespace": world.namespace}],
        mcp_steps=[{"weight": 50, "seconds": 2}, {"weight": 100, "seconds": 2}],
        mcp_warm_seconds=1,
        mcp_rollback_verify_seconds=1,
        mcp_api_timeout=60,
    )
    del its["mcp_kubeconfig"]  # the job's own
    staged = {**its, "mcp_server": STAGED, "mcp_staging_source": {"folder": "k8s/staging"}, "mcp_load": False}
    del staged["mcp_endpoint"]
    return {"staging": {"hosts": {"tools-staging": staged}}, "production": {"hosts": {"tools": its}}}


def manifests(image: str) -> list[dict[str, t.Any]]:
    labels = {"app": STAGED}
    container = {
        "name": STAGED,
        "image": f"{image}:none",
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "1m", "memory": "32Mi"}},
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "startupProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 180},
        "securityContext": {"runAsUser": 10001, "allowPrivilegeEscalation": False},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 2}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": STAGED}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": STAGED},
            "spec": {"selector": labels, "ports": PORTS},
        },
    ]


@pytest.mark.parametrize(
    ("forge_name", "language"),
    [
        ("github", "python"),
        pytest.param("gitlab", "go", marks=pytest.mark.soak),
        pytest.param("github", "typescript", marks=pytest.mark.soak),
    ],
)
def test_a_tag_becomes_a_release(world: World, collection: str, forge_name: str, language: str) -> None:
    image = f"{CONFIG['image'].partition('/')[0]}/org/ci-{language}-{forge_name}"
    origin = repository(world.folder / "origin", language)
    (origin / "k8s/staging").mkdir(parents=True)
    for one in manifests(image):
        (origin / f"k8s/staging/{one['kind']}.json").write_text(json.dumps(one))
    (origin / "deploy").mkdir()
    (origin / "deploy/inventory.yml").write_text(json.dumps(servers(world, image)))
    code, said = scaffold(
        origin,
        mcp_image=image,
        mcp_ci_language=language,
        mcp_ci_forges=[forge_name],
        mcp_ci_prepare=PREPARE[language],
        mcp_ci_branches=["main"],
        mcp_ci_audience=AUDIENCE,
        mcp_ci_build_arguments=["-e", f"mcp_registry={CONFIG['registry_url']}", "-e", "mcp_build_tool=buildah"],
        mcp_ci_production_arguments=["-e", "mcp_warm_seconds=1"],
        mcp_ci_python=sys.executable,
        mcp_ci_collection=collection,
    )
    assert code == 0, said
    commit(origin, FIRST)

    run = RUN[forge_name]
    forge = Forge(
        origin,
        world.folder / "jobs",
        runner_environment(world.folder),
        dict.fromkeys(("staging", "production"), api_server()),
        lambda _audience: kubectl("-n", world.namespace, "create", "token", "pipeline", "--duration=1h").strip(),
        JOB_TOKEN,
    )
    forge.folder.mkdir()
    run(forge, FIRST, only="build")
    (built,) = forge.ran["build"].values()
    assert re.fullmatch(rf"{re.escape(image)}:{FIRST}@sha256:[0-9a-f]{{64}}", built)
    words = ["-i", str(origin / "deploy/inventory.yml"), "-l", "tools", "-e", f"version={FIRST}"]
    code, said = play("playbooks/install.yml", *words, "-e", f"mcp_kubeconfig={CONFIG['admin_kubeconfig']}")
    assert code == 0, said

    commit(origin, SECOND)
    forge.output = ""
    run(forge, SECOND)
    (built,) = forge.ran["build"].values()
    assert forge.environments == ["staging", "production"] and {*forge.asked} == {AUDIENCE}
    assert [*forge.ran] == ["build", "staging", "production"]
    # What was built is what runs, in both.
    assert image_of(world, STAGED) == image_of(world, "tools-green") == built and f":{SECOND}@" in built
    flat = " ".join(forge.output.split())
    assert "version: what agrees" in flat and "git describe" in flat.partition("version: what agrees")[2]
    assert f"serverInfo.json: {json.dumps({'version': SECOND[1:]})[:-1]}" in flat

    # The same comparison, in a checkout of another version, fails.
    forge.folder = world.folder / "late"
    forge.folder.mkdir()
    git("tag", "-a", "v1.2.0", "-m", "v1.2.0", cwd=commit_more(origin))
    forge.ran = {"build": {next(iter(forge.ran["build"])): built}, "staging": {}}
    with pytest.raises(StepFailed) as failed:
        compare(forge, "v1.2.0")
    assert "git describe" in " ".join(str(failed.value).split()) and "v1.2.0" in str(failed.value)

    forms = [JOB_TOKEN, *planted.of_kubeconfig(CONFIG["admin_kubeconfig"])]
    assert not planted.shown(forge.output, forms) and "Bearer" not in forge.output
    # GitLab keeps the folder for the next job; GitHub empties its own.
    assert not [*world.folder.glob("jobs/*-mcp-*.tmp/mcp-release/*")]


def api_server() -> dict[str, str]:
    (cluster,) = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())["clusters"]
    authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
    return {"MCP_API_SERVER": cluster["cluster"]["server"], "MCP_API_CA": authority}


def image_of(world: World, workload: str) -> str:
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    return kubectl("-n", world.namespace, "get", "deployment", workload, "-o", path)


def commit_more(origin: Path) -> Path:
    git("commit", "-q", "--allow-empty", "-m", "More", cwd=origin)
    return origin


def compare(forge: Forge, tag: str) -> None:
    """Run the last step of production alone, with an ID token as the job would have it."""
    place = forge.folder / "compare"
    forge.check_out(place, tag, whole=True)
    environment = {
        "CI_COMMIT_TAG": tag,
        "MCP_TEMP": str(forge.folder / "temp"),
        "MCP_ID_TOKEN": forge.token(AUDIENCE),
        **forge.variables["production"],
    }
    forge.shell("exec sh ci/mcp-release.sh compare", ["bash"], place, environment)
