# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What staging.yml shows: a result for each thing that was to be checked, made or not. Pure."""

from __future__ import annotations

import copy
import importlib.util
import os
import shutil
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import is_secret_name, redact
from ansible_collections.mcp.server.plugins.module_utils._text import hide, one_line
from ansible_collections.mcp.server.plugins.plugin_utils._outcomes import check_results

Results = list[t.Mapping[str, t.Any]]

IMAGE = ("registry", "image in the registry")
HELM = ("helm", "Helm release")
APPLY = ("apply", "apply")
ROLLOUT = ("rollout", "rollout")
INTERNAL = ("internal", "internal entry")
EXTERNAL = ("external", "external entry")
FLOWS = ("flow", "critical flows")
LOAD = ("load", "load test")

# What helm does not get from us, and the variable that names it; and what kubernetes.core.helm takes from the
# environment also where a task names its cluster. The modules of this collection don't, then.
ONLY_OURS = {
    "host": "mcp_api_host",
    **{
        name: f"mcp_{name}"
        for name in (
            "api_key",
            "username",
            "password",
            "validate_certs",
            "ca_cert",
            "client_cert",
            "client_key",
            "proxy",
        )
    },
}
ONLY_HELMS = ("K8S_AUTH_HOST", "K8S_AUTH_API_KEY", "K8S_AUTH_SSL_CA_CERT", "K8S_AUTH_VERIFY_SSL")
OF_CONTEXT = "K8S_AUTH_CONTEXT"

NOT_SET = {
    EXTERNAL: "There is no external entry, as mcp_endpoint is not set.",
    LOAD: "No load is sent, as neither mcp_internal_endpoint nor mcp_endpoint is set.",
    FLOWS: "No critical flow is declared (mcp_critical_flows).",
}


def checks(found: t.Any, has: t.Any, is_check: t.Any) -> Results:
    """Return the results, in the order of the tasks. What was not made is skipped, with the reason.

    found: what the tasks registered, by their name, and the chart. has: whether there is a registry, helm, an endpoint,
    flows. is_check: whether the play runs in check mode.
    """
    has = {name: str(value).lower() == "true" for name, value in mapping({"has": has}, "has").items()}
    found = mapping({"found": found}, "found")
    made: Results = []
    made += _made(found.get("image"), IMAGE) or [_skipped(IMAGE, "The registry is not asked (mcp_check_registry).")]
    if has.get("helm"):
        made += _made(_without_values(found.get("helm"), found.get("chart")), HELM) or [_after(made, HELM)]
    staged = check_results(found.get("stage"), *APPLY)
    made += staged or [_after(made, APPLY), _after(made, ROLLOUT)]
    for name, row, wanted in (
        ("internal", INTERNAL, True),
        ("external", EXTERNAL, has.get("endpoint")),
        ("flows", FLOWS, has.get("flows")),
        ("load", LOAD, has.get("entry")),
    ):
        if name not in found:
            continue
        made += (
            [_skipped(row, NOT_SET[row])]
            if not wanted
            else _made(found[name], row) or [_after(made, row, is_check=str(is_check).lower() == "true")]
        )
    return made


def _made(registered: t.Any, row: tuple[str, str]) -> Results:
    results = check_results(registered, *row)
    servers = items(registered, "servers") if isinstance(registered, t.Mapping) else []
    image = mapping(registered, "registry_image") if isinstance(registered, t.Mapping) else {}
    if len(results) != 1 or results[0]["verdict"] != _results.PASSED or not (servers or image):
        return results
    message = _entry(servers[0]) if servers else f"{image.get('image_ref')} is there: {image.get('digest')}."
    return [{**results[0], "message": message, "seconds": round(registered.get("seconds") or 0.0, 3)}]


def _without_values(registered: t.Any, chart: t.Any) -> t.Any:
    """Return the result of helm, whose sentence may quote values of the chart, without those that look like secrets."""
    message = registered.get("msg") if isinstance(registered, t.Mapping) else None
    if not message:
        return registered
    secrets = list(_secret_values(mapping({"chart": chart}, "chart").get("values")))
    return {**registered, "msg": redact(hide(one_line(str(message)), secrets))}


def _secret_values(value: t.Any, *, is_secret: bool = False) -> t.Iterator[str]:
    """Yield the values of a chart that look like secrets: by their name, or that of what they are in."""
    if isinstance(value, t.Mapping):
        for key, inner in value.items():
            yield from _secret_values(inner, is_secret=is_secret or is_secret_name(str(key)))
        if is_secret_name(str(value.get("name"))):  # of an environment variable
            yield from _secret_values(value.get("value"), is_secret=True)
    elif isinstance(value, list):
        for inner in value:
            yield from _secret_values(inner, is_secret=is_secret)
    elif value is not None and not isinstance(value, bool) and (is_secret or "@" in str(value)):
        yield str(value)


def _entry(server: t.Mapping[str, t.Any]) -> str:
    """Return what an entry answered, as a sentence. server: as in RETURN of mcp_health."""
    said = [f"MCP {server.get('protocol_version')}"]
    if server.get("health") is not None:
        said.insert(0, "a good health document")
    if any(step.get("name") == "ping" for step in items(server, "steps")):
        said.append("a ping")
    said.append(f"{len(server.get('tools') or [])} tools")
    version = server.get("version") or mapping(server, "server_info").get("version")
    shown = f", version {version}" if version else ""
    return f"{server.get('target')} answers with {', '.join(said)}{shown}."


def _after(made: Results, row: tuple[str, str], *, is_check: bool = False) -> t.Mapping[str, t.Any]:
    """Return the result of what was not made as something before it failed, or in check mode."""
    failed = [str(one["name"]) for one in made if not one["ok"]]
    if failed:
        return _skipped(row, f'It was not made, as "{failed[0]}" failed.')
    return _skipped(row, "It is not made in check mode." if is_check else "It was not made.")


def _skipped(row: tuple[str, str], message: str) -> t.Mapping[str, t.Any]:
    return _results.result(*row, _results.SKIPPED, message)


def helm_problem(chart: t.Any, target: t.Any = None, environment: t.Mapping[str, str] | None = None) -> str:
    """Return why a Helm release can't be made here, as a sentence; empty when it can, or when none is asked for.

    target: the options that all modules share, as the lookup target returns them.
    """
    if not chart:
        return ""
    if importlib.util.find_spec("ansible_collections.kubernetes") is None or (
        importlib.util.find_spec("ansible_collections.kubernetes.core") is None
    ):
        return (
            "A Helm release needs the collection kubernetes.core, which is not installed here: "
            "ansible-galaxy collection install kubernetes.core."
        )
    if not shutil.which("helm"):
        return "A Helm release needs helm, which is not on the PATH of the play: install it."
    return _other_cluster(mapping({"target": target}, "target"), os.environ if environment is None else environment)


def _other_cluster(target: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> str:
    """Return why helm would reach another cluster than the modules of this collection, or as another user."""
    if given := [variable for option, variable in ONLY_OURS.items() if target.get(option) not in (None, "")]:
        return (
            f"helm knows its cluster and user by mcp_kubeconfig and mcp_context only, and {' and '.join(given)} "
            f"{'is' if len(given) == 1 else 'are'} set: put them into a kubeconfig, and name that."
        )
    if not (target.get("kubeconfig") or target.get("context")):
        return ""
    theirs = [*ONLY_HELMS, *([] if target.get("context") else [OF_CONTEXT])]
    if found := [name for name in theirs if environment.get(name)]:
        return (
            f"helm would follow {' and '.join(found)} in the environment, which do not count where mcp_kubeconfig or "
            "mcp_context names the cluster: unset them, or set mcp_context."
        )
    return ""


def helm_values(values: t.Any, path: str, version: str) -> dict[str, t.Any]:
    """Return the values of a chart with the version at this path, such as image.tag."""
    found: dict[str, t.Any] = copy.deepcopy(dict(values or {}))
    *parents, last = str(path).split(".")
    place = found
    for key in parents:
        inner = place.get(key)
        place[key] = dict(inner) if isinstance(inner, t.Mapping) else {}
        place = place[key]
    place[last] = version
    return found
