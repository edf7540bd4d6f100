# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


@pytest.mark.parametrize(
    ("given", "authority"),
    [
        ({"url": "https://mcp.example.com"}, "mcp.example.com"),
        ({"url": "https://mcp.example.com:8443/"}, "mcp.example.com:8443"),
        ({"url": "http://[::1]:8080"}, "[::1]:8080"),
        ({"url": "https://192.0.2.7", "host": "mcp.example.com"}, "mcp.example.com"),
    ],
)
def test_the_host_header(given: dict[str, t.Any], authority: str, option: t.Any) -> None:
    assert endpoint.public(option(**given)).authority == authority
    assert endpoint.in_pod(None, "mcp", "blue-1", 8080, option(**given)).authority == authority


def test_a_pod_without_a_public_address() -> None:
    found = endpoint.in_pod(None, "mcp", "blue-1", 9000, None)
    assert (found.name, found.authority, found.health_path, found.mcp_path) == (
        "pod mcp/blue-1",
        "localhost:9000",
        None,
        "/mcp",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "endpoint.url is missing"),
        ({"url": "mcp.example.com"}, "endpoint.url is not the address"),
        ({"url": "ftp://mcp.example.com"}, "endpoint.url is not the address"),
        ({"url": "http://mcp.example.com:99999"}, "endpoint.url is not the address"),
        ({"url": "http://[::1"}, "endpoint.url is not the address"),
        ({"url": "http://"}, "endpoint.url is not the address"),
        ({"url": "http://m\u00fcll.example"}, "endpoint.url is not the address"),
        ({"url": "http://user:secret@mcp.example.com"}, "endpoint.url must not carry credentials"),
        ({"url": "http://mcp.example.com/mcp"}, "endpoint.url must end after the host"),
        ({"url": "http://mcp.example.com", "host": "a\r\nX: y"}, "endpoint.host is not the address"),
        ({"url": "http://mcp.example.com", "host": "a/b"}, "endpoint.host must end after the host"),
        ({"url": "http://mcp.example.com", "mcp_path": "mcp"}, "endpoint.mcp_path 'mcp' is not a path"),
        ({"url": "http://mcp.example.com", "mcp_path": "/a b"}, "endpoint.mcp_path '/a b' is not a path"),
        ({"url": "https://mcp.example.com", "ca_cert": "/nowhere"}, "endpoint.ca_cert /nowhere cannot be used"),
    ],
)
def test_bad_input(given: dict[str, t.Any], said: str, option: t.Any) -> None:
    with pytest.raises(Failure, match=said) as caught:
        endpoint.public(option(**given))
    assert "secret" not in caught.value.msg


def test_null_instead_of_an_address() -> None:
    with pytest.raises(Failure, match=r"endpoint\.url is missing"):
        endpoint.public(None)
