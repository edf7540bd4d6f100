# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last sentences of a release, word for word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import closing

SINCE = datetime(2026, 11, 26, 7, 55, 3, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("replicas", "says"),
    [
        (None, "v1.1.5 stays ready on blue; to go back: rollback.yml."),
        (3, "v1.1.5 stays ready on blue with 3 pods; to go back: rollback.yml."),
        (1, "v1.1.5 stays ready on blue with 1 pod; to go back: rollback.yml."),
        (0, "v1.1.5 stays on blue, scaled to 0; to go back: rollback.yml."),
    ],
)
def test_a_success(replicas: int | None, says: str) -> None:
    found = closing.succeeded("v1.2.0", "green", SINCE, before="v1.1.5", stable="blue", replicas=replicas)
    assert found == f"v1.2.0 is live on green since 07:55:03 UTC (100 % measured). {says}"
    unmeasured = closing.succeeded(
        "v1.2.0", "green", SINCE, before="v1.1.5", stable="blue", replicas=replicas, measured=False
    )
    assert unmeasured == f"v1.2.0 is live on green since 07:55:03 UTC (100 % set, not measured). {says}"


@pytest.mark.parametrize(
    ("before", "where"),
    [("v1.1.5", "blue (v1.1.5)"), ("", "blue")],
)
def test_a_rollback(before: str, where: str) -> None:
    found = closing.rolled_back("v1.2.1", "at 50 %, 527 of 1053 answers failed.", pool="blue", before=before)
    assert found == (
        f"v1.2.1 was rolled back; all traffic is on {where} again. Cause: at 50 %, 527 of 1053 answers failed."
    )


def test_a_rollback_to_a_tag_whose_digest_is_gone() -> None:
    found = closing.rolled_back("v1.2.1", "It crashed.", pool="blue", before="v1.1.5", digest_gone="sha256:abc")
    assert found == (
        "v1.2.1 was rolled back; all traffic is on blue (v1.1.5) again, which runs its tag because the registry no "
        "longer has sha256:abc. Cause: It crashed."
    )
