# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks like a secret in a pod template, where Kubernetes has places for them (Secrets). Pure."""

from __future__ import annotations

import itertools
import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping

# Environment variables and command-line options whose value no output shows.
SECRET_NAME = re.compile(
    r"(?i)(token|secret|passw|passphrase|pwd|credential|private|(api|access)[_-]?key|[_-]key$|[_-]dsn$"
    r"|connection[_-]?string)"
)
WITH_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def in_template(workload: Object) -> list[str]:
    """Return what looks like a secret in the template of a workload; nothing for other objects."""
    spec = mapping(workload, "spec")
    if workload.get("kind") == "CronJob":
        spec = mapping(spec, "jobTemplate", "spec")
    pod = spec if workload.get("kind") == "Pod" else mapping(spec, "template", "spec")
    containers = [*items(pod, "containers"), *items(pod, "initContainers")]
    named = [(one.get("name"), one.get("value")) for container in containers for one in items(container, "env")]
    for container in containers:
        for key in ("command", "args"):
            named += _options([str(word) for word in container.get(key) or []])
    return [
        value
        for name, value in named
        if isinstance(value, str) and (SECRET_NAME.search(str(name)) or WITH_PASSWORD.search(value))
    ]


def _options(words: t.Sequence[str]) -> t.Iterator[tuple[str, str]]:
    """Yield the options of a command line with their values, and what is no option without a name."""
    for word, following in itertools.zip_longest(words, words[1:], fillvalue="-"):
        name, is_given, value = word.partition("=")
        if not word.startswith("-"):
            yield "", word
        elif is_given:
            yield name, value
        elif not following.startswith("-"):
            yield name, following
