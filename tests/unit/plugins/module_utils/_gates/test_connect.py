# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to Prometheus by the options, and which options are refused."""

from __future__ import annotations

import base64
import math
import types
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, options
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, said


def params(url="http://127.0.0.1:9", **option):
    """Return a task's params as Ansible makes them."""
    validation = ArgumentSpecValidator({"prometheus": options.OPTION}).validate({"prometheus": {"url": url, **option}})
    assert not validation.error_messages
    return validation.validated_parameters


def sent(**option):
    """Return the headers of a request."""
    with Fake(lambda _query: said("matrix", [])) as fake:
        connect.connect(params(fake.url, **option)).samples("up[5m]", 1.0)
    ((_path, _parameters, headers),) = fake.seen
    return headers


def test_a_tenant(monkeypatch):
    monkeypatch.setenv("METRICS_KEY", " planted\n")
    headers = sent(headers={"X-Scope-OrgID": "team-a", "X-Shard": 12}, headers_env={"X-API-Key": "METRICS_KEY"})
    assert (headers["X-Scope-OrgID"], headers["X-Shard"], headers["X-API-Key"]) == ("team-a", "12", "planted")
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("username", "password"),
    [("user", "word"), ("jürgen", "pässwörd"), ("ユーザー", "パスワード€"), ("u", ""), ("u", "a:b")],
)
def test_credentials_in_any_alphabet(username, password):
    scheme, _space, encoded = sent(username=username, password=password)["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded).decode("utf-8")) == ("Basic", f"{username}:{password}")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"username": "a:b", "password": "planted"}, "prometheus.username must not contain a colon"),
        (
            {"headers_env": {"X-Key": "NOT_SET_ANYWHERE"}},
            "headers_env.X-Key: the environment variable NOT_SET_ANYWHERE",
        ),
        ({"headers": {"authorization": "Bearer planted"}}, "headers.authorization: give a token, or username"),
        ({"headers": {"X-Key": ["planted"]}}, "headers.X-Key must be text"),
        ({"headers": {"X-Key": None}}, "headers.X-Key must be text"),
        ({"headers": {"X-Key": True}}, "headers.X-Key must be text"),
        ({"headers": {"X-Key": "planted\r\nX-Other: 1"}}, "header X-Key has characters that HTTP does not allow"),
        ({"headers": {"X-Key": "plantéd"}}, "header X-Key has characters that HTTP does not allow"),
        ({"headers": {"X Key": "planted"}}, "header X Key has characters that HTTP does not allow"),
        ({"timeout": 0}, "prometheus.timeout is 0: it must be more than 0 seconds"),
        ({"timeout": "nan"}, "prometheus.timeout is nan: it must be more than 0 seconds"),
        ({"timeout": "inf"}, "prometheus.timeout is inf: it must be more than 0 seconds"),
    ],
)
def test_options_that_are_refused(option, words):
    with pytest.raises(Failure) as failure:
        connect.connect(params(**option))
    assert words in failure.value.msg and failure.value.msg.endswith(".")
    assert "plant" not in failure.value.msg and "\n" not in failure.value.msg


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([{"name": "mcp", "resources": {"limits": {"memory": "128Mi"}}}], 128 * 2**20),
        ([{"name": "mcp", "resources": {"limits": {"cpu": "1"}}}], math.inf),
        ([{"name": "mcp", "resources": {}}], math.inf),
        ([{"name": "a"}, {"name": "b"}], None),  # which is the server's is not known
    ],
)
def test_memory_limits_of_a_workload(
    monkeypatch: pytest.MonkeyPatch, containers: list[dict[str, t.Any]], expected: float | None
) -> None:
    workload = {"spec": {"template": {"spec": {"containers": containers}}}}
    cluster = types.SimpleNamespace(get=lambda path: workload if "deployments" in path else {"spec": {"ports": []}})
    monkeypatch.setattr(connection, "connect", lambda params: cluster)
    assert connect.memory_limit({}, Server("ns", "srv", "{server}-{pool}", "srv", ""), "blue") == expected
