# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a check that is a command on the machine where the play runs."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import typing as t
from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._checks.context import Context, Verdict
from ansible_collections.mcp.server.plugins.module_utils._checks.limit import GRACE, SLICE, Limit
from ansible_collections.mcp.server.plugins.module_utils._checks.messages import Tail, as_text, with_output

TERMINATING = GRACE / 2  # seconds between SIGTERM and SIGKILL


def run(options: dict[str, t.Any], context: Context, limit: Limit) -> Verdict:
    """Run the command, and end all of its process group afterwards."""
    given = {name: as_text(value) for name, value in options["environment"].items()}
    try:
        # AnsibleModule.run_command can't be ended together with its children.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            options["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **release_variables(context), **given},
            start_new_session=True,  # so that its children can be ended with it
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        return Verdict(f"the command could not be started ({getattr(error, 'strerror', None) or type(error).__name__})")
    tail = Tail()
    reader = threading.Thread(target=_read, args=(process, tail), daemon=True)
    reader.start()
    try:
        while process.poll() is None and not limit.over():
            limit.stop.wait(SLICE)
        code = process.poll()
    finally:
        _end(process)
    # Not to the end of the pipe: a process that left the group may keep it open.
    reader.join(TERMINATING)
    output = tail.text(list(given.values()))
    reason = "" if code == 0 else f"the command {exit_description(code, limit.seconds)}"
    return Verdict(with_output(reason, output) if reason else "", output)


def release_variables(context: Context) -> dict[str, str]:
    """Return the environment variables that describe the release to a command."""
    named = {"MCP_IMAGE_REF": context.image_ref} if context.image_ref else {}
    return {
        **named,
        "MCP_SERVER": context.server.name,
        "MCP_NAMESPACE": context.server.namespace,
        "MCP_POOL": "" if context.server.is_single else context.pool,
        "MCP_VERSION": context.version,
        "MCP_ENDPOINT": (context.endpoint or {}).get("url") or "",
    }


def exit_description(code: int | None, seconds: float) -> str:
    """Return a predicate. code: as subprocess returns it, or None for a command that was ended at its time limit."""
    if code is None:
        return f"did not end within {seconds:g} s (timeout)"
    if code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _read(process: subprocess.Popen[bytes], tail: Tail) -> None:
    with t.cast(t.Any, process.stdout) as pipe:
        while piece := pipe.read(65536):
            tail.add(piece)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the rest of its process group, also after a command that ended by itself."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(TERMINATING)
    _signal(process, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TERMINATING)


def _signal(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, what)
