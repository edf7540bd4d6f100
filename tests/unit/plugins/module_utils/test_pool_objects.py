# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects, pool_objects
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


@pytest.mark.parametrize(
    ("given", "objects"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ({}, None),
        ({"service": None}, None),
        ("weather", PoolObjects("weather", "Deployment", "weather")),
        (" weather\n", PoolObjects("weather", "Deployment", "weather")),
        ("123", PoolObjects("123", "Deployment", "123")),
        ({"deployment": "w"}, PoolObjects("w", "Deployment", "mcp-blue")),
        ({"service": "w"}, PoolObjects("mcp-blue", "Deployment", "w")),
        ({"deployment": "w", "service": "s", "stateful_set": ""}, PoolObjects("w", "Deployment", "s")),
        ({"stateful_set": "w", "service": "s"}, PoolObjects("w", "StatefulSet", "s")),
        ('{"stateful_set": "w"}', PoolObjects("w", "StatefulSet", "mcp-blue")),
    ],
)
def test_names(given: t.Any, objects: PoolObjects | None) -> None:
    assert pool_objects("blue", given, "mcp-blue") == objects


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "blue (mcp_blue) is 3: it must be a name in quotation marks, or a dictionary"),
        (True, "blue (mcp_blue) is True: it must be"),
        (["weather"], "blue (mcp_blue) is a list: it must be"),
        (type("Tagged", (list,), {})(), "blue (mcp_blue) is a list: it must be"),  # as Ansible hands them over
        ("Weather", "blue (mcp_blue) gives 'Weather', which is not a valid name in Kubernetes"),
        ("../secrets", "blue (mcp_blue) gives '../secrets'"),
        ("{broken", "blue (mcp_blue) gives '{broken'"),
        ("a" * 300, "aaa...' which is not"[:3]),
        ("a\x1b[2Jb", "blue (mcp_blue) gives"),
        ({"name": "w"}, "blue (mcp_blue) has no key 'name': it may have deployment or stateful_set, and service."),
        ({3: "w"}, "blue (mcp_blue) has no key '3'"),
        ({"deployment": "a", "stateful_set": "b"}, "blue (mcp_blue) has both deployment and stateful_set"),
        ({"deployment": 3}, "blue (mcp_blue) deployment is 3: it must be a name, in quotation marks."),
        ({"service": {"name": "w"}}, "blue (mcp_blue) service is a dictionary: it must be a name"),
        ({"service": "W"}, "blue (mcp_blue) service gives 'W'"),
    ],
)
def test_what_cannot_be(given: t.Any, says: str) -> None:
    with pytest.raises(Failure) as failure:
        pool_objects("blue", given, "mcp-blue")
    assert says in failure.value.msg
    assert "\x1b" not in failure.value.msg and len(failure.value.msg) < 300
