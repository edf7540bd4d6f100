# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The debug commands of the guide, run: what they find bears a cause out, or speaks against it."""

from __future__ import annotations

import base64
import binascii
import json
import shlex
import typing as t
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._diagnose import findings
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import MIN_LENGTH, Failure, conceal
from ansible_collections.mcp.server.plugins.module_utils._text import printable

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
SERVICE_ACCOUNT = "system:serviceaccount:"
MOST_SECRETS = 20


class Check(t.NamedTuple):
    """One command of the guide, and what it found."""

    name: str
    # What was asked, such as TCP database.prod.svc:5432
    asked: str
    # None where the check could not be made.
    ok: bool | None
    # A clause.
    said: str
    # The next command when it failed; empty for that of the cause.
    next: str = ""

    def line(self) -> str:
        mark = {True: "ok", False: "FAILED", None: "not made"}[self.ok]
        return f"{self.asked}: {mark}{self.said and f' ({self.said})'}"

    def result(self) -> dict[str, t.Any]:
        return {"name": self.name, "asked": self.asked, "ok": self.ok, "said": self.said}


def secret_keys(cluster: Api, server: Server, found: Sources) -> tuple[list[Check], list[Finding]]:
    """Return which keys the Secrets of the pods have; no value leaves this function, or is shown anywhere."""
    checks: list[Check] = []
    problems: list[Finding] = []
    wanted: dict[str, findings.Wanted] = {}
    for workload in found.workloads.values():
        for one in findings.secrets_of(workload):
            known = wanted.get(one.name)
            needed = tuple(sorted({*one.keys, *(known.keys if known else ())}))
            wanted[one.name] = findings.Wanted(one.name, needed, one.optional and (known.optional if known else True))
    names = {server.name, server.namespace, *(server.workload(pool) for pool in found.workloads)}
    for one in list(wanted.values())[:MOST_SECRETS]:
        asked = f"Secret {server.namespace}/{printable(one.name, 100)}"
        try:
            data = mapping(cluster.get(paths.secrets(server.namespace, one.name)), "data")
        except NotFound:
            problems += findings.of_secret(one, None, server.namespace)
            checks.append(Check("secret_keys", asked, one.optional or False, "it does not exist"))
            continue
        except Forbidden:
            checks.append(Check("secret_keys", asked, None, "no right to get this Secret, which is optional"))
            continue
        except Failure as failure:
            checks.append(Check("secret_keys", asked, None, printable(failure.msg, 200)))
            continue
        _conceal(data, names)
        missing = list(findings.of_secret(one, data.keys(), server.namespace))
        problems += missing
        keys = ", ".join(printable(str(key), 60) for key in sorted(map(str, data))) or "none"
        checks.append(Check("secret_keys", asked, not missing, f"its keys: {printable(keys, 300)}"))
    return checks, problems


def _conceal(data: t.Mapping[str, t.Any], names: t.Collection[str]) -> None:
    """Hide the values of a Secret from all that is shown, and the password in one that is a URL."""
    for value in data.values():
        try:
            text = base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, UnicodeError, ValueError):
            text = ""
        password = None
        with suppress(ValueError):
            password = urlsplit(text).password
        hidden = [str(value), text, password or ""]
        conceal(*(one for one in hidden if len(one) >= MIN_LENGTH and one.strip() not in names))


def token_review(cluster: Api, token: str, audiences: t.Sequence[str] = ()) -> Check:
    """Return whether the API server accepts the token. One of somebody else's issuer is not sent to it."""
    conceal(token)
    asked = "TokenReview of the given token"
    if not is_service_account_token(token):
        return Check(
            "token_review", asked, None, "it is no token of a ServiceAccount, so it is not sent to the API server"
        )
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, **({"audiences": list(audiences)} if audiences else {})},
    }
    try:
        status = mapping(cluster.create(TOKEN_REVIEWS, body), "status")
    except Forbidden:
        return Check("token_review", asked, None, "no right to create tokenreviews, which is optional")
    except Failure as failure:
        return Check("token_review", asked, None, printable(failure.msg, 200))
    if status.get("authenticated") is True:
        user = printable(str(mapping(status, "user").get("username") or "unknown"), 200)
        return Check("token_review", asked, True, f"it is of {user}")
    return Check("token_review", asked, False, findings.shown(status.get("error")) or "it does not authenticate")


def is_service_account_token(token: str) -> bool:
    """Return whether a token is a ServiceAccount's, by its unverified claims."""
    parts = token.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(claims, dict) and str(claims.get("sub") or "").startswith(SERVICE_ACCOUNT)


def service_of(target: str, namespace: str) -> tuple[str, str] | None:
    """Return namespace and name of the Service that a target such as HOST:PORT or a URL names; None for none."""
    host = urlsplit(target).hostname if "://" in target else target.rpartition(":")[0] or target
    parts = (host or "").rstrip(".").split(".")
    if len(parts) >= 3 and parts[2] == "svc":
        return parts[1], parts[0]
    if len(parts) == 2 and not parts[1].isdigit() and parts[1] not in ("local", "com", "org", "net", "internal"):
        return parts[1], parts[0]
    return (namespace, parts[0]) if len(parts) == 1 and parts[0] else None


def target_endpoints(cluster: Api, server: Server, targets: t.Sequence[str]) -> list[Check]:
    """Return how many ready endpoints the Services have that the server needs (kubectl describe endpoints)."""
    checks = []
    wanted = dict.fromkeys(one for target in targets if (one := service_of(target, server.namespace)))
    for namespace, name in wanted:
        asked = f"Endpoints of Service {printable(f'{namespace}/{name}', 150)}"
        try:
            slices = endpoints.slices(cluster, namespace, name)
        except Forbidden:
            checks.append(Check("endpoints", asked, None, "no right to list them in that namespace, which is optional"))
        except Failure as failure:
            checks.append(Check("endpoints", asked, None, printable(failure.msg, 200)))
        else:
            ready = endpoints.count_ready(slices)
            # A name outside of the cluster has none either.
            checks.append(
                Check("endpoints", asked, ready > 0, f"{ready} ready", _describe(namespace, name))
                if slices
                else Check("endpoints", asked, None, "the cluster knows none")
            )
    return checks


def _describe(namespace: str, service: str) -> str:
    return f"kubectl -n {shlex.quote(namespace)} describe service {shlex.quote(service)}"


# The causes that each check bears out when it fails, and speaks against when it passes.
JUDGES: dict[str, tuple[str, ...]] = {
    "dns": ("name_resolution", "database"),
    "tcp": ("database",),
    "http": ("certificate", "database"),
    "endpoints": ("database",),
    "token_review": ("authentication",),
    "secret_keys": ("configuration", "authentication"),
}


def judged(found: t.Sequence[Finding], made: t.Sequence[Check]) -> list[Finding]:
    """Return the findings, each with what the checks say of its cause. Pure.

    One failed check bears a cause out. Only network checks that all passed speak against one: a Secret with the right
    keys may have the wrong values.
    """
    judged_ones = []
    for one in found:
        about = [check for check in made if check.ok is not None and one.cause in JUDGES.get(check.name, ())]
        confirmed, facts = one.confirmed, dict(one.facts)
        # DNS and TCP from inside say more than what the cluster has listed.
        if failed := [check for check in about if check.ok is False]:
            confirmed, facts["check"] = True, failed[-1].line()
            if commands := [check.next for check in failed if check.next]:
                facts["next"] = commands[0]
        elif confirmed is None and any(check.name in ("dns", "tcp", "http", "token_review") for check in about):
            confirmed = False
        judged_ones.append(replace(one, confirmed=confirmed, facts=facts))
    return judged_ones


def alone(judged_ones: t.Sequence[Finding], made: t.Sequence[Check]) -> list[Finding]:
    """Return the causes that only failed checks show: nothing may have asked the server for some time. Pure."""
    known = {one.cause for one in judged_ones}
    found: dict[str, Finding] = {}
    for check in made:
        causes = JUDGES.get(check.name, ())
        if check.ok is False and causes and not known.intersection(causes):
            # The last one says most, see judged(). The next command may be that of an earlier one.
            command = check.next or (found[causes[0]].facts.get("next", "") if causes[0] in found else "")
            facts = {"next": command} if command else {}
            where = f"a check made now, {check.asked}"
            found[causes[0]] = Finding(causes[0], where, check.said, confirmed=True, facts=facts)
    return list(found.values())
