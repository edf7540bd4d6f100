# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._compatibility.revisions import Pair, pair
from ansible_collections.mcp.server.plugins.module_utils._results import Skipped

GREEN_IMAGE = "ghcr.io/org/mcp-server:v1.2.0"


def release(outcome, accepted=()):
    return {
        "outcome": outcome,
        "from": {"pool": "blue"},
        "to": {"pool": "green", "contract": {"accepted": list(accepted)}},
    }


@pytest.mark.parametrize(
    ("current", "live", "version", "expected"),
    [
        (release("running"), "blue", None, Pair("blue", "green")),
        (release("running"), "blue", "v1.2.0", Pair("blue", "green")),
        (release("succeeded"), "green", None, Pair("blue", "green")),
        (
            release("succeeded", ["tools/a", "protocol_versions/2024-11-05"]),
            "green",
            None,
            Pair("blue", "green", frozenset({"2024-11-05"})),
        ),
        (None, "blue", None, Pair("blue", "green", required=False)),
        (None, "blue", "v1.2.0", Pair("blue", "green")),
        # Before the next release: the idle pool must run its version already
        (release("rolled_back"), "blue", "v1.2.0", Pair("blue", "green")),
        (release("rolled_back"), "blue", "v1.3.0", "Pool green does not run v1.3.0 yet."),
        (release("succeeded"), "blue", "v1.3.0", "Pool green does not run v1.3.0 yet."),
        (None, "blue", "sha256:" + "a" * 64, "does not run sha256:"),
        (release("rolled_back"), "blue", None, "The newest release has ended as rolled_back"),
        (release("failed"), "blue", None, "has ended as failed"),
    ],
)
def test_which_pools_are_compared(current, live, version, expected):
    if isinstance(expected, Pair):
        assert pair(current, live, version, GREEN_IMAGE) == expected
    else:
        with pytest.raises(Skipped) as caught:
            pair(current, live, version, GREEN_IMAGE)
        assert expected in str(caught.value)


def test_an_image_that_is_none():
    with pytest.raises(Skipped):
        pair(None, "blue", "v1.2.0", "NOT AN IMAGE")
