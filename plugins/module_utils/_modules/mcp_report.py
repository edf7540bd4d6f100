# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_report: a release as a file for people."""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, record, summary
from ansible_collections.mcp.server.plugins.module_utils._report.page import Series, page
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **OPTIONS,
        **lease_renewal.OPTION,
        "dest": {"type": "path", "required": True},
        "release_id": {"type": "str"},
        "prometheus": gates.OPTION,
        "verdicts": {"type": "list", "elements": "dict", "default": []},
    },
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    server = Server.from_params(params)
    release = find(record.read(connection.connect(params), server)[0], params["release_id"], server)
    path = place(Path(params["dest"]), release)
    text = page(release, str(server), _series(task, server, release), params["verdicts"])
    changed = write(path, text, dry_run=task.check_mode)
    return {
        "changed": changed,
        "path": str(path),
        "size": len(text.encode()),
        "stats": summary.stats(summary.readable(release)),
    }


def _series(task: Task, server: Server, release: record.Release) -> list[Series]:
    """A report is worth having without them."""
    if not task.params["prometheus"]:
        return []
    # What they need is imported only for them.
    from ansible_collections.mcp.server.plugins.module_utils._gates import connect
    from ansible_collections.mcp.server.plugins.module_utils._report import series

    try:
        return series.read(connect.connect(task.params), server, release, task.params["prometheus"])
    except Failure as failure:
        task.warn(f"The report has no series over time. {failure.msg}")
        return []


def find(book: record.ReleaseRecord, name: str | None, server: Server) -> record.Release:
    """The release of this id, or the newest. Raises Failure."""
    known = [one for one in (book.current, *book.history) if record.is_release(one)]
    if not known:
        raise Failure(f"No release of {server} is recorded, so there is nothing to report.")
    found = next((one for one in known if one["id"] == name), None) if name else known[0]
    if found is None:
        raise Failure(
            f"No release {name} of {server} is recorded; the newest are {', '.join(one['id'] for one in known[:5])}."
        )
    return found


def place(dest: Path, release: record.Release) -> Path:
    """The file: dest, or one in the folder dest that is named after the release, without what other systems don't take in names."""
    if dest.suffix == ".html" and not dest.is_dir():
        return dest
    name = re.sub(r"[^A-Za-z0-9._-]", "", f"{release.get('server') or 'release'}-{release['id'].replace(':', '')}")
    return dest / f"{name}.html"


def write(path: Path, text: str, *, dry_run: bool) -> bool:
    """Whether the file had another content. Nobody sees half of it. Raises Failure."""
    try:
        if path.exists() and path.read_bytes() == text.encode():
            return False
        if dry_run:
            return True
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise Failure(
            f"The report can't be written to {path}: {error.strerror}; set dest to a place that whoever runs this may write to."
        ) from None
    return True
