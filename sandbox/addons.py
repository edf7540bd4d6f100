# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on the cluster: one add-on is one entry of ADDONS, applied in this order."""

from __future__ import annotations

import json
import re
import shutil
import time
import typing as t
from pathlib import Path

from .images import BINARIES
from .kubernetes import API, kubectl
from .machine import run, say, wait_for
from .paths import ADMIN_KUBECONFIG, ALERTMANAGER, GATEWAY, INFO, PROMETHEUS, REGISTRY, RUN, SOURCE, STATE

MANIFESTS = SOURCE / "manifests"
NAMESPACE = "mcp-sandbox"
PUBLIC_HOST = "mcp.sandbox.example"
# CRDs for which nothing else is made: Go module, file in it, how the names of those end that are taken
CRDS = (
    ("istio.io/api@v1.31.1", "kubernetes/customresourcedefinitions.gen.yaml", "virtualservices.networking.istio.io"),
    (
        "github.com/openshift/api@v0.0.0-20260213204242-d34f11c515b3",
        "route/v1/zz_generated.crd-manifests/routes.crd.yaml",
        "routes.route.openshift.io",
    ),
    (
        "github.com/traefik/traefik/v3@v3.7.13",
        "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",
        ".traefik.io",
    ),
)
RELEASER_KUBECONFIG = STATE / "releaser.kubeconfig"


class Server(t.NamedTuple):
    """An example server in a namespace of its own, and the kubeconfig of its releaser."""

    namespace: str
    host: str
    kubeconfig: Path


# The first is everybody's; the same again, so that tests can run beside each other.
SERVERS = [
    Server(NAMESPACE, PUBLIC_HOST, RELEASER_KUBECONFIG),
    *(
        Server(f"{NAMESPACE}-{number}", f"{name}.{PUBLIC_HOST}", STATE / f"{name}.kubeconfig")
        for number, name in enumerate(("second", "third", "fourth"), start=2)
    ),
]


def up(made_from: str) -> None:
    """Applies every add-on, waits until its workloads are ready, and writes what tests need to know."""
    for name, apply, _workloads in ADDONS:
        say(f"{name}: applying")
        apply()
    for name, _apply, workloads in ADDONS:
        for namespace, workload in workloads:
            say(f"{name}: waiting for {workload}")
            kubectl("rollout", "status", workload, "-n", namespace, "--timeout=150s", timeout=160)
    # While an API is unavailable, no namespace can be deleted.
    kubectl("wait", "--for=condition=Available", "apiservice", "--all", "--timeout=150s", timeout=160)
    wait_for("the gateway", _route_answers, 60)
    info = {
        "made_from": made_from,
        "kubeconfig": str(RELEASER_KUBECONFIG),
        "admin_kubeconfig": str(ADMIN_KUBECONFIG),
        "namespace": NAMESPACE,
        "public_host": PUBLIC_HOST,
        "servers": [{**server._asdict(), "kubeconfig": str(server.kubeconfig)} for server in SERVERS],
        "registry_url": f"http://{REGISTRY}",
        "image": "ghcr.io/org/mcp-server",
        "public_url": f"http://{GATEWAY}",
        "prometheus_url": f"http://{PROMETHEUS}",
        "alertmanager_url": f"http://{ALERTMANAGER}",
    }
    INFO.write_text(json.dumps(info, indent=1))


def _apply_manifests(name: str, *modules: tuple[str, str, str]) -> t.Callable[[], None]:
    """Applies manifests/NAME; each (module, its folder, our folder) is copied in from the Go module cache first."""

    def apply() -> None:
        place = RUN / "manifests" / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(MANIFESTS / name, place)
        for module, source, target in modules:
            _copy_module(module, source, place / target)
        argument = ("-k", place) if (place / "kustomization.yaml").exists() else ("-f", place)
        kubectl("apply", "--server-side", "--force-conflicts", *argument)

    return apply


def module_folder(module: str) -> Path:
    """The folder of a Go module, out of what go says among other lines."""
    return Path(
        run(["go", "mod", "download", "-json", module], cwd=BINARIES, timeout=300)
        .partition('"Dir": "')[2]
        .partition('"')[0]
    )


def _copy_module(module: str, source: str, target: Path) -> None:
    folder = module_folder(module) / source
    target.mkdir(parents=True)
    files = sorted(path.name for path in folder.glob("*.yaml") if path.name != "kustomization.yaml")
    for file in files:
        (target / file).write_bytes((folder / file).read_bytes())
    (target / "kustomization.yaml").write_text(json.dumps({"resources": files}))


def _gateway_api() -> None:
    _apply_manifests("gateway-api", ("sigs.k8s.io/gateway-api@v1.3.0", "config/crd/experimental", "crds"))()
    kubectl(
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd/gateways.gateway.networking.k8s.io",
        "crd/httproutes.gateway.networking.k8s.io",
    )


def _routes() -> None:
    for module, file, ending in CRDS:
        definitions = (module_folder(module) / file).read_text().split("\n---\n")
        wanted = [text for text in definitions if re.search(rf"^  name: .*{re.escape(ending)}$", text, re.MULTILINE)]
        kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin="\n---\n".join(wanted))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    _apply_manifests("routes")()


def _mcp_server(server: Server) -> t.Callable[[], None]:
    namespace, host, kubeconfig = server

    def apply() -> None:
        manifests = (
            kubectl("kustomize", MANIFESTS / "mcp-server").replace(PUBLIC_HOST, host).replace(NAMESPACE, namespace)
        )
        kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifests)
        token = ""
        deadline = time.monotonic() + 20
        while not token and time.monotonic() < deadline:  # the token controller fills the Secret a moment later
            token = kubectl(
                "get",
                "secret",
                "mcp-releaser-token",
                "-n",
                namespace,
                "-o",
                "go-template={{if .data}}{{.data.token | base64decode}}{{end}}",
            )
        authority = json.loads(kubectl("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"][
            "certificate-authority-data"
        ]
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sandbox", "cluster": {"server": API, "certificate-authority-data": authority}}],
            "users": [{"name": "mcp-releaser", "user": {"token": token.strip()}}],
            "contexts": [
                {"name": "sandbox", "context": {"cluster": "sandbox", "user": "mcp-releaser", "namespace": namespace}}
            ],
            "current-context": "sandbox",
        }
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(config, indent=1))

    return apply


def _route_answers() -> bool:
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    try:
        return urlopen(Request(f"http://{GATEWAY}/health", headers={"Host": PUBLIC_HOST}), timeout=2).status == 200
    except (URLError, OSError):
        return False


ADDONS: list[tuple[str, t.Callable[[], None], list[tuple[str, str]]]] = [
    ("gateway-api", _gateway_api, []),
    (
        "gateway",
        _apply_manifests("gateway", ("github.com/projectcontour/contour@v1.33.8", "examples/contour", "contour")),
        [("projectcontour", "deployment/contour"), ("projectcontour", "daemonset/envoy")],
    ),
    ("postgresql", _apply_manifests("postgresql"), [("database", "deployment/postgresql")]),
    (
        "monitoring",
        _apply_manifests("monitoring"),
        [("monitoring", "deployment/prometheus"), ("monitoring", "deployment/alertmanager")],
    ),
    ("metrics-server", _apply_manifests("metrics-server"), [("kube-system", "deployment/metrics-server")]),
    *(
        (
            server.namespace,
            _mcp_server(server),
            [(server.namespace, f"deployment/{name}-blue") for name in ("mcp-server", "mcp-sessions")],
        )
        for server in SERVERS
    ),
    ("routes", _routes, []),
]
