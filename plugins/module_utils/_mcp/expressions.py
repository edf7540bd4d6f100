# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath expressions that have to give true."""

from __future__ import annotations

import json
import traceback
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils._task import Failure

try:
    import jmespath
    import jmespath.exceptions

    JMESPATH_ERROR = None
except ImportError:
    JMESPATH_ERROR = traceback.format_exc()


def check(option: str, expressions: t.Sequence[str]) -> None:
    """Raises Failure when they, given in this option, can't be evaluated."""
    if expressions and JMESPATH_ERROR is not None:
        raise Failure(missing_required_lib("jmespath"), exception=JMESPATH_ERROR)
    for expression in expressions:
        try:
            jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError as error:
            raise Failure(
                f"{option} expression {expression!r} is not JMESPath: {str(error).splitlines()[0].rstrip('.:')}."
            ) from None


def complaint(expressions: t.Sequence[str], document: dict[str, t.Any]) -> str | None:
    """The first that does not hold, as the second half of a sentence."""
    for expression in expressions:
        try:
            holds = jmespath.search(expression, document)
        except jmespath.exceptions.JMESPathError as error:
            holds = str(error)
        if holds is not True:
            return f"does not satisfy {expression}: it says {json.dumps(document)[:200]}"
    return None
