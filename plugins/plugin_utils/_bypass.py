# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release leaves out when a person bypasses it by name (mcp_bypass). Pure.

A name is that of a group, or of one of its members: as GROUP.MEMBER, or the member alone where no other group has it.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mcp.server.plugins.module_utils._gates import thresholds
from ansible_collections.mcp.server.plugins.module_utils._preflight.checks import BYPASSABLE, NEVER_BYPASSED
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import DEPENDENCIES
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._validation import rows

PREFLIGHT, GATES, TRIGGERS, HEALTH, CONTRACT, CHECKS = "preflight", "gates", "triggers", "health", "contract", "checks"
# Its members have names that others have, too: they are meant only with the name of the group.
VALIDATION = "validation"
# The image in its registry, and the checks that are tasks of their own: the Git change and the public endpoint, ...
REGISTRY, GIT, ENDPOINT = "registry", "git", "endpoint"
# ... and those that go by more than the server's cluster: the compatibility matrix, Vault, files, and Jobs.
TASKS = ("compatibility", "vault", "secret_scan", "dependencies")
# The gate that judges the synthetic requests of a step.
SYNTHETIC = "synthetic_requests"
OFF = {"enabled": False}
# What leaves a check out when it is set so, with the name that bypasses the same.
SWITCHES = {
    "mcp_check_registry": REGISTRY,
    "mcp_contract_check": CONTRACT,
    "mcp_checks": CHECKS,
    "mcp_validation": VALIDATION,
}
THRESHOLDS = {"mcp_gates": GATES, "mcp_triggers": TRIGGERS}
SETTINGS = (*SWITCHES, *THRESHOLDS)


def groups(gates: t.Any = None, triggers: t.Any = None, checks: t.Any = None) -> dict[str, list[str]]:
    """Return what can be bypassed: each group with its members. gates, triggers, checks: the inventory's own."""
    own_checks = [str(one["name"]) for one in checks or [] if isinstance(one, t.Mapping) and one.get("name")]
    return {
        PREFLIGHT: list(
            dict.fromkeys([REGISTRY, *BYPASSABLE, *(one.id for one in DEPENDENCIES), GIT, ENDPOINT, *TASKS])
        ),
        GATES: list(dict.fromkeys([SYNTHETIC, *(gate.name for gate in thresholds.SHIFT), *map(str, gates or {})])),
        TRIGGERS: list(dict.fromkeys([*(gate.name for gate in thresholds.TRIGGERS), *map(str, triggers or {})])),
        HEALTH: [],
        CONTRACT: [],
        CHECKS: own_checks,
        VALIDATION: list(rows.CHECKS),
    }


def places(name: str, known: t.Mapping[str, t.Sequence[str]]) -> list[tuple[str, str]]:
    """Return what a name may mean, each as group and member; the member is empty for a whole group."""
    if name in known:
        return [(name, "")]
    group, dot, member = name.partition(".")
    if dot and member in known.get(group, ()):
        return [(group, member)]
    return [(group, name) for group, members in known.items() if name in members and group != VALIDATION]


def bypass(
    wanted: t.Sequence[str],
    reason: str | None,
    *,
    gates: t.Mapping[str, t.Any] | None = None,
    triggers: t.Mapping[str, t.Any] | None = None,
    checks: t.Sequence[t.Mapping[str, t.Any]] | None = None,
    validation: t.Sequence[str] | None = None,
    switched_off: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    """Return what a release does without, see RETURN of the filter bypass.

    wanted: the names. gates, triggers, checks, validation: as the inventory has them.
    switched_off: names of what extra variables leave out already; these are recorded, and need no reason.
    """
    known = groups(gates, triggers, checks)
    # No name of ours has capitals; one of the user's may.
    given = [text for one in wanted if (text := str(one).strip())]
    names = list(dict.fromkeys(text if places(text, known) else text.lower() for text in given))
    found = {name: places(name, known) for name in names}
    chosen = {place for meant in found.values() for place in meant}

    def without(group: str) -> list[str]:
        return [member for member in known[group] if (group, "") in chosen or (group, member) in chosen]

    def is_chosen(name: str) -> bool:
        return any({(group, ""), (group, member)} & chosen for group, member in places(name, known))

    preflight, off_gates, off_triggers, off_checks = map(without, (PREFLIGHT, GATES, TRIGGERS, CHECKS))
    off_validation = without(VALIDATION)
    all_gates, all_triggers = ((group, "") in chosen for group in (GATES, TRIGGERS))
    return {
        "problem": _problem(names, found, known, reason),
        "names": [*names, *(name for name in switched_off if not is_chosen(name))],
        "reason": redact(str(reason or "")),
        "all_of_preflight": (PREFLIGHT, "") in chosen,
        "preflight": preflight,
        "gates": {**(gates or {}), **{name: OFF for name in off_gates if name != SYNTHETIC}},
        "synthetic": SYNTHETIC in off_gates,
        "triggers": {**(triggers or {}), **dict.fromkeys(off_triggers, OFF)},
        "judged": not (all_gates and all_triggers),
        "health": (HEALTH, "") in chosen,
        "contract": (CONTRACT, "") in chosen,
        "checks": [one for one in checks or [] if not (isinstance(one, t.Mapping) and one.get("name") in off_checks)],
        "validation": [one for one in validation or [] if one not in off_validation],
    }


def switched_off(given: t.Mapping[str, t.Any]) -> list[str]:
    """Return the names of what extra variables switch off, which counts as bypassed: they are for this one release.

    given: those of SETTINGS that are extra variables.
    """
    off = [bypassed for name, bypassed in SWITCHES.items() if name in given and not given[name]]
    return off + [
        f"{group}.{name}"
        for setting, group in THRESHOLDS.items()
        for name, options in (given.get(setting) or {}).items()
        if isinstance(options, t.Mapping) and not boolean(options.get("enabled", True), strict=False)
    ]


def _problem(
    names: t.Sequence[str],
    found: t.Mapping[str, t.Sequence[tuple[str, str]]],
    known: t.Mapping[str, t.Sequence[str]],
    reason: str | None,
) -> str:
    """Return why these names can't be bypassed, as sentences; empty when they can."""
    problems = []
    for name, meant in found.items():
        if len(meant) > 1:
            ways = " or ".join(f"{group}.{member}" for group, member in meant)
            problems.append(f"mcp_bypass has {name}, which may be {ways}: name the one that is meant.")
        elif not meant and name.rpartition(".")[2] in NEVER_BYPASSED:
            problems.append(f"mcp_bypass has {name}, which cannot be bypassed: the release itself refuses the same.")
        elif not meant:
            problems.append(f"mcp_bypass has {ascii(name[:80])}, which is no name of a check. {_list(known)}")
    if names and not str(reason or "").strip():
        problems.append("mcp_bypass needs a reason: pass -e \"mcp_reason='...'\", which the release record shows.")
    return " ".join(problems)


def _list(known: t.Mapping[str, t.Sequence[str]]) -> str:
    shown = [f"{group} ({', '.join(members)})" if members else group for group, members in known.items()]
    return f"Names are: {'; '.join(shown)}."
