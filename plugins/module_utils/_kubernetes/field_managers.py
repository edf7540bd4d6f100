# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out who else writes to an object: which tool manages it, and who set a field last.

Pure functions of an object as the API server returned it. Everything in it is written by others, and may be missing or
of another type.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import printable

Object = t.Mapping[str, t.Any]

LONGEST = 100  # characters of a name that others chose
UNKNOWN = "unknown"
ARGO_CD, FLUX, HELM, KEDA = "Argo CD", "Flux", "Helm", "KEDA"

# The field managers of the tools. Those of kubectl are kubectl-edit, kubectl-client-side-apply and so on.
MANAGERS = {
    "argocd-controller": ARGO_CD,
    "argocd-application-controller": ARGO_CD,
    "kustomize-controller": FLUX,
    "helm-controller": FLUX,
    "flux": FLUX,
    "helm": HELM,
    "keda": KEDA,
    "keda-operator": KEDA,
    "fleetagent": "Rancher Fleet",
    "fleet-agent": "Rancher Fleet",
    "configsync": "Config Sync",
    "kapp": "kapp",
    "kapp-controller": "kapp",
    "flagger": "Flagger",
    "rollouts-controller": "Argo Rollouts",
    "argo-rollouts": "Argo Rollouts",
    "kubectl": "kubectl",
}
OURS = ("mcp.server",)
# Tools that write only when a person or a pipeline runs them; the others write by themselves.
ONCE = frozenset({"kubectl"})

TRACKING = re.compile(r"([^:]+):([^/:]*)/([^:]+):([^/:]*)/(.+)")  # app:group/kind:namespace/name
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Our note of the tools whose server-side apply had set the fields that we wrote, as a write changes their owner to us.
TAKEN = "mcp.server/taken-from"
IF_NOT_PRESENT = "ifnotpresent"
# Labels or annotations by which the object tells Flux to leave it alone: it may be created, but is not reverted.
FLUX_LEAVES_ALONE = {
    "kustomize.toolkit.fluxcd.io/ssa": ("ignore", IF_NOT_PRESENT),
    "kustomize.toolkit.fluxcd.io/reconcile": ("disabled",),
    "helm.toolkit.fluxcd.io/driftdetection": ("disabled",),
}


class Writer(t.NamedTuple):
    """Another client that writes to an object."""

    # Of the tool; or of the field manager, if it belongs to no known tool; or UNKNOWN.
    name: str
    # The field manager; may be empty.
    manager: str = ""
    # When it wrote, as in managedFields; may be empty.
    at: str = ""
    # The command that suspends it for this object; may be empty.
    suspend: str = ""


def writer_of(obj: Object, pointer: str, ours: t.Collection[str] = OURS) -> Writer:
    """Return who other than us wrote the field at this JSON pointer last; UNKNOWN when managedFields do not say.

    The owner of a list or an object owns everything in it. Writes to the status do not count.
    """
    keys = _keys(pointer)
    owners = [entry for entry in _entries_with(obj, keys) if entry.manager not in ours]
    if not owners:
        return Writer(UNKNOWN)
    newest = max(owners, key=lambda entry: entry.at)
    name = _name(newest.manager)
    suspend = next((tool.suspend for tool in tools(obj) if tool.name == name), "")
    return Writer(name, _shown(newest.manager), newest.at, suspend)


def ours_at(obj: Object) -> str:
    """Return when we wrote the object last, as in managedFields; empty when they do not say."""
    return max((entry.at for entry in _entries(obj) if entry.manager in OURS), default="")


def tools(obj: Object) -> list[Writer]:
    """Return the tools that manage this object, by its labels, annotations, owners and managedFields.

    A tool that the object tells to leave it alone does not count.
    """
    newest = {_name(entry.manager): entry for entry in sorted(_entries(obj), key=lambda entry: entry.at)}
    found = {name: "" for name in newest if name in MANAGERS.values() and name not in ONCE}
    found |= _marked(obj, wrote_argo=ARGO_CD in found)
    if FLUX in found and _leaves_alone(obj):
        del found[FLUX]
    # Both also leave the marks of Helm.
    for name in {HELM} & found.keys() if {FLUX, "Rancher Fleet"} & found.keys() else ():
        del found[name]
    seen = [(name, newest.get(name), suspend) for name, suspend in found.items()]
    return [
        Writer(name, _shown(entry.manager) if entry else "", entry.at if entry else "", suspend)
        for name, entry, suspend in seen
    ]


def holds(obj: Object, tool: Writer, pointer: str) -> bool:
    """Return whether this tool sets the field, so that it would revert a change.

    For server-side apply that is in managedFields or, where we wrote the field last, in our note. Otherwise it is in
    the configuration that was applied last. A tool with none of these may set any field.
    """
    annotations = _mapping(_mapping(obj.get("metadata")).get("annotations"))
    if any(entry.applied and _name(entry.manager) == tool.name for entry in _entries(obj)):
        owners = _owners(obj, [pointer])
        return tool.name in (_appliers(owners) if owners else _text(annotations.get(TAKEN)).split(","))
    try:
        configuration = json.loads(_text(annotations.get(LAST_APPLIED)))
    except (ValueError, RecursionError):
        return True
    return not isinstance(configuration, dict) or _has(configuration, obj, _keys(pointer))


def taken_from(obj: Object, pointers: t.Collection[str]) -> str | None:
    """Return the note for an object when we write these fields (see TAKEN).

    None to keep its note, when nobody else owns the fields.
    """
    owners = _owners(obj, pointers)
    return ",".join(sorted(_appliers(owners))) if owners else None


def _owners(obj: Object, pointers: t.Collection[str]) -> list[Entry]:
    """Return the entries, except ours, that have one of these fields."""
    found = [entry for pointer in pointers for entry in _entries_with(obj, _keys(pointer)) if entry.manager not in OURS]
    return [entry for entry in _entries(obj) if entry in found]


def _entries_with(obj: Object, keys: t.Sequence[str]) -> list[Entry]:
    """Return the entries that have the field.

    Those that come closest to it count: a leaf above the field is what a manager has that replaced the whole, and also
    one that has nothing below it any more.
    """
    found = [(entry, depth) for entry in _entries(obj) if (depth := _depth(entry.fields, obj, keys)) is not None]
    closest = max((depth for _entry, depth in found), default=0)
    return [entry for entry, depth in found if depth == closest]


def _appliers(entries: t.Iterable[Entry]) -> set[str]:
    names = {_name(entry.manager) for entry in entries if entry.applied}
    return names & set(MANAGERS.values()) - ONCE


def _has(configuration: t.Any, value: t.Any, keys: t.Sequence[str]) -> bool:
    for key in keys:
        if isinstance(configuration, list):
            if not key.isdecimal() or not isinstance(value, list) or len(key) > 9 or int(key) >= len(value):
                return True
            value = value[int(key)]
            name = _mapping(value).get("name")
            configuration = next((item for item in configuration if _mapping(item).get("name") == name), None)
        else:
            configuration, value = _mapping(configuration).get(key), _mapping(value).get(key)
        if configuration is None:
            return False
        if isinstance(configuration, list) and not all(_mapping(item).get("name") for item in configuration):
            return True  # a list without names is reverted as a whole
    return True


def sentence(writer: Writer, field: str) -> str:
    """Return a sentence without its full stop: who reverted a field, when, and how to suspend that."""
    if writer.name == UNKNOWN:
        return f"another client reverted {field} (the object's managedFields do not say which)"
    time = TIME.fullmatch(writer.at)
    who = [writer.manager] if writer.manager not in ("", writer.name) else []
    details = ", ".join([*who, *([f"{time[1]} UTC"] if time else [])])
    reverted = f"{writer.name}{f' ({details})' if details else ''} reverted {field}"
    return f"{reverted}; suspend it: {writer.suspend}" if writer.suspend else reverted


class Entry(t.NamedTuple):
    """An entry of managedFields. applied: by server-side apply."""

    manager: str
    at: str
    applied: bool
    fields: t.Mapping[str, t.Any]


def _entries(obj: Object) -> list[Entry]:
    """Return the entries that are not about the status."""
    listed = _mapping(obj.get("metadata")).get("managedFields")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [
        Entry(
            _text(entry.get("manager")),
            time if TIME.fullmatch(time := _text(entry.get("time"))) else "",
            entry.get("operation") == "Apply",
            _mapping(entry.get("fieldsV1")),
        )
        for entry in entries
        if entry.get("subresource") != "status"
    ]


def owns(fields: t.Any, obj: t.Any, keys: t.Sequence[str]) -> bool:
    """Return whether these fieldsV1 contain the field, a part of it, or something that it is a part of."""
    return _depth(fields, obj, keys) is not None


def _depth(fields: t.Any, obj: t.Any, keys: t.Sequence[str]) -> int | None:
    """Return how many of the keys lead to what these fieldsV1 own; None when that is nothing."""
    node, value = fields, obj
    if not node:
        return None
    for number, key in enumerate(keys):
        if not isinstance(node, dict) or not node:
            return number if node == {} else None  # a leaf is owned with everything in it
        node, value = _below(node, value, key)
        if node is None:
            return None
    return len(keys)


def _below(node: t.Mapping[str, t.Any], value: t.Any, key: str) -> tuple[t.Any, t.Any]:
    """Return the node and the value at a key or a list's index; the node is None when it is not there."""
    if not isinstance(value, list):
        return node.get(f"f:{key}"), _mapping(value).get(key)
    if not key.isdecimal() or len(key) > 9 or int(key) >= len(value):
        return None, None
    item = value[int(key)]
    for name, below in node.items():
        if name == f"i:{int(key)}" or (name[:2] in ("k:", "v:") and _is_item(name, item)):
            return below, item
    return None, item


def _is_item(name: str, item: t.Any) -> bool:
    """Return whether this key of fieldsV1 is the item's: v: with its value, or k: with some of its keys."""
    try:
        wanted = json.loads(name[2:])
    except (ValueError, RecursionError):
        return False
    if name.startswith("v:"):
        return bool(wanted == item)
    # A key that the item lacks has its default, such as the protocol of a port.
    return (
        isinstance(wanted, dict)
        and isinstance(item, dict)
        and all(item.get(key, value) == value for key, value in wanted.items())
    )


def _keys(pointer: str) -> list[str]:
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def _name(manager: str) -> str:
    """Return what people call the tool behind a field manager."""
    if manager.startswith("kubectl-"):
        return "kubectl"
    return MANAGERS.get(manager) or _shown(manager) or UNKNOWN


def _marked(obj: Object, *, wrote_argo: bool) -> dict[str, str]:
    """Return the tools that left labels, annotations or owners on it, with the command that suspends each."""
    metadata = _mapping(obj.get("metadata"))
    labels, annotations = _mapping(metadata.get("labels")), _mapping(metadata.get("annotations"))
    found: dict[str, str] = {}
    application = _argo_cd(obj, metadata, labels, annotations, wrote=wrote_argo)
    if application is not None:
        found[ARGO_CD] = _command("argocd app set {} --sync-policy none", application)
    for kind, group in (("kustomization", "kustomize.toolkit.fluxcd.io"), ("helmrelease", "helm.toolkit.fluxcd.io")):
        if f"{group}/name" in labels:
            found[FLUX] = _command(
                f"flux suspend {kind} {{}} -n {{}}", labels[f"{group}/name"], labels.get(f"{group}/namespace")
            )
    if "meta.helm.sh/release-name" in annotations and labels.get("app.kubernetes.io/managed-by") == "Helm":
        found[HELM] = ""
    if "objectset.rio.cattle.io/id" in annotations or any(
        _text(key).startswith("fleet.cattle.io/") for key in (*labels, *annotations)
    ):
        found["Rancher Fleet"] = ""
    if annotations.get("configmanagement.gke.io/managed") == "enabled":
        found["Config Sync"] = ""
    if "kapp.k14s.io/app" in labels:
        found["kapp"] = ""
    namespace = metadata.get("namespace")
    keda = "kubectl annotate scaledobject {} -n {} autoscaling.keda.sh/paused=true"
    if "scaledobject.keda.sh/name" in labels:
        found[KEDA] = _command(keda, labels["scaledobject.keda.sh/name"], namespace)
    owners = metadata.get("ownerReferences")
    for owner in (owner for owner in owners if isinstance(owner, dict)) if isinstance(owners, list) else ():
        kind, name = _text(owner.get("kind")), _text(owner.get("name"))
        group = _text(owner.get("apiVersion")).partition("/")[0]
        if (group, kind) == ("keda.sh", "ScaledObject"):
            found[KEDA] = _command(keda, name, namespace)
        elif (group, kind) == ("flagger.app", "Canary"):
            found["Flagger"] = ""
        elif (group, kind) == ("argoproj.io", "Rollout"):
            found["Argo Rollouts"] = ""
        elif owner.get("controller") is True:  # an operator, which derives it from its owner
            found[_shown(f"the controller of {kind} {name}")] = ""
    return found


def _argo_cd(obj: Object, metadata: Object, labels: Object, annotations: Object, *, wrote: bool) -> str | None:
    """Return the name of the application, empty when unknown; None when Argo CD does not manage it."""
    tracking = TRACKING.fullmatch(_text(annotations.get("argocd.argoproj.io/tracking-id"))[:2000])
    if tracking:
        application, _group, *whose = tracking.groups()
        # An id of another object was copied, and Argo CD ignores it. Items of a list have no kind.
        actual = [obj.get("kind"), metadata.get("namespace"), metadata.get("name")]
        if all(theirs == own for theirs, own in zip(whose, actual, strict=True) if own):
            # It is NAMESPACE_NAME for an application outside Argo CD's namespace.
            return application.replace("_", "/", 1)
    if "argocd.argoproj.io/instance" in labels:
        return _text(labels["argocd.argoproj.io/instance"])
    # Many others set this label too. Before version 3 it was Argo CD's mark.
    return _text(labels.get("app.kubernetes.io/instance")) if wrote else None


def _leaves_alone(obj: Object) -> bool:
    """Return whether the object tells Flux to leave it alone."""
    metadata = _mapping(obj.get("metadata"))
    for place in ("labels", "annotations"):
        for key, value in _mapping(metadata.get(place)).items():
            mark = _text(value).lower()
            if mark in FLUX_LEAVES_ALONE.get(_text(key).lower(), ()) and (
                mark != IF_NOT_PRESENT or _from_flux(obj, place, key)
            ):
                return True
    return False


def _from_flux(obj: Object, place: str, key: str) -> bool:
    """Return whether Flux set the mark, from its manifest: ifnotpresent only counts there."""
    return any(
        _name(entry.manager) == FLUX and owns(entry.fields, obj, ["metadata", place, key]) for entry in _entries(obj)
    )


def _command(text: str, *names: t.Any) -> str:
    """Return the command; empty when a name is malformed, as people copy the command into a shell."""
    parts = [part for name in names for part in _text(name).split("/")]
    return text.format(*names) if all(NAME.fullmatch(part) for part in parts) else ""


def _shown(text: str) -> str:
    return printable(text, LONGEST)


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}
