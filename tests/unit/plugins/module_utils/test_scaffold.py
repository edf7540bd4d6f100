# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _scaffold
from ansible_collections.mcp.server.plugins.module_utils._scaffold import CREATED, KEPT, UNCHANGED, UPDATED

OLD, NEW = "#!/bin/sh\n# @STAMP@\nold\n", "#!/bin/sh\n# @STAMP@\nnew\n"
WRITTEN = _scaffold.stamped(OLD)


@pytest.mark.parametrize(
    ("before", "once", "overwrite", "state"),
    [
        ("", False, False, CREATED),
        ("", True, False, CREATED),
        (_scaffold.stamped(NEW), False, False, UNCHANGED),
        (_scaffold.stamped(NEW).replace("\n", "\r\n"), False, False, UNCHANGED),
        (WRITTEN, False, False, UPDATED),
        (WRITTEN.replace("\n", "\r\n"), False, False, UPDATED),
        (WRITTEN.replace("old", "changed"), False, False, KEPT),
        (WRITTEN.replace("old", "changed"), False, True, UPDATED),
        (WRITTEN + "\n", False, False, KEPT),
        (WRITTEN.replace("/bin/sh", "/bin/bash"), False, False, KEPT),
        ("somebody else's\n", False, False, KEPT),
        (f"1\n2\n3\n# sha256:{'0' * 64}\n", False, False, KEPT),
        (None, False, False, KEPT),
        (None, False, True, UPDATED),
        ("somebody else's\n", True, False, UNCHANGED),
        (None, True, False, UNCHANGED),
        ("somebody else's\n", True, True, UPDATED),
    ],
)
def test_what_becomes_of_a_file(before: str | None, once: bool, overwrite: bool, state: str) -> None:
    found = _scaffold.decide(before, NEW, once=once, overwrite=overwrite)
    assert found == (state, NEW if once else _scaffold.stamped(NEW))


def test_a_stamp_is_of_all_other_text() -> None:
    assert _scaffold.is_ours(WRITTEN) and "@STAMP@" not in WRITTEN
    assert not any(_scaffold.is_ours(WRITTEN[:at] + "x" + WRITTEN[at + 1 :]) for at in range(len(WRITTEN)))
    assert not _scaffold.is_ours("") and not _scaffold.is_ours(OLD)
