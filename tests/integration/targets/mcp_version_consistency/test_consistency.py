# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What names the version of a server: all of it alike, and each of it wrong, on this cluster and in this registry."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import typing as t
import urllib.request
from pathlib import Path

import pytest
from playing import CONFIG, kubectl, module
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a server and images of its own; the cluster of KUBECONFIG gives only the Role, and no registry",
)

NAMESPACE = CONFIG["test_namespace"]
PLACE = Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])
REPOSITORY = CONFIG["image"].partition("/")[2]
MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def server() -> t.Iterator[Small]:
    with small_servers(PLACE, ["named"]) as made:
        yield made["named"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone whose commit has the tag v1.1.5, and whose hooks and configuration would leave a mark."""
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=first")
    git(folder, "tag", "v1.1.5")
    return folder


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=Tester", "-c", "user.email=tester@mcp.example"]
    return subprocess.run(
        ["git", *author, *words], cwd=folder, capture_output=True, text=True, timeout=30, check=True
    ).stdout.strip()


def asked(method: str, what: str, body: bytes | None = None, **headers: str) -> tuple[bytes, t.Any]:
    url = what if what.startswith("http") else f"{CONFIG['registry_url']}/v2/{REPOSITORY}/{what}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, body, named, method=method), timeout=20) as answer:
        return answer.read(), answer.headers


@pytest.fixture
def push() -> t.Iterator[t.Callable[..., None]]:
    """Return a function that pushes an image, which is taken away after the test."""
    pushed: list[str] = []
    yield lambda *words: pushed.append(pushed_digest(*words))
    for digest in pushed:
        asked("DELETE", f"manifests/{digest}")


def pushed_digest(tag: str, of: str, labels: dict[str, str]) -> str:
    """Push an image that is another one with labels; its layers are there already. Return its digest."""
    text, headers = asked("GET", f"manifests/{of}", Accept=MANIFEST)
    manifest = json.loads(text)
    config = json.loads(asked("GET", f"blobs/{manifest['config']['digest']}")[0])
    config["config"]["Labels"] = labels
    blob = json.dumps(config).encode()
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    place = asked("POST", "blobs/uploads/", b"")[1]["Location"]
    place = place if place.startswith("http") else CONFIG["registry_url"] + place
    asked(
        "PUT",
        f"{place}{'&' if '?' in place else '?'}digest={digest}",
        blob,
        Content_Type="application/octet-stream",
    )
    manifest["config"] |= {"digest": digest, "size": len(blob)}
    body = json.dumps(manifest).encode()
    asked("PUT", f"manifests/{tag}", body, Content_Type=headers["Content-Type"])
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def compared(server: Small, *, fails: bool = False, **options: t.Any) -> dict[str, dict[str, t.Any]]:
    found = module(
        "mcp_version_consistency",
        server=server.name,
        endpoint={"url": f"{CONFIG['public_url']}/mcp", "host": server.host},
        registry=CONFIG["registry_url"],
        fails=fails,
        **options,
    )
    return {one["id"].removeprefix("version_"): one for one in found["checks"]}


def verdicts(found: dict[str, dict[str, t.Any]]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in found.items()}


def test_all_of_it_alike(server: Small, clone: Path) -> None:
    found = compared(server, source=str(clone), compare_version=["health", "server_info"])
    for source in ("the image's tag", "git describe", "the health document", "serverInfo", "the digest"):
        assert source in found["agrees"]["message"]
    assert found["agrees"]["message"].startswith("v1.1.5: ")
    assert set(verdicts(found).values()) == {"passed", "skipped"}


def test_each_of_it_wrong(server: Small, clone: Path, push: t.Callable[..., None]) -> None:
    tag = f"v1.1.6-{secrets.token_hex(3)}"
    label = "org.opencontainers.image"
    push(tag, "v1.2.1-version", {f"{label}.version": "22.4.1", f"{label}.revision": "0" * 40})
    module("mcp_rollout", server=server.name, pool="green", image_ref=f"{CONFIG['image']}:{tag}", replicas=1)
    found = compared(server, source=str(clone), pool="green", compare_version=["server_info"], fails=True)
    assert {name: (one["verdict"], one["required"]) for name, one in found.items() if not one["ok"]} == {
        "git": ("failed", True),
        "label": ("failed", False),  # images inherit the labels of their base
        "revision": ("failed", True),
        "health": ("failed", False),
        "server_info": ("failed", True),
    }
    push(tag, "v1.2.0", {})  # the tag moves
    found = compared(server, source=str(clone), pool="green", compare_version=["health"], fails=True)
    assert {name: (one["verdict"], one["required"]) for name, one in found.items() if not one["ok"]} == {
        "git": ("failed", True),
        "health": ("failed", True),
        "server_info": ("failed", False),
        "digest": ("failed", True),
    }
    assert f"git describe of mcp_source says v1.1.5, and the image's tag is {tag}" in found["git"]["message"]
    assert "the tag was moved" in found["digest"]["message"]
