# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_contract: read the contract of a server, save it, and compare it with a baseline."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _files
from ansible_collections.mcp.server.plugins.module_utils._contract import compare, normalise, text
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import outage
from ansible_collections.mcp.server.plugins.module_utils._mcp import handshake, hosts, listing, protocol, targets
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint, defaults
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
FAILING_SEVERITIES = {"breaking": ("breaking",), "risky": ("breaking", "risky", "undecidable"), "never": ()}

FORMAT = 1


@dataclass(frozen=True)
class ReadContract:
    """A contract, with where it was read from."""

    name: str  # of a file, server or pool, for people
    era: str  # in which the server was read
    contract: dict[str, t.Any]  # normalised
    server_info: dict[str, t.Any] = field(default_factory=dict)  # empty of a file

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
    settings = settings_of(params, params["era"])
    if params["auth"] and params["auth"]["expect_401"]:
        raise Failure("auth.expect_401 is for mcp_health only: a contract cannot be read without a token. Remove it.")
    before = _baseline(params, settings) if params["baseline"] else None
    now = _read(params, settings)
    if before is not None and before.era != now.era:
        now = _in_the_era_of(before, now, params, settings)
    result: dict[str, t.Any] = {"era": now.era, **now.hashes(), "host_notes": hosts.notes()}
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
        for line in [f"{before.name} and {now.name}", *text.render(changes, accepted).splitlines()]:
            task.progress(line)
        diff.append(text.diff(before.contract, now.contract, before.name, now.name))
    failing = [change for change in open_changes if change.severity in FAILING_SEVERITIES[params["fail_on"]]]
    if failing:
        server = f" of {params['namespace']}/{params['server']}" if params["pool"] else ""
        message = failure_sentence(now.name + server, before.name, failing)
        raise Failure(message, changed=changed, diff=diff, **result)
    return {"changed": changed, **result, "contract": now.contract, "diff": diff}


def settings_of(params: dict[str, t.Any], era: str) -> Settings:
    """Return how a contract is read. Raise Failure when there is no token."""
    return Settings(
        era=era,
        timeout=params["timeout"],
        step_timeout=params["step_timeout"],
        lists=tuple(listing.KINDS),
        credentials=targets.credentials_of(params),
        offer=True,
    )


def described(change: compare.Change) -> dict[str, str]:
    return {key: getattr(change, key) for key in ("severity", "path", "change", "message")}


def failure_sentence(name: str, baseline: str, failing: t.Sequence[compare.Change]) -> str:
    """Return what to tell of changes that fail the task: the first five, and what to do."""
    ways = f"{len(failing)} way{'s' if len(failing) > 1 else ''}"
    changes = " ".join(f"[{change.path}] {change.message}" for change in failing[:5])
    more = f" And {len(failing) - 5} more." if len(failing) > 5 else ""
    return (
        f"The contract of {name} differs from that of {baseline} in {ways} that may break clients: {changes}{more} "
        "Fix the new version, or accept these changes by the names in brackets (option accept)."
    )


def _read(params: dict[str, t.Any], settings: Settings) -> ReadContract:
    """Read all endpoints that the task names. Raise Failure when one cannot be read, or their contracts differ."""
    find = targets.finder(params)
    waited = outage.current().seconds
    try:
        read = _read_each(find(), settings)
    except Failure:
        endpoints = find()  # waits while the API server is unreachable
        if outage.current().seconds == waited:
            raise
        read = _read_each(endpoints, settings)
    first = read[0]
    other = next((one for one in read if one.contract != first.contract), None)
    if other is not None:
        differences = compare.compare(first.contract, other.contract)
        difference = differences[0].message if differences else "Their hashes differ."
        raise Failure(
            f"{first.name} and {other.name} offer different contracts: {difference} "
            "Wait until all pods of the pool run the same version, then try again."
        )
    return replace(first, name=f"pool {params['pool']}") if params["pool"] else first


def _read_each(endpoints: t.Sequence[Endpoint], settings: Settings) -> list[ReadContract]:
    return targets.in_parallel(lambda one: read_one(one, settings), endpoints)


def read_one(endpoint: Endpoint, settings: Settings) -> ReadContract:
    """Return the contract of one server. Raise Failure."""
    found = probe(endpoint, settings)
    if not found["healthy"]:
        raise Failure(f"Cannot read the contract of {endpoint.name}: {found['reason'].rstrip('.')}.")
    return ReadContract(endpoint.name, found["era"], normalise.normalise(found["offer"]), found["server_info"] or {})


def serves_both(read: ReadContract) -> bool:
    """Return whether a server that was read in the modern era serves legacy clients, too."""
    return read.era == protocol.MODERN and read.contract["session_mode"] != "modern"


def for_legacy_clients(now: ReadContract, legacy: ReadContract) -> ReadContract:
    """Return the contract as a release reads it whose live version is a legacy one. now: in the modern era."""
    return replace(legacy, contract={**legacy.contract, "protocol_versions": now.contract["protocol_versions"]})


def _in_the_era_of(
    before: ReadContract, now: ReadContract, params: dict[str, t.Any], settings: Settings
) -> ReadContract:
    """Return the contract for clients of a legacy baseline, when the server serves both eras, which may differ."""
    if params["era"] != handshake.AUTO or not serves_both(now):
        return now
    return for_legacy_clients(now, _read(params, replace(settings, era=protocol.LEGACY)))


def _baseline(params: dict[str, t.Any], settings: Settings) -> ReadContract:
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
            f"{failure.msg} So there is nothing to compare with: choose another baseline, or skip the comparison "
            "(in a release: -e mcp_bypass=contract, to replace a version that does not answer)."
        ) from None


def load(path: str) -> ReadContract:
    """Return the contract that an earlier call saved. Raise Failure when the file is something else."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        valid = (
            isinstance(document, dict)
            and document["format"] == FORMAT
            and document["era"] in protocol.REVISIONS.values()
        )
        read = ReadContract(path, document["era"], normalise.normalise(document["contract"])) if valid else None
    except OSError as error:
        raise Failure(
            f"Cannot read the contract {path} ({error.strerror}): save one with the option path first."
        ) from None
    except (Failure, ValueError, KeyError, TypeError, RecursionError):
        read = None
    if read is None:
        raise Failure(f"{path} is not a contract of format {FORMAT}: save a new one with the option path.")
    return read


def _save(path: str, now: ReadContract, check_mode: bool) -> tuple[bool, list[dict[str, str]]]:
    """Save the contract, except in check mode. Return whether the file changes, and its diff. Raise Failure."""
    document = now.document()
    try:
        before = _files.write(Path(path), document, dry_run=check_mode) or ""
    except OSError as error:
        raise Failure(f"Cannot save the contract as {path} ({error.strerror}).") from None
    diff = {"before": before, "after": document, "before_header": path, "after_header": path}
    return before != document, [diff] if before != document else []
