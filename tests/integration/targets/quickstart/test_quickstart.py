# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/quickstart.md, command by command, as a reader types them, with the collection that they install."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from playing import CONFIG, ENVIRONMENT, ROOT, kubectl, kubectl_command

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, and needs images that only the sandbox's registry has",
)

NAMESPACE = f"quickstart-{secrets.token_hex(3)}"
# What must differ on the sandbox: the page's text, what stands in its place, and why.
SUBSTITUTES = (
    ("mcp-tools", NAMESPACE, "a namespace of this run's own"),
    ("tools.example.com", f"{NAMESPACE}.example", "the gateway is shared, so is its list of host names"),
    ("http://127.0.0.1:8080", CONFIG["public_url"], "where the gateway is"),
    ("name: contour, namespace: projectcontour", "name: sandbox, namespace: projectcontour", "the Gateway's name"),
    ("ghcr.io/containers/kubernetes-mcp-server", "ghcr.io/strangers/kubernetes-mcp-server", "made of the npm package"),
    ("v0.0.6", "0.0.6", "tags as npm's versions"),
    ("ghcr.io/org/weather", "ghcr.io/strangers/python-sdk", "an image that exists"),
    ("v1.1.5", "1.26.0", "of that image"),
    ("v1.2.0", "1.30.0", "of that image"),
    (
        "      mcp_namespace:",
        f"      mcp_registry: {CONFIG['registry_url']}\n      mcp_rollback_verify_seconds: 1\n      mcp_namespace:",
        "the registry of these images; and half a minute less of watching",
    ),
)
# The blocks that no test runs, by the first words of the reason that the page gives.
NOT_RUN = ["they need GitHub and PyPI", "the sandbox is the cluster, and has its gateway"]

# What a run measures, and when.
VARIES = re.compile(r"\b\d\d\.\d(?= %)|\d+ answers(?:, \d+ failed)?|\d\d:\d\d:\d\d|sha256:[0-9a-f]+")
BLOCK = re.compile(r"^(?:<!-- (file|not run): ([^\n]*) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(t.NamedTuple):
    """mark, value: of the comment before it: "file" and its name, "not run" and why, or empty."""

    mark: str
    value: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(*found.groups(default="")) for found in BLOCK.finditer(page)]


def here(text: str) -> str:
    for shown, stands_in, _why in SUBSTITUTES:
        text = text.replace(shown, stands_in)
    return text


def missing(shown: str, said: str) -> list[str]:
    """Return the lines that the page shows and a command did not say. What varies may be another there."""
    lines = VARIES.sub("#", said).splitlines()
    return [
        line
        for line in VARIES.sub("#", shown).splitlines()
        if not any(all(part.strip() in one for part in line.split("...")) for one in lines)
    ]


@pytest.mark.parametrize(
    ("shown", "said", "good"),
    [
        ("49.0 % of 400 answers, by header", "[x] 51.5 % of 392 answers, 1 failed, by header", True),
        ("49.0 % of 400 answers", "nothing measured", False),
        ("green 100 %: measured 100.0 % of 40 answers", "green 100 %: measured 49.0 % of 40 answers", False),
        ("live since 18:54:35 UTC", "live since 09:00:00 UTC", True),
        ("green (live)  100 % ... image:1", "green (live)  100 %   2/2   image:1", True),
        ("green 50 %", "green 10 %", False),
    ],
)
def test_what_the_page_shows_is_compared(shown: str, said: str, good: bool) -> None:
    assert (not missing(shown, said)) is good


@pytest.fixture
def folder(tmp_path: Path) -> t.Iterator[Path]:
    """The reader's folder, with the clone of the repository that he has made."""
    (tmp_path / "mcp.server").symlink_to(ROOT)
    try:
        yield tmp_path
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def test_each_command_of_the_page(folder: Path) -> None:
    page = blocks((ROOT / "docs" / "quickstart.md").read_text())
    assert [one.value for one in page if one.mark == "not run"] == NOT_RUN
    # A reader's environment: nothing but the collection that he has installed.
    environment = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("MCP_")}
    environment |= {
        "KUBECONFIG": CONFIG["admin_kubeconfig"],
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "PATH": os.pathsep.join([os.environ["PATH"], str(Path(kubectl_command()[0]).parent)]),
    }
    environment.pop("PYTHONPATH", None)
    said, ran = "", 0
    for one in page:
        if one.mark == "file":
            file = folder / one.value
            file.parent.mkdir(exist_ok=True)
            file.write_text(here(one.text))
        elif one.language == "text":
            assert not (lost := missing(here(one.text), said)), f"{lost} not in\n{said}"
        elif one.mark != "not run":
            assert one.language == "shell", one
            start = time.monotonic()
            done = subprocess.run(
                ["bash", "-euc", here(one.text)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=240,
                check=False,
            )
            said, ran = done.stdout, ran + 1
            print(f"{time.monotonic() - start:.1f} s: {one.text}")
            assert done.returncode == 0, said
    assert ran == 12  # a block that the pattern no longer finds would be run by nobody
