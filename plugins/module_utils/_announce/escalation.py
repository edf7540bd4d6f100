# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom to call when a release or a rollback failed: of which kind the failure is, and who is called for that. Pure.

The kinds are levels: who is called for one is followed by those of the levels above it.
"""

from __future__ import annotations

import typing as t

# The lowest first: pre-flight and rollout; trigger, health and contract; a rollback that failed; clients get errors.
KINDS = DEPLOYMENT, APPLICATION, BUSINESS, CUSTOMER = "deployment", "application", "business", "customer"
# What each is called where the inventory does not say it.
TITLES = {
    DEPLOYMENT: "Deployment issues",
    APPLICATION: "Application issues",
    BUSINESS: "Business impact",
    CUSTOMER: "Customer impact",
}
MAX_FAILED_PERCENT = 5.0  # of the answers at the public endpoint: more than that is an impact on customers

# Documented in modules/mcp_announce.py
OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "contact": {"type": "str"},
        "when": {"type": "str"},
        "kind": {"type": "str", "choices": list(KINDS)},
    },
}

Element = t.Mapping[str, t.Any]

# What the server itself did wrong, by the module that found it.
_OF_APPLICATION = ("mcp_health", "mcp_contract", "mcp_gate", "mcp_watch")


def kind_of(
    *,
    module: str = "",
    evidence: t.Mapping[str, t.Any] | None = None,
    answers_failed: bool = False,
    rollback_failed: bool = False,
    failed_percent: float | None = None,
) -> str:
    """Return the kind of a failure: the highest that applies.

    module: the one that failed, with or without its collection. evidence: of its failure, as the task's result has it.
    answers_failed: whether the traffic was shifted, but too many answers failed. failed_percent: of the answers at the
    public endpoint now; None when it was not asked.
    """
    if failed_percent is not None and failed_percent > MAX_FAILED_PERCENT:
        return CUSTOMER
    if rollback_failed:
        return BUSINESS
    found, name = evidence or {}, module.rpartition(".")[2]
    if found.get("inconclusive"):  # not the server's fault: it could not be judged
        return DEPLOYMENT
    of_server = (
        answers_failed
        or name in _OF_APPLICATION
        or found.get("verdict") == "breach"
        or found.get("healthy") is False
        or ("checks" in found and name != "mcp_preflight")
    )
    return APPLICATION if of_server else DEPLOYMENT


def failed_percent(found: t.Mapping[str, t.Any]) -> float | None:
    """Return how many percent of the answers of a watch failed; None without an answer. found: its result."""
    requests = found.get("requests") or 0
    return 100.0 * (found.get("failed_requests") or 0) / requests if requests else None


def chosen(tree: t.Sequence[Element], kind: str | None = None) -> list[Element]:
    """Return whom to call for a failure of this kind, first those of the kind itself; all without a kind.

    Those of lower kinds are left out, unless nobody else is there.
    """
    if kind not in KINDS:
        return list(tree)
    higher = [one for one in tree if one.get("kind") not in KINDS[: KINDS.index(kind)]]
    return sorted(higher, key=lambda one: one.get("kind") != kind) or list(tree)


def lines(tree: t.Sequence[Element], kind: str | None = None) -> list[str]:
    """Return a line for each contact to call for a failure of this kind."""
    return [
        f"{number}. {_prefixed(one)}{one['name']}{_bracketed(one.get('contact'))}"
        for number, one in enumerate(chosen(tree, kind), 1)
    ]


def _prefixed(one: Element) -> str:
    text = one.get("when") or TITLES.get(one.get("kind") or "")
    return f"{text}: " if text else ""


def _bracketed(text: str | None) -> str:
    return f" ({text})" if text else ""
