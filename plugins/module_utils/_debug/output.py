# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the script wrote, in the log of its container."""

from __future__ import annotations

from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._debug import script
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import CONTAINER, Object
from ansible_collections.mcp.server.plugins.module_utils._jobs import reading
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

MAX_BYTES = 4 * 1024 * 1024  # more than the script can write


def steps(cluster: Api, namespace: str, pod: Object, container: str = CONTAINER) -> list[script.Step]:
    """Return what the script did, as far as it came. Raises Failure."""
    return script.read(_text(cluster, namespace, name_of(pod), container).splitlines())[0]


def is_complete(cluster: Api, namespace: str, pod: Object, container: str = CONTAINER) -> bool:
    """Return whether all probes were asked."""
    with suppress(Failure):
        return script.read(_text(cluster, namespace, name_of(pod), container).splitlines())[1]
    return False


def _text(cluster: Api, namespace: str, pod: str, container: str) -> str:
    return reading.text(cluster, namespace, pod, container, MAX_BYTES)
