# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an install keeps of objects that exist already, whose they are, and how a change is shown. Pure."""

from __future__ import annotations

import base64
import copy
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._install.manifests import APP, MANAGED_BY, US
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import httproute

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # it repeats the whole object
# What the API server writes, beside managedFields.
VOLATILE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
MAX_NAME = 100  # characters of a field manager
CONFLICT = re.compile(r'conflicts? with "([^"]*)"')
# Of a rule, what the API server adds to it.
DEFAULTS = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}
CUT = "..."  # at the end of a message of the API server that was shortened


def name_of(obj: Object) -> str:
    """Return kind and name, for people."""
    return f"{obj.get('kind')} {mapping(obj, 'metadata').get('name')}"


def is_ours(live: Object) -> bool:
    """Return whether an object was installed by this collection."""
    return mapping(live, "metadata", "labels").get(MANAGED_BY) == US


def is_of_another(wanted: Object, live: Object, server: Server) -> bool:
    """Return whether an object was installed for another server, such as a route that both name.

    Both are applied by the same field manager, so the API server sees no conflict.
    """
    its = mapping(live, "metadata", "labels").get(APP)
    return mapping(wanted, "metadata", "labels").get(APP) == server.name and its not in (None, server.name)


def problem(wanted: Object, live: Object, server: Server) -> str:
    """Return a sentence on an object that an apply would break, and force is no answer to; empty without any."""
    if wanted.get("kind") not in ("Deployment", "HTTPRoute"):
        return ""
    if not _is_pool(wanted, server) and not _is_route(wanted, server):
        return of_releases(wanted, live, "this install", "of another server")
    if _is_pool(wanted, server) and image_of(wanted, server) and not image_of(live, server):
        found = [str(one.get("name")) for one in items(live, "spec", "template", "spec", "containers")]
        if found:
            return (
                f"{name_of(wanted)} exists, and its containers are {printable(', '.join(found), MAX_NAME)}: set "
                f"container to the server's (it is {server.container!r} now), or this install would add another one."
            )
    return ""


def of_releases(wanted: Object, live: Object, what: str, whose: str = "of a server with pools") -> str:
    """Return a sentence on an object that releases change, which an apply would undo; empty without any."""
    if fence.RUN not in mapping(live, "metadata", "annotations"):
        return ""
    return f"{name_of(wanted)} is {whose}, whose releases change it, and {what} would undo that: leave it out."


def _is_pool(wanted: Object, server: Server) -> bool:
    name = mapping(wanted, "metadata").get("name")
    return wanted.get("kind") == "Deployment" and name in [server.workload(pool) for pool in POOLS]


def _is_route(wanted: Object, server: Server) -> bool:
    return wanted.get("kind") == "HTTPRoute" and mapping(wanted, "metadata").get("name") == server.route


def with_live_values(wanted: Object, live: Object, server: Server) -> Object:
    """Return the wanted object with what releases have changed in the live one: image, replicas, weights.

    These values cannot just be left out. A server-side apply removes fields that the same manager applied before and
    that nobody else has: an image, then, or the size of a pool that no release has touched.
    """
    kept = copy.deepcopy(wanted)
    if _is_pool(wanted, server):
        _keep_pool(kept, live, server)
    elif _is_route(wanted, server):
        _keep_weights(kept, live, server)
    return kept


def _keep_pool(kept: Object, live: Object, server: Server) -> None:
    replicas = mapping(live, "spec").get("replicas")
    if replicas is not None and isinstance(kept.setdefault("spec", {}), dict):
        kept["spec"]["replicas"] = replicas
    image = image_of(live, server)
    for container in items(kept, "spec", "template", "spec", "containers"):
        if image and container.get("name") == server.container:
            container["image"] = image


def image_of(deployment: Object, server: Server) -> str:
    """Return the image of the server's container; empty when it has none."""
    containers = items(deployment, "spec", "template", "spec", "containers")
    return next((one.get("image") or "" for one in containers if one.get("name") == server.container), "")


def _keep_weights(kept: Object, live: Object, server: Server) -> None:
    """Keep the pools' weights, rule by rule; a rule that is new, or elsewhere, gets those of the others of its sort.

    Rules for marked sessions have weights of their own: those of another rule may lead to a pool without pods.
    """
    rules = [(_mark(rule), _weights(rule, server)) for rule in items(live, "spec", "rules")]
    both: dict[str | None, dict[str, int]] = {}
    for pool, weights in rules:
        if len(weights) == len(POOLS):
            both.setdefault(pool, weights)
    for number, rule in enumerate(items(kept, "spec", "rules")):
        pool, wanted = _mark(rule), _weights(rule, server)
        known = both.get(pool) or both.get(None) or {} if len(wanted) == len(POOLS) else {}
        if number < len(rules) and rules[number][0] == pool and rules[number][1].keys() == wanted.keys():
            known = rules[number][1]
        for backend in items(rule, "backendRefs"):
            if isinstance(backend.get("name"), str) and backend["name"] in known:
                backend["weight"] = known[backend["name"]]


def _mark(rule: Object) -> str | None:
    return httproute.mark({"matches": [{"headers": items(match, "headers")} for match in items(rule, "matches")]})


def lost_from_route(wanted: Object, live: Object, server: Server) -> list[str]:
    """Return what others added to the rules of the server's HTTPRoute, and an apply would remove, as clauses.

    Rules belong to whoever wrote them last, as a whole. Releases do that by each weight, so field managers no longer
    tell that somebody else added something.
    """
    if not _is_route(wanted, server):
        return []
    ours, theirs = items(wanted, "spec", "rules"), items(live, "spec", "rules")
    lost = [f"rule {number}" for number in range(len(ours) + 1, len(theirs) + 1)]
    for number, (new, old) in enumerate(zip(ours, theirs, strict=False), 1):
        kept = [one.get("name") for one in items(new, "backendRefs")]
        backends = [f"backend {one.get('name')}" for one in items(old, "backendRefs") if one.get("name") not in kept]
        fields = [key for key, value in old.items() if key not in new and value != DEFAULTS.get(key)]
        lost += [f"{what} of rule {number}" for what in (*backends, *fields)]
    return [printable(one, MAX_NAME) for one in lost]


def _weights(rule: Object, server: Server) -> dict[str, int]:
    """Return the weight of each pool's Service in a rule, by its name."""
    services = list(map(server.service, POOLS))
    return {one["name"]: one.get("weight", 1) for one in items(rule, "backendRefs") if one.get("name") in services}


def comparable(obj: Object) -> Object:
    """Return an object without its status and what the API server writes by itself."""
    metadata = {key: value for key, value in mapping(obj, "metadata").items() if key not in VOLATILE}
    if LAST_APPLIED in mapping(metadata, "annotations"):
        others = {key: value for key, value in metadata["annotations"].items() if key != LAST_APPLIED}
        metadata["annotations"] = others
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def shown(before: Object | None, after: Object) -> tuple[Object, Object]:
    """Return both objects for a diff, without the values of a Secret; of one that changed it says only that."""
    old, new = comparable(before) if before else {}, comparable(after)
    if after.get("kind") == "Service" and not before and new["spec"].get("clusterIP") != "None":
        # A dry run invents an address. The Service gets another one when it is made.
        new["spec"] = {key: value for key, value in new["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    if after.get("kind") != "Secret":
        return old, new
    for place in ("data", "stringData"):
        first, second = mapping(old, place), mapping(new, place)
        for one, other, word in ((old, first, "hidden"), (new, second, "hidden, changed")):
            if place in one:
                one[place] = {key: "hidden" if first.get(key) == second.get(key) else word for key in other}
    return old, new


def secret_values(obj: Object) -> list[str]:
    """Return what no message may show of a Secret, as it is written in the object, and what that is in base64."""
    if obj.get("kind") != "Secret":
        return []
    coded = [one for one in mapping(obj, "data").values() if isinstance(one, str)]
    plain = [one for one in mapping(obj, "stringData").values() if isinstance(one, str)]
    return [*coded, *plain, *filter(None, map(_decoded, coded))]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return ""  # it is no text


def conflicting_managers(message: str) -> list[str]:
    """Return the field managers that a refused apply names; none when it was refused for something else.

    Where the message was cut short, there may be more of them, and "others" is among them.
    """
    found = list(dict.fromkeys(printable(name, MAX_NAME) for name in CONFLICT.findall(message)))
    return [*found, "others"] if found and CUT in message else found


def only_ours(managers: t.Collection[str]) -> bool:
    """Return whether a conflict is only with what releases and former installs wrote."""
    return all(name in field_managers.OURS for name in managers)
