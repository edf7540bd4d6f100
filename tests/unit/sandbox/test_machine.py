# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket

import pytest


@pytest.mark.parametrize(
    ("system", "user", "commands", "foreign", "words"),
    [
        ("Darwin", 0, {"go", "apt-get"}, False, "needs Linux (this is Darwin)"),
        ("Linux", 1000, {"go", "apt-get"}, False, "needs root"),
        ("Linux", 0, {"apt-get"}, False, "needs Go"),
        ("Linux", 0, {"go"}, False, "needs Debian's apt-get"),
        ("Linux", 0, {"go", "apt-get"}, True, "belongs to another Kubernetes"),
    ],
)
def test_what_is_missing_is_one_sentence_with_the_other_way(
    machine, monkeypatch, tmp_path, system, user, commands, foreign, words
):
    monkeypatch.setattr(machine.platform, "system", lambda: system)
    monkeypatch.setattr(machine.os, "geteuid", lambda: user)
    monkeypatch.setattr(machine.shutil, "which", lambda name: name if name in commands else None)
    kubernetes = tmp_path / "kubernetes"
    kubernetes.mkdir()
    if foreign:
        (kubernetes / "admin.conf").touch()
    monkeypatch.setattr(machine, "KUBERNETES", kubernetes)
    monkeypatch.setattr(machine, "MARKER", kubernetes / ".mcp-sandbox")
    with pytest.raises(machine.SandboxError) as caught:
        machine.requirements()
    assert words in str(caught.value)
    assert "KUBECONFIG" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_this_machines_own_kubernetes_is_known(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine.shutil, "which", lambda name: name)
    (tmp_path / ".mcp-sandbox").touch()
    monkeypatch.setattr(machine, "KUBERNETES", tmp_path)
    monkeypatch.setattr(machine, "MARKER", tmp_path / ".mcp-sandbox")
    machine.requirements()


def test_a_port_that_another_program_has_is_named(machine, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        monkeypatch.setattr(machine, "PROMETHEUS", address)
        with pytest.raises(
            machine.SandboxError, match=f"Port {address} is taken by another program: stop it, or set KUBECONFIG"
        ):
            # Whatever else this machine has
            monkeypatch.setattr(
                machine, "listens", lambda asked, listens=machine.listens: asked == address and listens(asked)
            )
            machine.refuse_taken_ports()
    machine.refuse_taken_ports()


def test_the_interfaces_of_pods_are_known_by_their_routes(machine):
    """Also those of a sandbox that is gone, while the kernel takes them apart. Other people's veths are left alone."""
    routes = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
        {"dst": "10.201.0.0/24", "dev": "mcp-node"},
        {"dst": "10.201.0.5", "dev": "veth1"},
        {"dst": "10.201.0.6", "dev": "veth2", "scope": "host"},
        {"dst": "10.88.0.7", "dev": "veth3"},
        {"dst": "10.201.0.9", "dev": "mcp-node"},
    ]
    assert machine.pod_interfaces(json.dumps(routes)) == ["veth1", "veth2"]
    assert machine.pod_interfaces("") == []
