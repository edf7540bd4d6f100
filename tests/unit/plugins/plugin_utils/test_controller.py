# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role controller makes and removes, as tables; tests/plays/test_controller.py plays it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._modules import release_steps
from ansible_collections.mcp.server.plugins.plugin_utils import _controller, _variables

ROOT = Path(__file__).parents[4]
OPTIONS = {
    "state": "present",
    "version": "1.0.0",
    "prefix": "mcp",
    "organization": "Platform",
    "project": {"repository": "https://git.example/project.git"},
    "image": "registry.example/ee:1",
    "image_credential": None,
    "inventory_path": "inventory.yml",
    "hosts": {},
    "credentials": [{"name": "cluster", "kind": "kubeconfig"}],
    "notifications": [],
    "workflows": [{"name": "release", "staging": "staging", "production": "production"}],
    "approval_timeout": 3000,
    "break_glass_approval": False,
    "schedules": {"watch": "RRULE:FREQ=HOURLY"},
    "update_secrets": False,
}
OURS = {"description": "x (mcp.server: mcp)"}


def plan(found=None, texts=None, **options):
    found = {kind: [{**_controller.known_fields(one), **one} for one in some] for kind, some in (found or {}).items()}
    return _controller.plan({**OPTIONS, **options}, found, texts or {})


def named(objects, name):
    (found,) = [one for one in objects if one.get("name", one.get("identifier")) == name]
    return found


def nodes(workflow, **options):
    wanted = plan(**options)["present"]["workflow_job_template_nodes"]
    return {one["identifier"]: one for one in wanted if one["workflow"] == f"mcp workflow {workflow}"}


def test_a_denied_approval_rolls_back_once_there_was_a_weight():
    found = nodes("release")
    failing = {name: one["links"]["failure_nodes"] for name, one in found.items() if one["links"]["failure_nodes"]}
    assert failing == {"approve 50": ["rollback"], "approve 100": ["rollback"]}
    assert found["rollback"]["extra_data"] == {"mcp_rollback_only_unfinished": "true"}
    assert [found[f"release {weight}"]["extra_data"] for weight in (10, 50, 100)] == [
        {"mcp_stop_after": "10"},
        {"mcp_stop_after": "50"},
        {},
    ]


def test_each_node_but_the_first_is_reached():
    for workflow, first in (("release", "staging"), ("review", "validate"), ("break glass approved", "approve")):
        found = nodes(workflow, break_glass_approval=True)
        reached = {name for one in found.values() for links in one["links"].values() for name in links}
        assert set(found) - reached == {first}


def test_the_guard_outlasts_the_approval():
    made = named(plan(approval_timeout=120)["present"]["workflow_job_templates"], "mcp workflow release")
    assert made["extra_vars"] == {"mcp_guard": True, "mcp_pause_seconds": 720}
    assert nodes("release", approval_timeout=120)["approve 50"]["approval_node"]["timeout"] == 120


def test_without_staging_it_begins_with_the_first_approval():
    found = nodes("release", workflows=[{"name": "release", "production": "a:b"}])
    assert "staging" not in found and found["rollback"]["limit"] == "a:b"


@pytest.mark.parametrize(("more", "limit"), [({}, "staging"), ({"rehearsal": "drills"}, "drills")])
def test_the_guide_is_validated_on_servers_with_pools(more, limit):
    """Which the job staging refuses."""
    given = [{"name": "release", "staging": "staging", "production": "production", **more}]
    made = plan(workflows=given)["present"]["job_templates"]
    assert named(made, "mcp validate guide")["limit"] == limit and named(made, "mcp staging")["limit"] == "staging"
    assert named(made, "mcp release")["limit"] == "" and named(made, "mcp status")["limit"] == "production"


def test_break_glass_is_for_its_own_team_and_approved_where_that_is_wanted():
    def roles(**options):
        return [
            (one["role"], one.get("state", "present"), one["job_templates"], one["workflows"])
            for one in plan(**options)["present"]["roles"]
            if one["team"] == "mcp break glass"
        ]

    assert roles() == [("execute", "present", ["mcp break glass"], [])]
    assert roles(break_glass_approval=True) == [
        ("execute", "absent", ["mcp break glass"], []),
        ("execute", "present", [], ["mcp workflow break glass approved"]),
    ]


def test_who_breaks_the_glass_names_the_server():
    made = plan(break_glass_approval=True)["present"]["workflow_job_templates"]
    asked = {one["name"]: one["ask_limit_on_launch"] for one in made}
    assert [name for name, asks in asked.items() if asks] == ["mcp workflow break glass approved"]
    # A limit of the node itself would win.
    assert nodes("break glass approved", break_glass_approval=True)["break glass"]["limit"] == ""


def test_an_approval_lasts_no_longer_than_a_release_may_be_paused():
    assert _controller.MAX_APPROVAL + _controller.MARGIN == release_steps.MAX_PAUSE_SECONDS
    plan(approval_timeout=_controller.MAX_APPROVAL)


def test_what_a_survey_asks_for_is_read_by_the_playbook():
    for one in _controller.TEMPLATES:
        text = (ROOT / "playbooks" / f"{one.playbook}.yml").read_text()
        if "mcp.server.fleet" in text:  # what it imports
            text += (ROOT / "playbooks" / "fleet" / "servers.yml").read_text()
        roles = {role for role in (path.name for path in (ROOT / "roles").iterdir()) if f"mcp.server.{role}" in text}
        known = {name for role in roles for name in _variables.of_role(role)}
        for question in one.survey:
            assert question["variable"] in known, (one.name, question["variable"])
    assert not [one for one in _controller.TEMPLATES if one.name == "rollback" and _controller.VERSION in one.survey]


def test_each_wrapper_imports_a_playbook_that_is_there():
    for file in plan(texts=dict.fromkeys(_controller.FILES))["files"]:
        (first,) = yaml.safe_load(file["content"]) if file["path"] != "collections/requirements.yml" else ({},)
        name = first.get("ansible.builtin.import_playbook", "mcp.server.status").removeprefix("mcp.server.")
        assert (ROOT / "playbooks" / f"{name}.yml").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"image": None}, "mcp_controller_image is not set"),
        ({"project": None}, "mcp_controller_project has no repository"),
        ({"project": {"repository": "https://eva:s3cret@git.example/p.git"}}, "^(?!.*s3cret).*login in its URL"),
        ({"project": {"repository": "https://s3cret@git.example/p.git"}}, "^(?!.*s3cret).*login in its URL"),
        ({"inventory_path": ""}, "Set either mcp_controller_inventory"),
        ({"approval_timeout": 0}, "mcp_controller_approval_timeout is 0: it must be 1 to 71400"),
        ({"approval_timeout": 71401}, "mcp_controller_approval_timeout is 71401"),
        ({"workflows": [{"name": "review", "production": "a"}]}, "has review, which the role makes itself"),
        ({"inventory_path": "", "hosts": {"a": "text"}}, "mcp_controller_hosts has a, which must have variables"),
        ({"inventory_path": "", "hosts": {"a": {"groups": "production"}}}, "groups, a list"),
        ({"hosts": {"a": {}}}, "Set either mcp_controller_inventory"),
        ({"schedules": {"wach": "RRULE:"}}, "mcp_controller_schedules has no wach"),
        ({"credentials": [{"name": "a", "kind": "token"}, {"name": "b", "kind": "token"}]}, "two of kind token"),
        (
            {"credentials": [{"name": "a", "kind": "token"}, {"name": "b", "kind": "kubeconfig"}]},
            "kubeconfig and a token",
        ),
        ({"notifications": [{"name": "cluster", "kind": "slack"}]}, "have the name cluster"),
    ],
)
def test_what_cannot_be_made_is_a_sentence(options, says):
    with pytest.raises(_controller.Problem, match=says):
        plan(**options)


def test_a_repository_without_a_login_is_taken():
    for url in ("https://git.example/p.git", "git@git.example:mcp/p.git", "ssh://git@git.example/p.git", "/srv/p.git"):
        assert plan(project={"repository": url})["present"]["projects"][0]["scm_url"] == url


def test_what_is_no_longer_wanted_goes_and_what_others_made_stays():
    found = {
        "credentials": [
            {"id": 1, "name": "mcp cluster", "credential_type": 9, **OURS},
            {"id": 2, "name": "mcp former", "credential_type": 9, "organization_name": "Platform", **OURS},
            {"id": 3, "name": "mcp of others", "description": ""},
            {"id": 4, "name": "mcp2 former", "description": "x (mcp.server: mcp2)"},
        ],
        "credential_types": [{"id": 9, "name": "mcp kubeconfig type", **OURS}],
    }
    assert [one["name"] for one in plan(found)["absent"]["credentials"]] == ["mcp former"]
    gone = plan(found, state="absent")
    assert [one["name"] for one in gone["absent"]["credentials"]] == ["mcp cluster", "mcp former"]
    assert gone["absent"]["credentials"][0]["credential_type"] == "mcp kubeconfig type"


def test_what_others_use_or_are_in_stays():
    found = {
        "organizations": [{"id": 1, "name": "Platform", **OURS}],
        "projects": [{"id": 2, "name": "mcp project", "organization": 1, **OURS}],
        "inventories": [{"id": 3, "name": "mcp servers", "organization": 1, **OURS}],
        "hosts": [
            {"id": 4, "name": "shop", "inventory": 3, "inventory_name": "mcp servers", **OURS},
            {"id": 5, "name": "theirs", "inventory": 3, "description": ""},
            {"id": 6, "name": "of the source", "inventory": 3, "has_inventory_sources": True, "description": ""},
        ],
        _controller.USERS: [{"id": 7, "name": "their job", "project": 2, "description": ""}],
    }
    gone = plan(found, state="absent")
    assert [gone["absent"][kind] for kind in ("organizations", "projects", "inventories")] == [[], [], []]
    assert [one["name"] for one in gone["absent"]["hosts"]] == ["shop"]
    assert gone["kept"] == [
        "mcp project stays, as job templates of others use it: their job.",
        "Inventory mcp servers stays, as others put into it: theirs.",
        "Organization Platform stays, as it has more: mcp project, mcp servers.",
    ]
    alone = {**found, "hosts": found["hosts"][:1], _controller.USERS: []}
    gone = plan(alone, state="absent")
    assert gone["kept"] == [] and [one["name"] for one in gone["absent"]["organizations"]] == ["Platform"]
    assert gone["absent"]["hosts"] == []  # with the inventory


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_prefix_that_another_organization_has_is_refused(state):
    found = {"teams": [{"id": 1, "name": "mcp operators", "organization_name": "Another", **OURS}]}
    with pytest.raises(_controller.Problem, match="prefix mcp is in use in the organization Another"):
        plan(found, state=state)


def test_what_others_put_into_the_inventory_is_not_overwritten():
    hosts = {"inventory_path": "", "hosts": {"shop": {"groups": ["production"]}}}
    for kind, name in (("hosts", "shop"), ("groups", "production")):
        with pytest.raises(_controller.Problem, match=f"{kind} that this role did not make: {name}"):
            plan({kind: [{"id": 1, "name": name, "description": ""}]}, **hosts)
        plan({kind: [{"id": 1, "name": name, "description": "imported"}]}, **hosts)


def test_others_sources_and_credentials_keep_what_they_need():
    found = {
        "inventories": [{"id": 3, "name": "mcp servers", **OURS}],
        "inventory_sources": [{"id": 4, "name": "their cloud", "inventory": 3, "description": ""}],
        "credential_types": [{"id": 9, "name": "mcp kubeconfig type", **OURS}],
        "credentials": [{"id": 5, "name": "their cluster", "credential_type": 9, "description": ""}],
    }
    gone = plan(found, state="absent")
    assert gone["absent"]["credential_types"] == gone["absent"]["inventories"] == []
    assert gone["kept"] == [
        "mcp kubeconfig type stays, as others have credentials of it: their cluster.",
        "Inventory mcp servers stays, as others put into it: their cloud.",
    ]


def test_a_credential_of_another_kind_takes_the_place_of_the_former():
    found = {
        "credential_types": [{"id": 9, "name": "mcp token type", **OURS}],
        "credentials": [{"id": 1, "name": "mcp cluster", "credential_type": 9, **OURS}],
    }
    assert [one["credential_type"] for one in plan(found)["absent"]["credentials"]] == ["mcp token type"]
    same = plan(found, credentials=[{"name": "cluster", "kind": "token"}])
    assert same["absent"]["credentials"] == []


def test_an_organization_of_others_is_used_as_it_is():
    found = {"organizations": [{"id": 1, "name": "Platform", "description": "The company."}]}
    assert plan(found)["present"]["organizations"] == []
    assert plan(found, state="absent")["absent"]["organizations"] == []
    assert [one["name"] for one in plan()["present"]["organizations"]] == ["Platform"]


def test_files_of_others_stay():
    ours = plan(texts=dict.fromkeys(_controller.FILES))["files"]
    texts = {one["path"]: one["content"] for one in ours}
    assert plan(texts=texts)["files"] == []
    edited = {**texts, "status.yml": "- hosts: all\n"}
    with pytest.raises(_controller.Problem, match=r"^status\.yml in the project's folder was not written by this role"):
        plan(texts=edited)
    removed = plan(texts=edited, state="absent")["files"]
    assert {one["path"] for one in removed} == set(texts) - {"status.yml"}


def test_the_project_is_synchronized_when_a_job_template_is_to_be_made():
    def synchronizes(there):
        (made,) = plan({"job_templates": [{"name": f"mcp {name}", **OURS} for name in there]})["present"]["projects"]
        return made["synchronize"]

    every = [one.name for one in _controller.TEMPLATES]
    assert (synchronizes([]), synchronizes(every[1:]), synchronizes(every)) == (True, True, False)


def test_a_notification_is_written_again_only_when_secrets_are():
    found = {"notification_templates": [{"id": 1, "name": "mcp chat", "notification_type": "slack", **OURS}]}
    given = [{"name": "chat", "kind": "slack"}]
    other = {"notification_templates": [{**found["notification_templates"][0], "notification_type": "webhook"}]}

    def state(found=None, **options):
        (made,) = plan(found, notifications=given, **options)["present"]["notification_templates"]
        return made["state"]

    assert (state(), state(found), state(found, update_secrets=True)) == ("present", "exists", "present")
    assert state(other) == "present"


def test_the_certificate_of_an_api_server_is_verified_unless_it_is_said():
    def inputs(kind):
        (made,) = plan(credentials=[{"name": "cluster", "kind": kind}])["present"]["credentials"]
        return made["inputs"]

    assert (inputs("token"), inputs("kubeconfig")) == ({"verify_ssl": True}, {})


# Environment variables that AWX refuses in a credential type, or sets itself.
@pytest.mark.parametrize("kind", sorted(_controller.CREDENTIAL_TYPES))
def test_a_credential_type_injects_what_awx_allows_and_only_its_own_inputs(kind):
    import jinja2
    import jinja2.sandbox

    made = _controller.CREDENTIAL_TYPES[kind]
    names = {field["id"] for field in made["inputs"]["fields"]}
    files = {name.removeprefix("template."): f"/runner/env/{name}" for name in made["injectors"].get("file", {})}
    # As AWX checks it when a type is saved.
    given = {**dict.fromkeys(names, "EXAMPLE"), "tower": {"filename": files}}
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for name, text in made["injectors"]["env"].items():
        assert name.isupper() and not name.startswith("ANSIBLE_")
        assert environment.from_string(text).render(given) in ("EXAMPLE", *files.values())
    assert set(made["inputs"]["required"]) <= names


def test_a_token_without_a_ca_has_an_empty_variable():
    import jinja2.sandbox

    text = _controller.CREDENTIAL_TYPES["token"]["injectors"]["env"]["K8S_AUTH_SSL_CA_CERT"]
    # As AWX renders it for a job: an input that is left out is undefined.
    assert jinja2.sandbox.ImmutableSandboxedEnvironment().from_string(text).render(host="h", token="t") == ""
