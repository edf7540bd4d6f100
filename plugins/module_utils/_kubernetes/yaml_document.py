# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse YAML with bounded references and depth, as a few lines could expand to any number of values."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.yaml import SafeLoader

from ansible_collections.mcp.server.plugins.module_utils._task import Failure, missing_library

try:
    import yaml
except ImportError:  # where a task runs on another host
    yaml = None  # type: ignore[assignment]

MAX_VALUES = 1_000_000
MAX_DEPTH = 100


class TooMuch(Exception):
    """The document has more values, or is nested more deeply, than allowed."""


def load(data: bytes) -> t.Any:
    """Return the first document, None without one.

    Raises TooMuch, errors of PyYAML, and Failure without that library.
    """
    if yaml is None:
        raise Failure(missing_library("PyYAML"))
    _weigh(data)
    loader = SafeLoader(data)
    try:
        return loader.get_data() if loader.check_data() else None
    finally:
        loader.dispose()


def load_all(data: bytes) -> list[t.Any]:
    """Return all documents; raises the same as load()."""
    if yaml is None:
        raise Failure(missing_library("PyYAML"))
    _weigh(data)
    loader, documents = SafeLoader(data), []
    try:
        while loader.check_data():
            documents.append(loader.get_data())
    finally:
        loader.dispose()
    return documents


def dump(value: t.Any) -> str:
    """Return a value as YAML, with its keys in order, as text to read."""
    if yaml is None:
        raise Failure(missing_library("PyYAML"))
    return str(yaml.safe_dump(value, default_flow_style=False, allow_unicode=True))


def _weigh(data: bytes) -> None:
    """Count the values as if each reference were written out. Raises TooMuch."""
    weights: dict[str, int] = {}
    open_collections: list[tuple[str | None, int]] = []
    weight = 0
    for event in yaml.parse(data, Loader=SafeLoader):
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.CollectionStartEvent):
            open_collections.append((anchor, weight))
            weight = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_collections.pop()
            if anchor:
                weights[anchor] = weight
            weight += before
        elif isinstance(event, yaml.AliasEvent):
            contains_itself = any(anchor == one for one, _before in open_collections)
            weight += MAX_VALUES if contains_itself else weights.get(anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            weight += 1
            if anchor:
                weights[anchor] = 1
        if weight >= MAX_VALUES or len(open_collections) > MAX_DEPTH:
            raise TooMuch
