# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of what a release needs later, made side by side before it begins.

Pre-flight, the plan and the release itself use this one implementation.
"""

from __future__ import annotations

import functools
import os
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._alertmanager import Alertmanager
from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._preflight import prometheus, webhooks
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import run_concurrently
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

MAX_SECONDS = 20.0  # for all checks together

# From the options and the server to a sentence. Raises Failure with one.
Check = t.Callable[[dict[str, t.Any], Server], str]


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    id: str
    name: str
    # Whether a release is refused when the check fails. It only warns of the others.
    required: bool
    ok: bool
    # A sentence.
    message: str
    # That the check took.
    seconds: float


@dataclass(frozen=True)
class Dependency:
    """Something that a release needs later."""

    id: str
    name: str
    # The option that names it. Without a value there is nothing to check.
    option: str
    # As in Finding.
    required: bool
    check: Check


def check_dependencies(params: dict[str, t.Any], server: Server) -> list[Finding]:
    """Return a finding for each dependency that the options (see options.py) name, after MAX_SECONDS at most."""
    bypassed = params.get("bypassed") or []
    named = [one for one in DEPENDENCIES if params.get(one.option) not in (None, []) and one.id not in bypassed]
    calls = [functools.partial(_check, one, params, server) for one in named]
    findings = run_concurrently(calls, MAX_SECONDS, None)
    return [finding or _late(one) for one, finding in zip(named, findings, strict=True)]


def _check(one: Dependency, params: dict[str, t.Any], server: Server) -> Finding | None:
    begin = time.monotonic()
    try:
        ok, message = True, one.check(params, server)
    except Failure as failure:
        ok, message = False, failure.msg
    except Exception as error:  # an unforeseen error must not end a release with a traceback
        ok, message = False, f'Check "{one.name}" failed unexpectedly ({type(error).__name__}).'
    return Finding(one.id, one.name, one.required, ok, message, round(time.monotonic() - begin, 3))


def _late(one: Dependency) -> Finding:
    message = f'Check "{one.name}" did not finish within {MAX_SECONDS:g} s. Find out what is slow, or leave it out.'
    return Finding(one.id, one.name, one.required, False, message, MAX_SECONDS)


def _alertmanager(params: dict[str, t.Any], _server: Server) -> str:
    version = Alertmanager({"alertmanager": params["alertmanager"], "timeout": 5.0}).version()
    return f"Alertmanager answers, version {version}."


def _guard_image_ref(params: dict[str, t.Any], _server: Server) -> str:
    if not params["guard_image_ref"]:
        raise Failure("The guard has no image: set guard_image_ref (mcp_guard_image_ref).")
    image = Image.parse(params["guard_image_ref"])
    if params.get("check_registry") is False:
        return f"The guard's image {image} is not looked for: check_registry is off."
    # These options are of the host of the server's image, and of no other one.
    is_replaced = bool(params.get("image")) and Image.parse(params["image"]).host == image.host
    registry = registries.registry_for(image, params if is_replaced else _of_another_host(params))
    digest = registry.digest(image)
    if digest is None:
        raise Failure(
            f"The guard's image {image} is not in the registry {registry.url}: push it, or correct guard_image_ref."
        )
    return f"The guard's image {image} is in the registry ({digest[:19]})."


def _of_another_host(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the options without what is of one registry. A file of credentials says itself whose they are."""
    auth = params.get("registry_auth")
    names_user = auth and auth.get("username")
    return {**params, "registry": None, "registry_username": None, "registry_auth": None if names_user else auth}


def _files(params: dict[str, t.Any], _server: Server) -> str:
    missing = [path for path in params["files"] if not os.access(path, os.R_OK)]
    if missing:
        raise Failure(f"Files that the release needs later are missing or cannot be read: {', '.join(missing)}.")
    return f"The files that the release needs later can be read ({len(params['files'])})."


def _report(params: dict[str, t.Any], _server: Server) -> str:
    dest = Path(params["report_dest"])
    folder = next((one for one in (dest, *dest.absolute().parents) if one.is_dir()), Path("/"))
    is_locked_file = dest.exists() and not dest.is_dir() and not os.access(dest, os.W_OK)
    if is_locked_file or not os.access(folder, os.W_OK | os.X_OK):
        raise Failure(f"The report cannot be written to {dest}: {folder} is not writable. Correct its folder.")
    return f"The report can be written to {dest}."


DEPENDENCIES = (
    Dependency("metrics", "metrics", "prometheus", True, prometheus.check),
    Dependency("guard_image", "guard's image", "guard_image_ref", True, _guard_image_ref),
    Dependency("files", "files", "files", True, _files),
    Dependency("webhooks", "webhooks", "webhooks", False, webhooks.check),
    Dependency("alertmanager", "Alertmanager", "alertmanager", False, _alertmanager),
    Dependency("report", "report", "report_dest", False, _report),
)
