# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that the user supplies, from files or a kustomize folder, in place of the collection's and beside them."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import typing as t
from contextlib import suppress
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._install import manifests
from ansible_collections.mcp.server.plugins.module_utils._install.existing import name_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import yaml_document
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BYTES = 8 * 1024 * 1024  # of a file, and of what a build prints
BUILD = 60.0  # seconds that a build may take: it may fetch a base from a repository
SUFFIXES = (".json", ".yaml", ".yml")  # of manifests in a folder
MAX_REASON = 300  # characters of what a build says
# They become parts of paths.
API_VERSION = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?v[a-z0-9]+")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9:._-]{0,251}[A-Za-z0-9])?")


def from_files(files: t.Mapping[str, str | None], server: Server) -> list[Object]:
    """Return the objects of the option manifests. Raises Failure.

    files: path of each, by the key of the object that it replaces.
    """
    expected = manifests.names(server)
    found = []
    for key, path in files.items():
        if path is None:
            continue
        source = f"manifests.{key}"
        if key not in expected:
            raise Failure(
                f"{source} replaces the HTTPRoute, but route_kind is {server.route_kind}: leave it out. "
                "A route of this kind is yours to write."
            )
        objects = parse(_read(source, path), source, server)
        kind, name = expected[key]
        if [(one["kind"], one["metadata"]["name"]) for one in objects] != [(kind, name)]:
            there = ", ".join(map(name_of, objects)) or "nothing"
            raise Failure(f"{source} must have {kind} {name} and nothing else, but {path} has {there}.")
        found += objects
    return found


def _read(source: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter for a path that no system has
        raise Failure(f"{source}: cannot read {path} ({getattr(error, 'strerror', error)}).") from None
    if len(data) > MAX_BYTES:
        raise Failure(f"{source}: {path} is larger than {MAX_BYTES // 1024 // 1024} MiB.")
    return data


def parse(data: bytes, source: str, server: Server, what: str = "an install") -> list[Object]:
    """Return the objects of a YAML or JSON text, each in the server's namespace. what: applies them. Raises Failure."""
    try:
        documents = yaml_document.load_all(data)
        # Only what JSON has can be sent: not a date, which YAML makes of text that looks like one.
        documents = json.loads(json.dumps(documents))
    except Failure:
        raise
    except yaml_document.TooMuch:
        raise Failure(f"{source} has more values, or is nested more deeply, than any object needs.") from None
    except TypeError:
        raise Failure(f"{source} has a value that is not text, a number or a truth value: quote it.") from None
    except Exception as error:  # PyYAML's, whose text may quote a Secret
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise Failure(f"{source} is not valid YAML{place}.") from None
    listed = [one for document in documents if document is not None for one in _unpacked(document)]
    return [_checked(one, source, server, what) for one in listed]


def _unpacked(document: t.Any) -> list[t.Any]:
    """Return the objects of a List, or the object itself."""
    if isinstance(document, dict) and document.get("kind") == "List":
        return t.cast(list[t.Any], items(document, "items"))
    return [document]


def _checked(obj: t.Any, source: str, server: Server, what: str) -> Object:
    name, kind, version = (
        mapping(obj, "metadata").get("name"),
        obj.get("kind") if isinstance(obj, dict) else None,
        obj.get("apiVersion") if isinstance(obj, dict) else None,
    )
    if not (isinstance(kind, str) and re.fullmatch("[A-Za-z0-9]+", kind)):
        raise Failure(f"{source} has a document that is no Kubernetes object: it has no kind.")
    if not (isinstance(version, str) and API_VERSION.fullmatch(version)):
        raise Failure(f"{source} has a {kind} without a valid apiVersion.")
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise Failure(f"{source} has a {kind} without a valid metadata.name.")
    if not isinstance(obj["metadata"].get("labels") or {}, dict):
        raise Failure(f"{source} has {kind} {name} with metadata.labels that are no mapping.")
    namespace = obj["metadata"].get("namespace")
    if namespace not in (None, server.namespace):
        raise Failure(
            f"{source} has {kind} {name} in namespace {printable(str(namespace), 80)}: {what} writes to namespace "
            f"{server.namespace} only, so leave it out."
        )
    return {**obj, "metadata": {**obj["metadata"], "namespace": server.namespace}}


def combined(
    server: Server, settings: manifests.Settings, theirs: t.Sequence[Object], source: str = "What you supply"
) -> list[Object]:
    """Return all objects to apply: the collection's, or those that replace them, and additional ones. Raises Failure.

    The latter are first since pods need their ConfigMaps and Secrets.
    """
    keys = {identity: key for key, identity in manifests.names(server).items()}
    supplied: dict[tuple[str, str], Object] = {}
    for one in theirs:
        identity = (one["kind"], one["metadata"]["name"])
        if identity in supplied:
            raise Failure(f"{source} has {name_of(one)} twice: leave one out.")
        supplied[identity] = one
    replaced = {keys[identity]: one for identity, one in supplied.items() if identity in keys}
    made = {**manifests.objects(server, settings, without=replaced), **replaced}
    additional = [one for identity, one in supplied.items() if identity not in keys]
    return [_labelled(one) for one in (*additional, *(made[key] for key in manifests.KEYS if key in made))]


def _labelled(obj: Object) -> Object:
    labelled = copy.deepcopy(obj)
    labels = labelled["metadata"].get("labels") or {}
    labelled["metadata"]["labels"] = {**labels, manifests.MANAGED_BY: manifests.US}
    return labelled


def from_folder(folder: str, server: Server, what: str) -> list[Object]:
    """Return the objects of all YAML and JSON files of a folder, as C(kubectl apply -f) takes them. Raises Failure.

    what: applies them.
    """
    source, found, size = f"folder {folder}", [], 0
    try:
        files = sorted(one for one in Path(folder).iterdir() if one.suffix in SUFFIXES and one.is_file())
    except (OSError, ValueError) as error:
        raise Failure(f"{source} cannot be read ({getattr(error, 'strerror', error)}): correct the path.") from None
    if kustomization := next((one.name for one in files if one.stem == "kustomization"), None):
        raise Failure(f"{source} has a {kustomization}: name it as kustomize instead of folder.")
    for file in files:
        data = _read(source, str(file))
        size += len(data)
        if size > MAX_BYTES:
            raise Failure(f"{source} has more than {MAX_BYTES // 1024 // 1024} MiB of manifests.")
        found += parse(data, str(file), server, what)
    if not found:
        raise Failure(f"{source} has no manifest: it needs files that end with {', '.join(SUFFIXES)}.")
    return found


def refuse_twice(objects: t.Iterable[Object], source: str) -> None:
    """Raise Failure for an object that is there twice."""
    seen = set()
    for one in objects:
        identity = (one["apiVersion"].rpartition("/")[0], one["kind"], one["metadata"]["name"])
        if identity in seen:
            raise Failure(f"{source} has {name_of(one)} twice: leave one out.")
        seen.add(identity)


def from_kustomize(folder: str, server: Server, what: str = "an install") -> list[Object]:
    """Return the objects that a kustomize folder builds. what: applies them. Raises Failure."""
    if not Path(folder).is_dir():
        raise Failure(f"kustomize: {folder} is not a folder.")
    if kustomize := shutil.which("kustomize"):
        command = [kustomize, "build", folder]
    elif kubectl := shutil.which("kubectl"):
        command = [kubectl, "kustomize", folder]
    else:
        raise Failure("kustomize needs kustomize or kubectl, and neither is on the PATH: install one of them.")
    build = " ".join([Path(command[0]).name, *command[1:]])
    status, output, errors = _built(command, build)
    if status:
        lines = [line for line in errors.decode("utf-8", errors="replace").splitlines() if line.strip()]
        said = redact(lines[-1]) if lines else "no reason given"  # it may quote a Secret
        reason = printable(said, MAX_REASON).removeprefix("error: ").rstrip(".")
        raise Failure(f"{build} failed: {reason}.")
    if len(output) > MAX_BYTES:
        raise Failure(f"{build} printed more than {MAX_BYTES // 1024 // 1024} MiB.")
    return parse(output, build, server, what)


def _built(command: list[str], what: str) -> tuple[int, bytes, bytes]:
    """Return exit code, standard output and standard error. Raises Failure."""
    try:
        # AnsibleModule.run_command can't be ended together with its children, such as git.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Failure(f"{what} could not be started ({error.strerror}).") from None
    try:
        output, errors = process.communicate(timeout=BUILD)
    except subprocess.TimeoutExpired:
        raise Failure(f"{what} did not end within {BUILD:g} s.") from None
    finally:
        if process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, output, errors
