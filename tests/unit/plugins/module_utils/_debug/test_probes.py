# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Probe, of_host, words
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (Probe("dns", "database"), ["dns", "database", ""]),
        (Probe("dns", "_mcp._tcp.database.prod.svc.cluster.local."), None),
        (Probe("tcp", "database.prod.svc:5432"), ["tcp", "database.prod.svc", "5432"]),
        (Probe("tcp", "[fd00::1]:080"), ["tcp", "fd00::1", "80"]),
        (Probe("tcp", "10.0.0.1:1"), ["tcp", "10.0.0.1", "1"]),
        (Probe("http", "https://a.example/x?y=1"), ["http", "https://a.example/x?y=1", ""]),
        (Probe("mcp", "http://[fd00::1]:8000/mcp", "mcp.example"), ["mcp", "http://[fd00::1]:8000/mcp", "mcp.example"]),
    ],
)
def test_a_probe_becomes_three_words(probe: Probe, expected: list[str] | None) -> None:
    assert words(probe) == (expected or [probe.kind, probe.target, ""])


@pytest.mark.parametrize(
    "probe",
    [
        Probe("ping", "database"),
        Probe("dns", ""),
        Probe("dns", "-t"),
        Probe("dns", "a b"),
        Probe("dns", "$(reboot)"),
        Probe("dns", "a\nb"),
        Probe("dns", "a" * 300),
        Probe("tcp", "database"),
        Probe("tcp", "database:0"),
        Probe("tcp", "database:65536"),
        Probe("tcp", "database:x"),
        Probe("tcp", "-w:80"),
        Probe("tcp", "a;b:80"),
        Probe("tcp", "fd00::1:80"),
        Probe("http", "file:///etc/passwd"),
        Probe("http", "http://"),
        Probe("http", "http://user:secret@a.example/"),
        Probe("http", "http://a.example/ x"),
        Probe("http", "http://a.example/\x1b[2J"),
        Probe("http", "http://a.example:0/"),
        Probe("http", "http://a.example:99999/"),
        Probe("http", "http://a$(b)/"),
        Probe("mcp", "a.example/mcp"),
        Probe("mcp", "http://a.example/mcp", "a\r\nX: y"),
    ],
)
def test_other_targets_are_refused_in_one_printable_sentence(probe: Probe) -> None:
    with pytest.raises(Failure) as refused:
        words(probe)
    assert refused.value.msg.isprintable() and len(refused.value.msg) < 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("database", [("dns", "database")]),
        ("10.0.0.1", []),
        ("database:5432", [("dns", "database"), ("tcp", "database:5432")]),
        ("10.0.0.1:5432", [("tcp", "10.0.0.1:5432")]),
        ("[fd00::1]:5432", [("tcp", "[fd00::1]:5432")]),
        ("https://a.example/x", [("dns", "a.example"), ("tcp", "a.example:443"), ("http", "https://a.example/x")]),
        ("http://[fd00::1]:81", [("tcp", "[fd00::1]:81"), ("http", "http://[fd00::1]:81")]),
    ],
)
def test_what_is_asked_of_a_host(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(probe.kind, probe.target) for probe in of_host(text)] == expected


@pytest.mark.parametrize("text", ["", "-x", "a b", "a:b", "ftp://a", "http://u:p@a"])
def test_a_host_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(Failure, match="target of a probe"):
        of_host(text)
