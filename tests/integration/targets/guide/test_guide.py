# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/guide, command by command in the order of its pages, as a reader types them, on servers of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from command_blocks import blocks, missing, reader, run, substituted
from playing import CACHE, COLLECTIONS, CONFIG, ENVIRONMENT, kubectl
from roles_of_pages import apply
from small_servers import MANIFESTS, Small, manifests, until_served
from soaking import soak

from ansible_collections.mcp.server.plugins.module_utils._guide.headings import HEADINGS

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes namespaces of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

PAGES = tuple(dict.fromkeys(heading.page for heading in HEADINGS))
# What `make test` runs: the commands that change what is live, and what comes before them. The other pages read what is
# there, by playbooks with targets of their own, or build and load; each of them takes seconds more.
SHORT = ("README", "production", "rollback", "override")

NAMESPACE = f"guide-{secrets.token_hex(3)}"
PROD, STAGING = f"{NAMESPACE}-prod", f"{NAMESPACE}-staging"
HOST = {namespace: f"{namespace}.{CONFIG['public_host']}" for namespace in (PROD, STAGING)}
BASE = f"{CONFIG['registry_url'].rpartition('/')[2]}/{CONFIG['image'].partition('/')[2]}:v1.2.0"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"


def endpoint(namespace: str) -> str:
    return f"{{url: {CONFIG['public_url']}, host: {HOST[namespace]}}}"


# What must differ on the sandbox: the page's text, what stands in its place, and why.
SUBSTITUTES = (
    ("{url: https://mcp-prod.example.com}", endpoint(PROD), "where the gateway is"),
    ("{url: https://mcp-rehearsal.example.com}", endpoint(PROD), "the same server"),
    ("{url: https://mcp-staging.example.com}", endpoint(STAGING), "where the gateway is"),
    ("{url: http://mcp-staging.internal:8080}", endpoint(STAGING), "the sandbox has one entry"),
    ("https://prometheus.example.com", CONFIG["prometheus_url"], "where Prometheus is"),
    ("database-prod.cluster-xyz.internal", "postgresql.database.svc", "where the database is"),
    ("mcp-prod", PROD, "a namespace of this run's own"),
    ("mcp-rehearsal", PROD, "the same server"),
    ("mcp-staging", STAGING, "a namespace of this run's own"),
    ("mcp_context: staging", "mcp_context: production", "the sandbox is one cluster"),
    (
        "      mcp_image:",
        f"      mcp_registry: {CONFIG['registry_url']}\n"
        "      mcp_rollback_verify_seconds: 1\n"
        "      mcp_warm_seconds: 2\n"
        "      mcp_steps: [{weight: 10, seconds: 3}, {weight: 50, seconds: 3}, {weight: 100, seconds: 2}]\n"
        "      mcp_gates: {latency_rise: {enabled: false}}\n"
        "      mcp_image:",
        "the registry of this image; half an hour less of watching, in which no latency can be compared",
    ),
    ("      mcp_context: production\n", "", "the cluster is that of the kubeconfig"),
    ("mcp_watch_seconds=600", "mcp_watch_seconds=5", "ten minutes of watching"),
    ("600 of 600 s", "5 of 5 s", "the same"),
    ("manual-1", f"manual-{NAMESPACE[-6:]}", "the registry is shared"),
)


def here(text: str) -> str:
    return substituted(text, [(shown, stands_in) for shown, stands_in, _why in SUBSTITUTES])


def staged() -> dict[str, t.Any]:
    """Return the reader's manifests for staging, by file name: one Deployment."""
    service, deployment = yaml.safe_load_all((MANIFESTS / "pool" / "pool.yaml").read_text())
    deployment["spec"]["replicas"] = 1
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["resources"]["requests"] = {"cpu": "1m", "memory": "64Mi"}
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "mcp-server"},
        "spec": {
            "parentRefs": [{"name": "sandbox", "namespace": "projectcontour"}],
            "hostnames": [HOST[STAGING]],
            "rules": [{"backendRefs": [{"name": "mcp-server", "port": 8080}]}],
        },
    }
    for one in (service, deployment):
        del one["metadata"]["namespace"]
    return {"service.yaml": service, "deployment.yaml": deployment, "route.yaml": route}


def secret(namespace: str) -> dict[str, t.Any]:
    metadata = {"name": "mcp-server-secrets", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"database-url": DATABASE}}


@pytest.fixture
def folder(tmp_path: Path) -> t.Iterator[Path]:
    """The reader's folder, with what the guide takes as given: the server in production, and the files of a release."""
    files = {f"k8s/staging/{name}": yaml.safe_dump(manifest) for name, manifest in staged().items()}
    files["scripts/validate-mcp-operations.sh"] = "#!/bin/sh\necho all tests pass on $1\n"
    files["Containerfile"] = f"FROM {BASE}\nLABEL by=hand\n"
    storage = f'graphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n'
    files["storage.conf"] = f'[storage]\ndriver = "overlay"\n{storage}'
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "scripts/validate-mcp-operations.sh").chmod(0o755)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (PROD, STAGING)]
    try:
        apply(*namespaces, secret(PROD), secret(STAGING))
        apply(*manifests(Small("mcp-server", HOST[PROD]), PROD, NAMESPACE, {}))
        kubectl("-n", PROD, "wait", "--for=condition=Available", "deployment/mcp-server-blue", "--timeout=50s")
        until_served(CONFIG["public_url"], HOST[PROD])
        yield tmp_path
    finally:
        kubectl("delete", "namespace", PROD, STAGING, "--ignore-not-found", "--wait=false")


def environment(folder: Path) -> dict[str, str]:
    tools = sorted(CACHE.glob("vegeta-*/vegeta"), key=lambda path: path.stat().st_mtime)
    path = os.pathsep.join([os.environ["PATH"], *(str(tool.parent) for tool in tools[-1:])])
    return reader(
        ENVIRONMENT,
        folder,
        KUBECONFIG=CONFIG["admin_kubeconfig"],
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        PATH=path,
        BUILDAH_ISOLATION="chroot",
        CONTAINERS_STORAGE_CONF=str(folder / "storage.conf"),
    )


@pytest.mark.parametrize("pages", [pytest.param(SHORT, id="short"), pytest.param(PAGES, id="all", marks=soak)])
def test_each_command_of_the_pages(folder: Path, pages: tuple[str, ...]) -> None:
    """A later command needs what the one before did: the release is what is rolled back."""
    given, said = environment(folder), ""
    for block in [block for page in pages for block in blocks(f"docs/guide/{page}.md")]:
        if block.file:
            (folder / block.file).write_text(here(block.text))
        elif block.commands:
            done = run(here(block.commands), folder, given)
            print(f"{done.seconds:.1f} s: {block}: {block.commands}{done.said}")
            assert done.code == 0, f"{block}: {done.said}"
            said = done.said
            assert "sandbox-only" not in said, block
        else:
            assert block.language == "text", block
            assert not (lost := missing(here(block.text), said)), f"{block}: {lost} not in\n{said}"
