# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real Traefik as the gateway of a server on the fake API server, whose pods are on loopback."""

from __future__ import annotations

import copy
import json
import os
import signal
import socket
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from ansible_collections.mcp.server.sandbox.paths import CACHE
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

POOLS = ("blue", "green")
HOST = "mcp.example"
GROUP = "/apis/gateway.networking.k8s.io/v1"
ROUTE = f"{GROUP}/namespaces/prod/httproutes/mcp"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices"
EVERY = {"path": {"type": "PathPrefix", "value": "/"}}  # matches every request
# What Traefik watches. It serves no route before it could list each of them.
KINDS = {
    "backendtlspolicies": "BackendTLSPolicy",
    "configmaps": "ConfigMap",
    "endpointslices": "EndpointSlice",
    "gatewayclasses": "GatewayClass",
    "gateways": "Gateway",
    "grpcroutes": "GRPCRoute",
    "httproutes": "HTTPRoute",
    "namespaces": "Namespace",
    "referencegrants": "ReferenceGrant",
    "secrets": "Secret",
    "services": "Service",
    "tlsroutes": "TLSRoute",
}


class Quiet(BaseHTTPRequestHandler):
    def answer(self, status: int, document: t.Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def serving(handler: type[Quiet]) -> t.Iterator[int]:
    """Answer on a port of 127.0.0.1 with the handler."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads, server.block_on_close = True, False
    server.handle_error = lambda *_words: None  # type: ignore[method-assign]  # a client went away
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def pod_of(pool: str) -> type[Quiet]:
    """Return a pod that tells its pool, and on /stream sends something each second."""

    class Pod(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != "/stream":
                self.answer(200, {"status": "HEALTHY", "pool": pool, "version": "1"})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while True:
                self.wfile.write(b"3\r\n:\n\n\r\n")
                self.wfile.flush()
                time.sleep(1)

    return Pod


def api_of(cluster: ApiServer, missing: t.Collection[str]) -> type[Quiet]:
    """Return what a controller needs of the API server: lists, watches, and to write a status.

    missing: the resources that the cluster has no CRD for.
    """

    def head(path: str) -> dict[str, str]:
        version = "v1" if path.startswith("/api/") else "/".join(path.split("/")[2:4])
        return {"apiVersion": version, "kind": KINDS[path.rpartition("/")[2]]}

    def found(path: str) -> dict[str, t.Any]:
        objects = list(cluster.objects.items())
        ours = {place: one for place, one in objects if place.rpartition("/")[0] == path}
        return {place: {**head(path), **copy.deepcopy(one)} for place, one in ours.items()}

    class Api(Quiet):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            resource = path.rpartition("/")[2]
            if resource not in KINDS or resource in missing:
                self.answer(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})
            elif "watch" in query:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.watch(path, "sendInitialEvents" in query)
            else:
                metadata = {"resourceVersion": "1"}
                self.answer(200, {"kind": "List", "metadata": metadata, "items": list(found(path).values())})

        def watch(self, path: str, streams_list: bool) -> None:
            seen = found(path)
            if streams_list:
                for one in seen.values():
                    self.event("ADDED", one)
                annotations = {"k8s.io/initial-events-end": "true"}
                metadata = {"resourceVersion": "1", "annotations": annotations}
                self.event("BOOKMARK", {**head(path), "metadata": metadata})
            while True:
                time.sleep(0.02)
                now = found(path)
                for place, one in now.items():
                    version = one["metadata"]["resourceVersion"]
                    if place not in seen:
                        self.event("ADDED", one)
                    elif version != seen[place]["metadata"]["resourceVersion"]:
                        self.event("MODIFIED", one)
                seen = now

        def event(self, kind: str, one: dict[str, t.Any]) -> None:
            self.wfile.write(json.dumps({"type": kind, "object": one}).encode() + b"\n")
            self.wfile.flush()

        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            path = urlsplit(self.path).path.removesuffix("/status")
            cluster.objects[path]["status"] = body.get("status", {})
            cluster.touch(path)
            self.answer(200, {**body, "metadata": cluster.objects[path]["metadata"]})

    return Api


def backend(pool: str, weight: int) -> dict[str, t.Any]:
    return {"group": "", "kind": "Service", "name": f"mcp-{pool}", "port": 8080, "weight": weight}


class Served:
    """The server, and Traefik before it. url: of the gateway."""

    def __init__(self, cluster: ApiServer, ports: dict[str, int], port: int) -> None:
        self.cluster, self.url, self._ports = cluster, f"http://127.0.0.1:{port}", ports
        self.process: subprocess.Popen[bytes] | None = None
        for pool in POOLS:
            template = {"metadata": {}, "spec": {"containers": [{"name": "mcp", "image": "r.io/mcp:v1"}]}}
            path = f"/apis/apps/v1/namespaces/prod/deployments/mcp-{pool}"
            cluster.put(path, {"spec": {"replicas": 1, "template": template}})
            self.have(pool, 1)
            spec = {"clusterIP": "10.0.0.1", "ports": [{"name": "mcp", "port": 8080, "protocol": "TCP"}]}
            cluster.put(f"/api/v1/namespaces/prod/services/mcp-{pool}", {"spec": spec})
        parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "traefik"}
        rule = {"matches": [EVERY], "timeouts": {"request": "0s"}}
        rule["backendRefs"] = [backend("blue", 100), backend("green", 0)]
        cluster.put(ROUTE, {"spec": {"parentRefs": [parent], "hostnames": [HOST], "rules": [rule]}})
        listener = {"name": "http", "protocol": "HTTP", "port": port}
        listener["allowedRoutes"] = {"namespaces": {"from": "Same"}}
        cluster.put(f"{GROUP}/gatewayclasses/traefik", {"spec": {"controllerName": "traefik.io/gateway-controller"}})
        gateway = {"spec": {"gatewayClassName": "traefik", "listeners": [listener]}}
        cluster.put(f"{GROUP}/namespaces/prod/gateways/traefik", gateway)

    def have(self, pool: str, pods: int) -> None:
        """So many pods of a pool are ready: one, or none."""
        endpoints = [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}, "targetRef": {"uid": pool}}]
        labels = {"kubernetes.io/service-name": f"mcp-{pool}"}
        port = {"name": "mcp", "port": self._ports[pool], "protocol": "TCP"}
        slice_ = {"addressType": "IPv4", "endpoints": endpoints[:pods], "ports": [port]}
        self.cluster.put(f"{SLICES}/{pool}", {"metadata": {"labels": labels}, **slice_})

    @property
    def rules(self) -> list[dict[str, t.Any]]:
        return self.cluster.objects[ROUTE]["spec"]["rules"]

    @rules.setter
    def rules(self, rules: list[dict[str, t.Any]]) -> None:
        self.cluster.change(ROUTE, {"spec": {"rules": rules}})

    @property
    def conditions(self) -> list[dict[str, tuple[str, bool]]]:
        """Return, of each entry of the route's status, each condition, and whether it is of this generation."""
        route = self.cluster.objects[ROUTE]
        generation = route["metadata"]["generation"]
        return [
            {one["type"]: (one["status"], one["observedGeneration"] == generation) for one in parent["conditions"]}
            for parent in (route.get("status") or {}).get("parents") or []
        ]

    def get(self, **headers: str) -> tuple[int, str]:
        """Return the status of an answer and the pool that gave it."""
        request = urllib.request.Request(f"{self.url}/health", headers={"Host": HOST, **headers})
        try:
            with urllib.request.urlopen(request, timeout=3) as answer:
                return answer.status, json.load(answer)["pool"]
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def is_served(self, seconds: float) -> bool:
        """Return whether clients get an answer within this time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.get()[0] == 200:
                return True
            time.sleep(0.1)
        return False

    @contextmanager
    def stopped(self) -> t.Iterator[None]:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def served(folder: Path, missing: t.Collection[str] = ()) -> t.Iterator[Served]:
    """Run Traefik; its log is in the folder. missing: resources that the cluster has no CRD for."""
    built = sorted(CACHE.glob("traefik-*/traefik"))
    assert built, "build it first: python -m sandbox.traefik"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cluster = ApiServer({"/api/v1/namespaces/prod": {"spec": {}}})
    with serving(pod_of("blue")) as blue, serving(pod_of("green")) as green, serving(api_of(cluster, missing)) as api:
        made = Served(cluster, {"blue": blue, "green": green}, port)
        provider = "--providers.kubernetesgateway"
        command = [
            str(built[-1]),
            f"--entrypoints.web.address=127.0.0.1:{port}",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            f"{provider}.endpoint=http://127.0.0.1:{api}",
            f"{provider}.token=none",
            f"{provider}.namespaces=prod",
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
        with (folder / "traefik.log").open("w") as log:
            made.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            yield made
        finally:
            made.process.kill()
            made.process.wait()
