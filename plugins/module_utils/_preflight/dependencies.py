# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release needs later, checked before it begins, side by side. One implementation for pre-flight, the plan and the release itself."""

from __future__ import annotations

import functools
import os
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils import _registry
from ansible_collections.mcp.server.plugins.module_utils._alertmanager import Alertmanager
from ansible_collections.mcp.server.plugins.module_utils._preflight import prometheus, webhooks
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import run_concurrently
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

BOUND = 20.0  # seconds for all of them together

Look = t.Callable[[dict[str, t.Any], Server], str]


@dataclass(frozen=True)
class Finding:
    """required: whether a release is refused when it is not ok; it can do without the others, and warns."""

    id: str
    name: str
    required: bool
    ok: bool
    message: str
    seconds: float


@dataclass(frozen=True)
class Need:
    """option: without which there is nothing to look at. look: returns a sentence, or raises Failure with one."""

    id: str
    name: str
    option: str
    required: bool
    look: Look


def check_dependencies(params: dict[str, t.Any], server: Server) -> list[Finding]:
    """Return what was found of everything that the options name; see options.py. Lasts for BOUND seconds at most."""
    asked = [need for need in NEEDS if params.get(need.option) not in (None, [])]
    found = run_concurrently([functools.partial(_look, need, params, server) for need in asked], BOUND, None)
    return [one or _late(need) for need, one in zip(asked, found, strict=True)]


def _look(need: Need, params: dict[str, t.Any], server: Server) -> Finding | None:
    begin = time.monotonic()
    try:
        ok, message = True, need.look(params, server)
    except Failure as failure:
        ok, message = False, failure.msg
    except Exception as error:  # what nobody thought of ends no release with a traceback
        ok, message = False, f"The check of the {need.name} broke off ({type(error).__name__})."
    return Finding(need.id, need.name, need.required, ok, message, round(time.monotonic() - begin, 3))


def _late(need: Need) -> Finding:
    message = f"The check of the {need.name} has not ended within {BOUND:g} s: see what is slow, or leave it out."
    return Finding(need.id, need.name, need.required, False, message, BOUND)


def _alertmanager(params: dict[str, t.Any], _server: Server) -> str:
    version = Alertmanager({"alertmanager": params["alertmanager"], "timeout": 5.0}).version()
    return f"Alertmanager answers, version {version}."


def _guard_image_ref(params: dict[str, t.Any], _server: Server) -> str:
    if not params["guard_image_ref"]:
        raise Failure("A guard is wanted, and it has no image: set guard_image_ref (mcp_guard_image_ref).")
    image = _registry.Image.parse(params["guard_image_ref"])
    # The registry that stands in for the server's does so for no other host's images.
    stands_in = bool(params.get("image")) and _registry.Image.parse(params["image"]).host == image.host
    registry = _registry.registry_for(image, {**params, "registry": params["registry"] if stands_in else None})
    digest = registry.digest(image)
    if digest is None:
        raise Failure(
            f"The guard's image {image} is not in the registry {registry.url}: push it, or correct guard_image_ref."
        )
    return f"The guard's image {image} is in the registry ({digest[:19]})."


def _files(params: dict[str, t.Any], _server: Server) -> str:
    missing = [path for path in params["files"] if not os.access(path, os.R_OK)]
    if missing:
        raise Failure(f"What the release reads later is not there, or may not be read: {', '.join(missing)}.")
    return f"The files that the release reads later are there ({len(params['files'])})."


def _report(params: dict[str, t.Any], _server: Server) -> str:
    dest = Path(params["report_dest"])
    folder = next((one for one in (dest, *dest.absolute().parents) if one.is_dir()), Path("/"))
    if (dest.exists() and not dest.is_dir() and not os.access(dest, os.W_OK)) or not os.access(
        folder, os.W_OK | os.X_OK
    ):
        raise Failure(f"The report can't be written to {dest}: {folder} may not be written to; correct its folder.")
    return f"The report can be written to {dest}."


NEEDS = (
    Need("metrics", "metrics", "prometheus", True, prometheus.look),
    Need("guard_image", "guard's image", "guard_image_ref", True, _guard_image_ref),
    Need("files", "files", "files", True, _files),
    Need("webhooks", "webhooks", "webhooks", False, webhooks.look),
    Need("alertmanager", "Alertmanager", "alertmanager", False, _alertmanager),
    Need("report", "report", "report_dest", False, _report),
)
