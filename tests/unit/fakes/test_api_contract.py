# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake API server answers as the table has it; the integration target api_contract asks a real one the same."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.client import Client
from ansible_collections.mcp.server.tests.unit.fakes.api_contract import (
    MISSING,
    Case,
    Differs,
    Like,
    Object,
    Of,
    Other,
    Sides,
    problems,
)
from ansible_collections.mcp.server.tests.unit.fakes.api_contract_cases import (
    CASES,
    MAPS,
    RULES,
    USER,
    VERSION,
    a_map,
    create,
    get,
)
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers

NAMESPACE = "contract"


def asked(case: Case) -> list[str]:
    """Return how the fake's answers are not as the case has them."""
    api, limited = ApiServer(), ApiServer()
    # The same objects, for a user with fewer rights
    limited.objects, limited.role, limited.user = api.objects, RULES, USER.replace("{ns}", NAMESPACE)
    if case.controllers:
        Controllers(api)
    with serving(api) as url, serving(limited) as limited_url:
        return problems(
            case, Sides(Client(Access(url), 10.0), Client(Access(limited_url), 10.0), real=False), NAMESPACE
        )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fake(case: Case) -> None:
    assert asked(case) == []


@pytest.mark.parametrize(
    ("expects", "said"),
    [
        ({"status": 201, "/data/a": "2"}, "/data/a is '1', not '2'"),
        ({"status": 200}, "status is 201, not 200; "),
        ({"/data/b": "2"}, "/data/b is MISSING, not '2'"),
        ({"/data/a": MISSING}, "/data/a is '1', not MISSING"),
        ({"/data/a": Like("[a-z]")}, "/data/a is '1', not Like"),
        ({"/data/a": Differs("1", "2", "a test")}, "/data/a is '1', not '2'"),
        ({"owners of /data/a": {"other Update"}}, "owners of /data/a is {'mcp.server Update'}, not {'other Update'}"),
    ],
)
def test_what_is_otherwise_is_told(expects: Object, said: str) -> None:
    (problem,) = asked(Case("told", (create(MAPS, a_map(), expects),)))
    assert problem.startswith(f"step 1, POST {MAPS}: {said}")


def test_what_fails_or_stays_as_it_was_is_told() -> None:
    steps = (
        create(MAPS, a_map(), name="made"),
        create(MAPS, a_map()),
        get(f"{MAPS}/{{name}}", {VERSION: Other(Of("made", VERSION))}),
    )
    exists, unchanged = asked(Case("told", steps))
    assert exists.startswith(f"step 2, POST {MAPS}: 409 ") and unchanged.startswith(
        f"step 3, GET {MAPS}/{{name}}: {VERSION} is '"
    )
