# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check documents by JMESPath expressions, each of which must be true."""

from __future__ import annotations

import json
import traceback
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._task import Failure, missing_library

try:
    import jmespath
    import jmespath.exceptions

    JMESPATH_ERROR = None
except ImportError:
    JMESPATH_ERROR = traceback.format_exc()


def check(option: str, expressions: t.Sequence[str]) -> None:
    """Raise Failure, which names the option, when one of its expressions is not JMESPath."""
    if expressions and JMESPATH_ERROR is not None:
        raise Failure(missing_library("jmespath"), exception=JMESPATH_ERROR)
    for expression in expressions:
        try:
            jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError as error:
            raise Failure(
                f"{option} expression {expression!r} is not JMESPath: {str(error).splitlines()[0].rstrip('.:')}."
            ) from None


def problem(expressions: t.Sequence[str], document: dict[str, t.Any]) -> str | None:
    """Return a predicate about the first expression that is not true, or None."""
    for expression in expressions:
        try:
            holds = jmespath.search(expression, document)
        except jmespath.exceptions.JMESPathError as error:
            holds = str(error)
        if holds is not True:
            return f"does not satisfy {expression}: got {json.dumps(document)[:200]}"
    return None
