# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup plugins of the collection community.hashi_vault, which may not be installed."""

from __future__ import annotations

import importlib.util
import typing as t

from ansible.plugins.loader import lookup_loader

from ansible_collections.mcp.server.plugins.module_utils._vault import MISSING, Trouble, kind_of

COLLECTION = "community.hashi_vault"
MAX_CHAIN = 20  # exceptions


def ask(plugin: str, term: str, options: dict[str, t.Any]) -> t.Any:
    """Return the only answer of a lookup plugin. Raises Trouble without a text of others, which may have a secret."""
    if not _is_installed():
        raise Trouble(MISSING)
    try:
        lookup = lookup_loader.get(f"{COLLECTION}.{plugin}")
        if lookup is None:
            raise Trouble(MISSING, f"its version has no lookup {plugin}")
        answers = lookup.run([term] if term else [], variables={}, **options)
    except Trouble:
        raise
    except Exception as error:
        names = list(_names(error))
        kind = kind_of(names, str(error))
        raise Trouble(kind, "its Python library hvac is missing" if kind == MISSING else "") from None
    return answers[0] if isinstance(answers, list) and answers else None


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec(f"ansible_collections.{COLLECTION}") is not None
    except ImportError:
        return False


def _names(error: BaseException) -> t.Iterator[str]:
    """Yield the names of the classes of an exception, and of those that it came from."""
    current: BaseException | None = error
    for _count in range(MAX_CHAIN):
        if current is None:
            return
        yield from (kind.__name__ for kind in type(current).__mro__)
        current = current.__cause__ or current.__context__
