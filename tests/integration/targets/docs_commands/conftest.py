# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is before the first command of a page: a namespace with a server, and a reader's folder and kubeconfig."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import typing as t
from contextlib import contextmanager
from pathlib import Path

import command_blocks
import pytest
import yaml
from command_pages import RUN, Step
from playing import CACHE, COLLECTIONS, CONFIG, ENVIRONMENT, ROOT, kubectl, kubectl_command, module
from roles_of_pages import account, apply
from small_servers import MANIFESTS, Small, manifests

EXAMPLES = "docs/examples/README.md"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
DATABASE_ENV = "{name: DATABASE_URL, valueFrom: {secretKeyRef: {name: mcp-server-secrets, key: database-url}}}"
DEBUG_IMAGE = "ghcr.io/org/mcp-debug:1.0.0"
# Variables of a reader who has the sandbox, and less time; his inventory is that of the page.
ITS = {
    "mcp_registry": CONFIG["registry_url"],
    "mcp_steps": [{"weight": 50, "seconds": 5}, {"weight": 100, "seconds": 5}],
    "mcp_warm_seconds": 1,
    "mcp_rollback_verify_seconds": 1,
    "mcp_watch_seconds": 2,
    "mcp_force_version": "v1.2.0",  # pages release it again and again
    "mcp_debug_image_ref": DEBUG_IMAGE,
    # What the example server needs when it is installed
    "mcp_install_run_as_user": 10001,
    "mcp_install_replicas": 1,
    # A few seconds without clients can't show how much slower a version is.
    "mcp_gates": {"latency_rise": {"enabled": False}},
}


class World:
    """A reader: the folder that he is in, his kubeconfig, and the namespace that the pages call by other names."""

    def __init__(self, folder: Path) -> None:
        self.namespace = f"docs-{secrets.token_hex(3)}"
        self.folder = folder
        self.ran: list[Step] = []
        self.names = {
            "namespace": self.namespace,
            "host": f"{self.namespace}.{CONFIG['public_host']}",
            "url": CONFIG["public_url"],
            "root": str(ROOT),
            "lane": CONFIG["test_namespace"],
            "lane_host": CONFIG["public_host"],
            "lane_kubeconfig": CONFIG["kubeconfig"],
            "debug_image": DEBUG_IMAGE,
        }
        entry = f"url: {self.names['url']}\n        host: {self.names['host']}\n"
        self.substitutes = [
            # The gateway is shared, and speaks HTTP on loopback
            *(
                (f"url: {url}\n", entry)
                for url in ("https://mcp-staging.example.com", "http://mcp-staging.internal:8080")
            ),
            ("hostnames: [mcp.example.com]", f"hostnames: [{self.names['host']}]"),
            *(
                (f"{{url: https://{name}.example.com}}", f"{{url: {self.names['url']}, host: {self.names['host']}}}")
                for name in ("mcp", "drills", "mcp-staging", "weather")
            ),
            # A namespace of this run's own
            *((name, self.namespace) for name in ("mcp-prod", "mcp-drills", "mcp-staging")),
            ("mcp_namespace: weather", f"mcp_namespace: {self.namespace}"),
            ("{name: public, namespace: gateways}", "{name: sandbox, namespace: projectcontour}"),
            ("url: https://prometheus.example.com", f"timeout: 30, url: {CONFIG['prometheus_url']}"),
            # Without a database, the trigger for it rolls each release of the example server back
            (
                "              image: ghcr.io/org/mcp-server:v1.1.5\n",
                f"              image: ghcr.io/org/mcp-server:v1.1.5\n              env: [{DATABASE_ENV}]\n",
            ),
        ]
        self.environment = command_blocks.reader(
            ENVIRONMENT,
            folder,
            KUBECONFIG=str(folder / "kubeconfig"),
            ANSIBLE_COLLECTIONS_PATH=os.pathsep.join([str(folder / "collections"), str(COLLECTIONS)]),
            PATH=os.pathsep.join([os.environ["PATH"], str(Path(kubectl_command()[0]).parent), *_load_tools()]),
            PIP_DRY_RUN="1",  # the environment that the tests run in has these packages, or others of the same range
        )
        self.log_in()
        for name in (".", "inventory/production"):
            (folder / name / "group_vars").mkdir(parents=True)
            (folder / name / "group_vars" / "all.yml").write_text(yaml.safe_dump(ITS))

    def log_in(self, token: str = "") -> None:
        """Make the context "production" that of whoever has this token; without one, of the administrator."""
        admin = yaml.safe_load(Path(CONFIG["admin_kubeconfig"]).read_text())
        (context,) = (one["context"] for one in admin["contexts"] if one["name"] == admin["current-context"])
        if token:
            admin["users"].append({"name": "releaser", "user": {"token": token}})
            context = {**context, "user": "releaser"}
        admin["contexts"].append({"name": "production", "context": context})
        file = self.folder / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(json.dumps(admin))

    def here(self, text: str, instead: t.Iterable[tuple[str, str]] = ()) -> str:
        """Return text of a page as it must be here."""
        text = command_blocks.substituted(text, [*instead, *self.substitutes])
        if "{artifact}" in text and "artifact" not in self.names:
            self.names["artifact"] = self._artifact()
        return command_blocks.substituted(text, [(f"{{{name}}}", value) for name, value in self.names.items()])

    def _artifact(self) -> str:
        """Build what Galaxy would have, and return its path."""
        words = (sys.executable, ROOT / "tests" / "tools" / "build_artifact.py", self.folder)
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=120)
        (built,) = self.folder.glob("mcp-server-*.tar.gz")
        return str(built)

    def save(self, name: str, text: str) -> None:
        for file in (name, "inventory/production/hosts.yml") if name == "inventory.yml" else (name,):
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_text(self.here(text))

    def run(self, block: command_blocks.Block, step: Step) -> str:
        """Run a block; return what it said. Raises AssertionError when it ends otherwise than it should."""
        self.ran.append(step)
        done = command_blocks.run(self.here(block.commands, step.instead), self.folder, self.environment)
        shown = re.sub(r"\beyJ[\w.-]+", "TOKEN", done.said)
        print(f"--- {block}: {done.seconds:.1f} s\n{self.here(block.commands, step.instead)}\n{shown}")
        said = " ".join(done.said.replace("[mcp-server]", "").split())
        lost = [words for words in (self.here(one) for one in step.says) if words not in said]
        assert done.code == step.code and not lost, f"{block}: exit code {done.code}, it did not say {lost}"
        return done.said

    def run_page(self, page: str) -> list[str]:
        """Save the files of the page, and run its blocks of commands in their order, but those that made this world."""
        blocks = command_blocks.blocks(page, ROOT)
        for block in blocks:
            if block.file:
                self.save(block.file, block.text)
        steps = [step for step in RUN[page].steps if step not in self.ran]
        for block in blocks:
            if block.commands and steps and block.has(steps[0].words):
                self.run(block, steps.pop(0))
        assert not steps, steps


def _load_tools() -> list[str]:
    return [str(path.parent) for path in sorted(CACHE.glob("vegeta-*/vegeta"))[-1:]]


@contextmanager
def world(folder: Path, *objects: dict[str, t.Any]) -> t.Iterator[World]:
    """A namespace with the secret of the example server and its releaser; it goes with all that is in it."""
    made = World(folder)
    place = {"namespace": made.namespace}
    secret = {"name": "mcp-server-secrets", **place}
    try:
        apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.namespace}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": {"database-url": DATABASE}},
            *objects,
        )
        yield made
    finally:
        kubectl("delete", "namespace", made.namespace, "--ignore-not-found", "--wait=false")


def example(made: World) -> None:
    """Make the server of docs/examples by the first block of its page, and log in as its releaser."""
    for name in ("inventory.yml", "server.yaml", "release.yml"):
        made.save(name, (ROOT / "docs" / "examples" / name).read_text())
    first = next(block for block in command_blocks.blocks(EXAMPLES, ROOT) if block.commands)
    made.log_in(made.run(first, RUN[EXAMPLES].steps[0]).splitlines()[-1])
    ready(made, "mcp-server-blue")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[World]:
    """The server of docs/examples, after a release and its rollback."""
    with world(tmp_path_factory.mktemp("released")) as made:
        example(made)
        where = {"namespace": made.namespace, "kubeconfig": CONFIG["admin_kubeconfig"]}
        new = {"image_ref": f"{CONFIG['image']}:v1.2.0", "version": "v1.2.0"}
        run = {"run_id": module("mcp_release", state="begun", reason="a test", **new, **where)["run_id"], **where}
        module("mcp_rollout", pool="green", image_ref=new["image_ref"], replicas=1, wait_timeout=120, **run)
        module("mcp_traffic_shift", pool="green", weight=100, timeout=120, session_mode="stateless", **run)
        module("mcp_release", state="ended", outcome="succeeded", **run)
        back = command_blocks.run(
            "ansible-playbook mcp.server.rollback -i inventory.yml", made.folder, made.environment
        )
        assert back.code == 0, back.said
        made.log_in()  # what the other pages do has Roles of its own, and targets that try these
        record = module("mcp_release_info", **where)["record"]
        made.names |= {"release_id": record["id"], "started": record["started"], "ended": record["ended"]}
        pods = kubectl("-n", made.namespace, "get", "pods", "-l", "pool=blue", "-o", "name")
        made.names["pod"] = pods.split()[0]
        yield made


def one_deployment(name: str, host: str) -> list[dict[str, t.Any]]:
    """Return the example server as people have it who have never heard of pools. Its route is called "public"."""
    service, deployment = yaml.safe_load_all((MANIFESTS / "pool" / "pool.yaml").read_text())
    labels = {"app": name}
    for one in (service, deployment):
        one["metadata"] = {"name": name}
    service["spec"]["selector"] = labels
    deployment["spec"] |= {"replicas": 1, "selector": {"matchLabels": labels}}
    template = deployment["spec"]["template"]
    template["metadata"]["labels"] = labels
    (container,) = template["spec"]["containers"]
    container["name"] = name
    container["resources"]["requests"] = {"cpu": "1m", "memory": "64Mi"}
    route = {
        "parentRefs": [{"name": "sandbox", "namespace": "projectcontour"}],
        "hostnames": [host],
        "rules": [{"timeouts": {"request": "0s"}, "backendRefs": [{"name": name, "port": 8080}]}],
    }
    kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "public"}}
    return [service, deployment, {**kind, "spec": route}]


@pytest.fixture
def empty(tmp_path: Path) -> t.Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def exampled(empty: World) -> World:
    example(empty)
    return empty


@pytest.fixture
def plain(empty: World) -> World:
    """The weather server of docs/adopt.md, and who shall release it."""
    objects = one_deployment("weather", empty.names["host"])
    for one in objects:
        one["metadata"]["namespace"] = empty.namespace
    apply(*objects, *account(empty.namespace, "mcp-releaser", []))
    ready(empty, "weather")
    return empty


@pytest.fixture
def staging(empty: World) -> World:
    """A folder of manifests, and the critical flow of docs/staging.md."""
    for one in one_deployment("mcp-server", empty.names["host"]):
        empty.save(f"k8s/staging/{one['kind'].lower()}.yaml", yaml.safe_dump(one))
    empty.save("scripts/validate-mcp-operations.sh", "#!/bin/sh\necho all operations pass\n")
    (empty.folder / "scripts/validate-mcp-operations.sh").chmod(0o755)
    return empty


@pytest.fixture
def installed(empty: World) -> World:
    """The server of docs/playbooks.md, installed by the commands of its page, and what buildah builds from."""
    apply(*account(empty.namespace, "mcp-releaser", []))
    empty.run_page("docs/playbooks.md")
    registry = CONFIG["registry_url"].rpartition("/")[2]
    empty.save("Containerfile", f'FROM {registry}/{CONFIG["image"].partition("/")[2]}:v1.2.0\nLABEL by="hand"\n')
    stored = f'driver = "overlay"\ngraphroot = "{empty.folder}/graph"\nrunroot = "{empty.folder}/run"\n'
    empty.save("storage.conf", f"[storage]\n{stored}")
    storage = str(empty.folder / "storage.conf")
    empty.environment |= {"BUILDAH_ISOLATION": "chroot", "CONTAINERS_STORAGE_CONF": storage}
    return empty


@pytest.fixture
def drills(empty: World) -> World:
    return small(empty, "drills")


@pytest.fixture
def validated(empty: World) -> World:
    return small(empty, "staging")


def small(world: World, name: str) -> World:
    """Give it a server of two pools by this name."""
    apply(*manifests(Small(name, world.names["host"]), world.namespace, "docs", {}))
    ready(world, f"{name}-blue")
    return world


def ready(world: World, deployment: str) -> None:
    words = ("-n", world.namespace, "rollout", "status", f"deployment/{deployment}", "--timeout=180s")
    subprocess.run(kubectl_command(*words), check=True, timeout=200)
