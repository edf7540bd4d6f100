# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_contract: reads what servers offer, keeps it in a file, and judges it by what clients knew before."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._contract import compare, normalise, text
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._mcp import handshake, listing, protocol, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint, defaults
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import Assertions
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

BASELINES = ("pool", "pod", "service", "url", "path")

SPEC = Spec(
    options={
        **targets.OPTIONS,
        "baseline": {
            "type": "dict",
            "options": {name: {"type": "path" if name == "path" else "str"} for name in BASELINES},
            "mutually_exclusive": [BASELINES],
            "required_one_of": [BASELINES],
        },
        "path": {"type": "path"},
        "accept": {"type": "list", "elements": "str", "default": []},
        "fail_on": {"type": "str", "choices": ["breaking", "risky", "never"], "default": "breaking"},
    },
    **targets.RULES,
)

# The severities that fail a task.
FATAL = {"breaking": ("breaking",), "risky": ("breaking", "risky", "undecidable"), "never": ()}

FORMAT = 1


@dataclass(frozen=True)
class Read:
    """A contract, and where and how it was read: a file's name or a server's, and in which era."""

    name: str
    era: str
    contract: dict[str, t.Any]

    def hashes(self) -> dict[str, str]:
        return {
            "structure_hash": normalise.structure_hash(self.contract),
            "text_hash": normalise.text_hash(self.contract),
        }

    def document(self) -> str:
        return (
            json.dumps(
                {"format": FORMAT, "era": self.era, **self.hashes(), "contract": self.contract},
                indent=2,
                sort_keys=True,
            )
            + "\n"
        )


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    targets.check_times(params)
    settings = Settings(
        assertions=Assertions(),
        era=params["era"],
        timeout=params["timeout"],
        step_timeout=params["step_timeout"],
        lists=tuple(listing.KINDS),
        token=targets.token(params),
        offer=True,
    )
    if params["auth"] and params["auth"]["expect_401"]:
        raise Failure("auth.expect_401 is for mcp_health: a server that lets nobody in shows no contract.")
    before = _baseline(params, settings) if params["baseline"] else None
    now = _read(params, settings)
    if before is not None and before.era != now.era:
        now = _in_the_era_of(before, now, params, settings)
    result = {"era": now.era, **now.hashes()}
    changed, diff = _save(params["path"], now, task.check_mode) if params["path"] else (False, [])
    if before is None:
        return {"changed": changed, **result, "contract": now.contract, "diff": diff}

    changes = compare.compare(before.contract, now.contract)
    accepted, open_changes = compare.accepted(changes, params["accept"])
    result |= {
        "baseline": {"name": before.name, "era": before.era, **before.hashes()},
        "verdict": compare.verdict(changes),
        "changes": [described(change) | {"accepted": change in accepted} for change in changes],
    }
    if changes:
        task.progress(f"{before.name} and {now.name}\n{text.render(changes, accepted)}")
        diff.append(text.diff(before.contract, now.contract, before.name, now.name))
    fatal = [change for change in open_changes if change.severity in FATAL[params["fail_on"]]]
    if fatal:
        raise Failure(complaint(now.name, before.name, fatal), changed=changed, diff=diff, **result)
    return {"changed": changed, **result, "contract": now.contract, "diff": diff}


def described(change: compare.Change) -> dict[str, str]:
    return {key: getattr(change, key) for key in ("severity", "path", "change", "message")}


def complaint(name: str, baseline: str, fatal: t.Sequence[compare.Change]) -> str:
    """One sentence about changes that are not accepted."""
    sentences = " ".join(f"[{change.path}] {change.message}" for change in fatal[:5])
    more = f" And {len(fatal) - 5} more." if len(fatal) > 5 else ""
    return (
        f"The contract of {name} differs from that of {baseline} in {len(fatal)} way{'s' if len(fatal) > 1 else ''} that clients may not bear: "
        f"{sentences}{more} Mend the new version, or accept these changes by the names in brackets (accept)."
    )


def _read(params: dict[str, t.Any], settings: Settings) -> Read:
    """Of all endpoints that the task names, which have to offer the same. Raises Failure."""
    find = targets.finder(params)
    waited = outage.current().seconds
    try:
        read = _read_each(find(), settings)
    except Failure:
        endpoints = find()  # waits, when it is the API server that is away
        if outage.current().seconds == waited:
            raise
        read = _read_each(endpoints, settings)
    first = read[0]
    other = next((one for one in read if one.contract != first.contract), None)
    if other is not None:
        differences = compare.compare(first.contract, other.contract)
        difference = differences[0].message if differences else "The hashes differ."
        raise Failure(
            f"{first.name} and {other.name} do not offer the same, so there is no contract to speak of: {difference}"
        )
    return replace(first, name=f"pool {params['pool']}") if params["pool"] else first


def _read_each(endpoints: t.Sequence[Endpoint], settings: Settings) -> list[Read]:
    return targets.at_once(lambda one: _read_one(one, settings), endpoints)


def _read_one(endpoint: Endpoint, settings: Settings) -> Read:
    found = probe(endpoint, settings)
    if not found["healthy"]:
        raise Failure(f"The contract of {endpoint.name} cannot be read: {found['reason'].rstrip('.')}.")
    return Read(endpoint.name, found["era"], normalise.normalise(found["offer"]))


def _in_the_era_of(before: Read, now: Read, params: dict[str, t.Any], settings: Settings) -> Read:
    """What a server of both eras shows to the clients of the server before: capabilities and lists may differ between eras."""
    serves_both = now.era == protocol.MODERN and now.contract["session_mode"] != "modern"
    if params["era"] != handshake.AUTO or not serves_both:
        return now
    legacy = _read(params, replace(settings, era=protocol.LEGACY))
    return replace(legacy, contract={**legacy.contract, "protocol_versions": now.contract["protocol_versions"]})


def _baseline(params: dict[str, t.Any], settings: Settings) -> Read:
    baseline = params["baseline"]
    if baseline["path"]:
        return load(baseline["path"])
    target = dict.fromkeys(("pod", "service", "pool")) | {key: baseline[key] for key in ("pod", "service", "pool")}
    if baseline["url"]:
        target["endpoint"] = {**(params["endpoint"] or defaults()), "url": baseline["url"]}
    elif not params["namespace"] or (baseline["pool"] and not params["server"]):
        raise Failure("baseline needs namespace for a pod, service or pool, and server for a pool.")
    try:
        return _read({**params, **target}, settings)
    except Failure as failure:
        raise Failure(
            f"{failure.msg} So there is nothing to compare with: take another baseline, or leave the comparison out "
            "(in a release: mcp_contract_check=false, to replace a version that does not answer)."
        ) from None


def load(path: str) -> Read:
    """What an earlier call saved. Raises Failure when the file is something else."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        sound = (
            isinstance(document, dict)
            and document["format"] == FORMAT
            and document["era"] in protocol.REVISIONS.values()
        )
        read = Read(path, document["era"], normalise.normalise(document["contract"])) if sound else None
    except OSError as error:
        raise Failure(f"The contract {path} cannot be read ({error.strerror}): save one with path first.") from None
    except (Failure, ValueError, KeyError, TypeError, RecursionError):
        read = None
    if read is None:
        raise Failure(f"{path} is not a contract of format {FORMAT}: save one with path.")
    return read


def _save(path: str, now: Read, check_mode: bool) -> tuple[bool, list[dict[str, str]]]:
    """Whether the file changes, and how."""
    file, document = Path(path), now.document()
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if before != document and not check_mode:
            # In one step: who is killed leaves the old file or the new one.
            fresh = file.with_name(f"{file.name}.{os.getpid()}")
            fresh.write_text(document, encoding="utf-8")
            fresh.replace(file)
    except (OSError, UnicodeError) as error:
        raise Failure(
            f"The contract cannot be saved as {path} ({getattr(error, 'strerror', None) or 'it holds no text now'})."
        ) from None
    diff = {"before": before, "after": document, "before_header": path, "after_header": path}
    return before != document, [diff] if before != document else []
