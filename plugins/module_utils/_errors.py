# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed requests, as the predicate of a sentence. The caller, who knows what it asked for, adds the subject."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from ansible_collections.mcp.server.plugins.module_utils._task import Failure


class Fault(Failure):
    """A predicate: C(is answered 503), C(was refused)."""


@contextmanager
def subject(name: str) -> t.Iterator[None]:
    """Complete the predicate of a Fault in this block to a sentence, with C(name) as its subject. Raises Failure."""
    try:
        yield
    except Fault as fault:
        raise Failure(f"{name} {fault.msg}", **fault.evidence) from None
