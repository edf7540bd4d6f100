# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/quickstart.md, command by command, as a reader types them, with the collection that they install."""

from __future__ import annotations

import os
import secrets
import typing as t
from pathlib import Path

import command_blocks
import pytest
from command_pages import NOT_RUN
from playing import CONFIG, ENVIRONMENT, ROOT, kubectl, kubectl_command

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, and needs images that only the sandbox's registry has",
)

PAGE = "docs/quickstart.md"
NAMESPACE = f"quickstart-{secrets.token_hex(3)}"
# What must differ on the sandbox: the page's text, what stands in its place, and why.
SUBSTITUTES = (
    ("https://github.com/mcp-server/mcp.server", f"{ROOT} mcp.server", "the repository that is tested"),
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


@pytest.fixture
def folder(tmp_path: Path) -> t.Iterator[Path]:
    try:
        yield tmp_path
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def test_each_command_of_the_page(folder: Path) -> None:
    # A reader's environment: nothing but the collection that he has installed.
    environment = command_blocks.reader(
        ENVIRONMENT,
        folder,
        KUBECONFIG=CONFIG["admin_kubeconfig"],
        ANSIBLE_COLLECTIONS_PATH=str(folder / "collections"),
        PATH=os.pathsep.join([os.environ["PATH"], str(Path(kubectl_command()[0]).parent)]),
        PIP_DRY_RUN="1",  # the tests' own environment has what the page installs
    )
    substitutes = [(shown, stands_in) for shown, stands_in, _why in SUBSTITUTES]
    said, ran = "", 0
    for one in command_blocks.blocks(PAGE, ROOT):
        text = command_blocks.substituted(one.text, substitutes)
        if one.file:
            file = folder / one.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        elif one.language == "text":
            assert not (lost := command_blocks.missing(text, said)), f"{lost} not in\n{said}"
        elif not any(page == PAGE and one.has(words) for page, words in NOT_RUN):
            assert one.language == "shell", one
            done = command_blocks.run(text, folder, environment)
            said, ran = done.said, ran + 1
            print(f"{done.seconds:.1f} s: {one.text}")
            assert done.code == 0, said
    assert ran == 13  # a block that is no longer found would be run by nobody
