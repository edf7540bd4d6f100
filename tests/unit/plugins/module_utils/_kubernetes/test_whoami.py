# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.whoami import known_as


class FakeCluster:
    def __init__(self, answer: t.Any) -> None:
        self.answer = answer

    def create(self, path: str, body: dict[str, t.Any], **query: str) -> t.Any:
        # Not stored, so that it is asked again after an outage.
        assert (path, body["kind"], query) == (paths.SUBJECT_REVIEWS, "SelfSubjectReview", {"dryRun": "All"})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"status": {"userInfo": {"username": "system:serviceaccount:prod:releaser"}}},
            ", and knows the user as system:serviceaccount:prod:releaser",
        ),
        ({"status": {"userInfo": {"username": "x\x1b[1m\ny"}}}, ", and knows the user as x [1m y"),
        ({"status": {"userInfo": {"username": 7}}}, ""),
        ({"status": {"userInfo": []}}, ""),
        ({"status": "ok"}, ""),
        ({}, ""),
        (NotFound("not served"), ""),
        (Forbidden("no"), ""),
        (Unreachable("away"), ""),
    ],
)
def test_known_as(answer: t.Any, said: str) -> None:
    assert known_as(FakeCluster(answer)) == said
