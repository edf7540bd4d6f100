# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._cluster.autoscaling import NOTE, Autoscaler


def scaler(least=None, most=6, note=None):
    spec = {"maxReplicas": most, **({} if least is None else {"minReplicas": least})}
    metadata = {"name": "a", "resourceVersion": "7", **({"annotations": {NOTE: note}} if note is not None else {})}
    return Autoscaler({"metadata": metadata, "spec": spec})


def note(former, raised):
    return json.dumps({"former": former, "raised": raised})


@pytest.mark.parametrize(
    ("autoscaler", "wanted", "least", "noted"),
    [
        (scaler(2), 4, 4, (2, 4)),
        (scaler(), 3, 3, (1, 3)),  # the API's default is 1
        (scaler(2), 2, None, None),
        (scaler(2), 1, None, None),  # never below its owner's
        (scaler(2, most=3), 5, 3, (2, 3)),  # never above its greatest
        (scaler(4, note=note(2, 4)), 4, None, None),  # the run was killed, and comes again
        (scaler(4, note=note(2, 4)), 5, 5, (2, 5)),  # the first note stays
        (scaler(4, note=note(2, 4)), 3, 3, (2, 3)),
        (scaler(4, note=note(2, 4)), 0, 2, None),  # given back
        (scaler(3, note=note(2, 4)), 0, 3, None),  # its owner changed it meanwhile
        (scaler(3, note=note(2, 4)), 5, 5, (3, 5)),
        (scaler(3, note="what?"), 0, 3, None),
        (scaler(3, note="[]"), 5, 5, (3, 5)),
        (scaler(2), 0, None, None),
    ],
)
def test_least_size(autoscaler, wanted, least, noted):
    patch = autoscaler.patch(wanted)
    if least is None:
        assert patch is None
        return
    assert patch == {
        "metadata": {"resourceVersion": "7", "annotations": {NOTE: note(*noted) if noted else None}},
        "spec": {"minReplicas": least},
    }
    after = scaler(least, autoscaler.obj["spec"]["maxReplicas"], patch["metadata"]["annotations"][NOTE])
    assert after.patch(wanted) is None


@pytest.mark.parametrize(
    ("now", "wanted", "size"),
    [(0, 3, 3), (2, 3, 3), (5, 3, 5), (0, 1, 2), (3, 0, 0), (0, 9, 6)],
)
def test_size_of_the_deployment(now, wanted, size):
    assert scaler(2).size(now, wanted) == size
