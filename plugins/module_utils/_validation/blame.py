# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether what fails after a release is the fault of its version. Pure.

The traffic only goes back when the old version does better. So the pods of both pools are asked for the same, past the
gateway: a failure counts where every new pod has it, and no old one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._results import Result
from ansible_collections.mcp.server.plugins.module_utils._text import printable

OF_GATEWAY = "how requests are spread depends on the gateway, too"
MAX_REASON = 300  # characters


@dataclass(frozen=True)
class Tried:
    """What the pods of one pool do when they are asked.

    reasons: why each fails, empty for one that does not. unknown: why that can't be told. how: by what request.
    """

    reasons: tuple[str, ...] = ()
    unknown: str = ""
    how: str = ""

    @property
    def failed(self) -> list[str]:
        """Return the reasons of those that fail."""
        return [one for one in self.reasons if one]


def judged(one: Result, new_pool: str, old_pool: str, new: Tried, old: Tried) -> Result:
    """Return the result of a failed check as it counts in a release: failed, or cannot_measure, with why."""
    sure, why = _why(new_pool, old_pool, new, old)
    verdict = _results.FAILED if sure else _results.CANNOT_MEASURE
    message = f"{str(one['message']).rstrip('.')}. {why}"
    return {**_results.result(one["id"], one["name"], verdict, message, required=True), "seconds": one["seconds"]}


def _why(new_pool: str, old_pool: str, new: Tried, old: Tried) -> tuple[bool, str]:
    """Return whether the new version is at fault, and a sentence on that."""
    for pool, tried in ((new_pool, new), (old_pool, old)):
        if tried.unknown or not tried.reasons:
            why = _shown(tried.unknown or "no pod was asked")
            return False, f"Whether this version is at fault cannot be told by pool {pool}: {why}."
    if not all(new.reasons):
        return False, (
            f"Asked past the gateway, {len(new.reasons) - len(new.failed)} of {len(new.reasons)} pods of pool "
            f"{new_pool} do not fail so: it may be the gateway, or have passed."
        )
    if old.failed:
        return False, f"Pool {old_pool} fails as well ({_shown(old.failed[0])}), so it is not this version's fault."
    if new.how != old.how:
        return False, (
            f"The pools are asked by different requests ({printable(new.how, 40)}, {printable(old.how, 40)}), so they "
            "cannot be compared."
        )
    return True, f"The pods of pool {new_pool} fail so past the gateway, too, and those of pool {old_pool} do not."


def _shown(text: str) -> str:
    return printable(text, MAX_REASON).rstrip(".")
