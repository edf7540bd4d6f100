# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import rights, service_account
from ansible_collections.mcp.server.plugins.module_utils._preflight.service_account import Answer, Asked
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

SERVER = Server("mcp-prod", "mcp-server", "{server}-{pool}", "mcp-server", "mcp-server")
POOL = "/apis/apps/v1/namespaces/mcp-prod/deployments/mcp-server-{}"
GET = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["get"]}
LIST = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}
PARAMS = {name: option.get("default") for name, option in service_account.OPTIONS.items()}


def params(**more):
    return {**PARAMS, **more}


def pool(account):
    named = {} if account is None else {"serviceAccountName": account}
    return {"spec": {"template": {"spec": {**named, "containers": []}}}}


def cluster(blue="app", green="app", **granted):
    found = {"blue": blue, "green": green}
    api = ApiServer({POOL.format(name): pool(account) for name, account in found.items()})
    api.roles_of_others = {f"system:serviceaccount:mcp-prod:{name}": rules for name, rules in granted.items()}
    return api


def test_the_questions_of_rules():
    assert service_account.questions([GET, GET, LIST]) == [
        Asked("get", "", "secrets", "a"),
        Asked("get", "", "secrets", "b"),
        Asked("list", "", "secrets"),
    ]
    assert service_account.questions([{"resources": ["pods"], "verbs": ["list"]}]) == [Asked("list", "", "pods")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"service_account_forbidden": []}, []),
        ({"service_account_forbidden": [LIST]}, ["list secrets"]),
        ({"service_account_forbidden": [LIST], "service_account_rights": [LIST]}, []),
        ({"service_account_forbidden": [], "service_account_also_forbidden": [LIST]}, ["list secrets"]),
        (
            {},
            [
                "get secrets",
                "list secrets",
                "watch secrets",
                "get pods/exec",
                "create pods/exec",
                "patch deployments.apps",
                "update deployments.apps",
                "patch statefulsets.apps",
                "update statefulsets.apps",
                "escalate roles.rbac.authorization.k8s.io",
                "bind roles.rbac.authorization.k8s.io",
            ],
        ),
    ],
)
def test_what_is_forbidden(given, said):
    assert list(map(str, service_account.forbidden(params(**given)))) == said


def test_a_named_right_does_not_permit_all_objects():
    assert Asked("get", "", "secrets") in service_account.forbidden(params(service_account_rights=[GET]))


@pytest.mark.parametrize(
    ("blue", "green", "named", "found"),
    [
        ("app", "app", None, ["app"]),
        ("app", None, None, ["app", "default"]),
        ("app", "other", "mine", ["mine"]),
        ("app\x1b[2J", "app", None, ["app [2J", "app"]),
    ],
)
def test_whose_rights(blue, green, named, found):
    assert service_account.accounts(cluster(blue, green), SERVER, named) == found


def test_without_pools_it_is_skipped():
    with pytest.raises(Skipped, match="The pools do not exist"):
        service_account.check_excess(ApiServer({}), SERVER, params())


def test_all_rights_that_are_needed():
    api = cluster(app=[GET])
    said = service_account.check_rights(api, SERVER, params(service_account_rights=[GET]))
    assert said == "ServiceAccount mcp-prod/app of the server's pods has all 2 rights of service_account_rights."
    with pytest.raises(Failure) as failed:
        service_account.check_rights(cluster(), SERVER, params(service_account_rights=[GET]))
    assert str(failed.value) == (
        "ServiceAccount mcp-prod/app of the server's pods may not get secrets a, get secrets b: add it to a Role "
        '({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["get"]}) that a '
        "RoleBinding gives to this ServiceAccount, or correct service_account_rights."
    )


def test_a_right_too_many_is_named_with_its_binding():
    with pytest.raises(Failure) as failed:
        service_account.check_excess(cluster("app", None, default=[LIST]), SERVER, params())
    said = str(failed.value)
    assert said.startswith("ServiceAccount mcp-prod/default of the server's pods may list secrets, which a server must")
    assert 'RoleBinding "theirs/mcp-prod" of Role "theirs"' in said
    assert "kubectl get rolebindings,clusterrolebindings -A -o wide | grep default" in said
    assert "mcp-prod/app" not in said


def test_the_groups_of_a_serviceaccount_are_named():
    """A review has no others: a right of all ServiceAccounts would be missed."""
    api = cluster()
    service_account.check_excess(api, SERVER, params())
    bodies = [one.body["spec"] for one in api.log if one.method == "POST"]
    assert len(bodies) == 11
    assert bodies[0]["user"] == "system:serviceaccount:mcp-prod:app"
    assert bodies[0]["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:mcp-prod",
        "system:authenticated",
    ]
    assert {"resource": "pods", "subresource": "exec"}.items() <= bodies[3]["resourceAttributes"].items()


def test_without_the_right_to_ask_it_is_skipped():
    api = cluster()
    api.refused.add("create localsubjectaccessreviews")
    with pytest.raises(Skipped, match='no permission. Add {"apiGroups": \\["authorization.k8s.io"\\]'):
        service_account.check_excess(api, SERVER, params())


def test_what_is_added_to_a_role_is_what_a_release_asks_for():
    assert service_account.REVIEW in [one.rule() for one in rights.rights(SERVER)]


@pytest.mark.parametrize("status", [{}, {"allowed": "yes"}, {"allowed": False, "evaluationError": "webhook\nis away"}])
def test_an_answer_that_tells_nothing_is_not_measured(monkeypatch, status):
    api = cluster()
    monkeypatch.setattr(api, "_review", lambda spec: status)
    with pytest.raises(CannotMeasure):
        service_account.check_excess(api, SERVER, params())


@pytest.mark.parametrize(
    "error",
    [
        'clusterrole.rbac.authorization.k8s.io "gone" not found',
        '[clusterrole.rbac.authorization.k8s.io "a" not found, role.rbac.authorization.k8s.io "b" not found]',
    ],
)
def test_a_binding_to_a_role_that_does_not_exist_gives_nothing(monkeypatch, error):
    api = cluster()
    monkeypatch.setattr(api, "_review", lambda spec: {"allowed": False, "evaluationError": error})
    assert "has none of the 11 rights" in service_account.check_excess(api, SERVER, params())
    monkeypatch.setattr(api, "_review", lambda spec: {"allowed": False, "evaluationError": f"{error}; webhook away"})
    with pytest.raises(CannotMeasure):
        service_account.check_excess(api, SERVER, params())


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ({}, False),
        ({"service_account_forbidden": [LIST]}, True),
        ({"service_account_forbidden": []}, True),
        ({"service_account_also_forbidden": [LIST]}, True),
    ],
)
def test_whose_list_it_is(given, own):
    assert service_account.are_own(params(**given)) is own


def test_a_long_list_is_cut():
    answers = [Answer("app", Asked("get", "", f"kind{number}"), True, "") for number in range(14)]
    assert "get kind9 and 4 more, which" in service_account.excess("mcp-prod", answers)


def test_too_many_questions():
    rules = [{"resources": [f"kind{number}" for number in range(201)], "verbs": ["get"]}]
    with pytest.raises(Failure, match="201 rights are too many"):
        service_account.check_rights(cluster(), SERVER, params(service_account_rights=rules))
