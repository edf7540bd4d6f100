# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flux's kustomize-controller beside the cluster, in one namespace, and the Git repository that it takes manifests from."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import io
import json
import os
import subprocess
import tarfile
import threading
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

from playing import CONFIG, kubectl

from sandbox.paths import CACHE

NAMESPACE = CONFIG["test_namespace"]
INTERVAL = 3  # seconds between two looks of the controller at what it applied
KINDS = "kustomizations.kustomize.toolkit.fluxcd.io,gitrepositories.source.toolkit.fluxcd.io"
# As large as an installation of Flux for one namespace has it.
RIGHTS = [
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "flux"}},
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "flux"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "flux"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "flux"},
        "subjects": [{"kind": "ServiceAccount", "name": "flux", "namespace": NAMESPACE}],
    },
]


class Kustomization:
    """One of Flux's Kustomizations, and the repository behind it."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        self.name = name
        self._folder, self._url = folder, url

    def commit(self, objects: t.Iterable[dict[str, t.Any]]) -> str:
        """Have the repository hold these manifests. Return the revision. This is source-controller's part."""
        # In JSON, as Go's YAML takes a text such as 191e10 for a number where Python's does not quote it.
        manifests = "\n---\n".join(json.dumps(one) for one in objects).encode()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            entry = tarfile.TarInfo("manifests.yaml")
            entry.size = len(manifests)
            tar.addfile(entry, io.BytesIO(manifests))
        content = gzip.compress(buffer.getvalue(), mtime=0)  # the same manifests are the same revision
        digest = hashlib.sha256(content).hexdigest()
        archive = self._folder / f"{digest}.tar.gz"
        archive.write_bytes(content)
        artifact = {
            "digest": f"sha256:{digest}",
            "lastUpdateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "path": archive.name,
            "revision": f"main@sha256:{digest}",
            "url": f"{self._url}/{archive.name}",
        }
        _patch(
            "gitrepositories.source.toolkit.fluxcd.io",
            self.name,
            {"status": {"artifact": artifact}},
            "--subresource=status",
        )
        return artifact["revision"]

    def apply(self, objects: t.Iterable[dict[str, t.Any]], **spec: t.Any) -> None:
        """Commit these manifests, and wait until Flux has applied them with these settings."""
        revision = self.commit(objects)
        self.set(**spec)
        deadline = time.monotonic() + 60
        while not self._has_applied(revision):
            assert time.monotonic() < deadline, self._get()
            time.sleep(0.5)

    def set(self, **spec: t.Any) -> None:
        """Change settings of the Kustomization. `flux suspend kustomization` is set(suspend=True)."""
        _patch("kustomizations.kustomize.toolkit.fluxcd.io", self.name, {"spec": spec})

    def _has_applied(self, revision: str) -> bool:
        found = self._get()
        status = found.get("status") or {}
        return (status.get("lastAppliedRevision"), status.get("observedGeneration")) == (
            revision,
            found["metadata"]["generation"],
        )

    def _get(self) -> dict[str, t.Any]:
        return json.loads(
            kubectl("-n", NAMESPACE, "get", "kustomizations.kustomize.toolkit.fluxcd.io", self.name, "-o", "json")
        )


def _patch(kind: str, name: str, patch: dict[str, t.Any], *words: str) -> None:
    kubectl("-n", NAMESPACE, "patch", kind, name, "--type=merge", "-p", json.dumps(patch), *words)


class Flux:
    """The controller that runs, and the server of its archives."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url

    @contextmanager
    def kustomization(self, name: str) -> t.Iterator[Kustomization]:
        """Make a Kustomization that has nothing to apply yet. What it applied is left when it goes."""
        objects = [
            {
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "GitRepository",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"interval": "1h", "url": "https://git.sandbox.example/releases"},
            },
            {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {
                    "interval": f"{INTERVAL}s",
                    "retryInterval": f"{INTERVAL}s",
                    "prune": False,
                    "sourceRef": {"kind": "GitRepository", "name": name},
                },
            },
        ]
        kubectl(
            "apply",
            "--server-side",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
        )
        try:
            yield Kustomization(name, self._folder, self._url)
        finally:
            kubectl("-n", NAMESPACE, "delete", KINDS, "--field-selector", f"metadata.name={name}", "--timeout=30s")


@contextmanager
def controller(folder: Path) -> t.Iterator[Flux]:
    """Run kustomize-controller for this namespace, with its log in the folder."""
    built = sorted(CACHE.glob("kustomize-controller-*/crds.yaml"), key=lambda path: path.stat().st_mtime)
    assert built, "build it first: python -m sandbox.flux"
    kubectl("apply", "--server-side", "-f", str(built[-1]))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(built[-1]))
    _forget_earlier_ones()
    kubectl(
        "-n", NAMESPACE, "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": RIGHTS})
    )
    archives = folder / "archives"
    archives.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(archives))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "KUBECONFIG": str(_kubeconfig(folder)),
        "RUNTIME_NAMESPACE": NAMESPACE,
        "TMPDIR": str(folder),
    }
    command = [
        built[-1].with_name("kustomize-controller"),
        "--watch-all-namespaces=false",
        "--metrics-addr=0",
        "--health-addr=0",
        "--log-encoding=console",
    ]
    with (folder / "flux.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--interval-jitter-percentage=0"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield Flux(archives, f"http://127.0.0.1:{server.server_address[1]}")
        assert process.poll() is None, "Flux ended by itself"
    finally:
        process.kill()
        process.wait()
        server.shutdown()
        server.server_close()
        kubectl(
            "-n", NAMESPACE, "delete", "serviceaccount,role,rolebinding", "flux", "--ignore-not-found", "--wait=false"
        )
        print((folder / "flux.log").read_text())


def _forget_earlier_ones() -> None:
    """Of a run that was killed: nothing is left that would end them."""
    for name in kubectl("-n", NAMESPACE, "get", KINDS, "-o", "name").split():
        kubectl("-n", NAMESPACE, "patch", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
        kubectl("-n", NAMESPACE, "delete", name, "--wait=false")


def _kubeconfig(folder: Path) -> Path:
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    (cluster,) = config["clusters"]
    user = {
        "name": "flux",
        "user": {"token": kubectl("-n", NAMESPACE, "create", "token", "flux", "--duration=3h").strip()},
    }
    context = {"name": "flux", "context": {"cluster": cluster["name"], "user": "flux", "namespace": NAMESPACE}}
    file = folder / "flux.kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps({**config, "users": [user], "contexts": [context], "current-context": "flux"}))
    return file
