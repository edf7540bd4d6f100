# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of AWX's API that the modules of awx.awx 24.6.1 use for what the role controller makes.

It is ours, not AWX: written from the argument specs and the code of these modules and from AWX's models and
serializers. It runs no jobs. What it refuses as AWX does: names that are taken, objects that are not there, a playbook
that the project has not, credential types in use, variables of a node that no survey asks for.
"""

from __future__ import annotations

import copy
import json
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Object = dict[str, t.Any]

HIDDEN = "$encrypted$"
TOKEN = "awx-token-8c1f0e6d"
LAUNCH = {
    f"ask_{what}_on_launch": False
    for what in ("limit", "variables", "credential", "inventory", "tags", "skip_tags", "scm_branch", "labels")
}
# By endpoint: the fields and their defaults. What else is sent is ignored, as Django REST framework does.
FIELDS: dict[str, Object] = {
    "organizations": {"name": None, "description": ""},
    "teams": {"name": None, "description": "", "organization": None},
    "credential_types": {
        "name": None,
        "description": "",
        "kind": "cloud",
        "inputs": {},
        "injectors": {},
        "managed": False,
    },
    "credentials": {"name": None, "description": "", "organization": None, "credential_type": None, "inputs": {}},
    "execution_environments": {
        "name": None,
        "description": "",
        "organization": None,
        "image": None,
        "pull": "",
        "credential": None,
    },
    "notification_templates": {
        "name": None,
        "description": "",
        "organization": None,
        "notification_type": None,
        "notification_configuration": {},
        "messages": None,
    },
    "projects": {
        "name": None,
        "description": "",
        "organization": None,
        "scm_type": "",
        "scm_url": "",
        "scm_branch": "",
        "credential": None,
        "scm_update_on_launch": False,
        "scm_revision": "",
    },
    "inventories": {
        "name": None,
        "description": "",
        "organization": None,
        "kind": "",
        "host_filter": None,
        "variables": "",
    },
    "inventory_sources": {
        "name": None,
        "description": "",
        "inventory": None,
        "source": "",
        "source_path": "",
        "source_project": None,
        "overwrite": False,
        "overwrite_vars": False,
        "update_on_launch": False,
    },
    "hosts": {"name": None, "description": "", "inventory": None, "enabled": True, "variables": ""},
    "groups": {"name": None, "description": "", "inventory": None, "variables": ""},
    "job_templates": {
        "name": None,
        "description": "",
        "organization": None,
        "project": None,
        "playbook": "",
        "inventory": None,
        "execution_environment": None,
        "limit": "",
        "extra_vars": "---",
        "survey_enabled": False,
        "allow_simultaneous": False,
        **LAUNCH,
    },
    "workflow_job_templates": {
        "name": None,
        "description": "",
        "organization": None,
        "extra_vars": "---",
        "survey_enabled": False,
        "allow_simultaneous": False,
        **LAUNCH,
    },
    "workflow_job_template_nodes": {
        "identifier": "",
        "workflow_job_template": None,
        "unified_job_template": None,
        "extra_data": {},
        "limit": None,
        "all_parents_must_converge": False,
    },
    "workflow_approval_templates": {"name": None, "description": "", "organization": None, "timeout": 0},
    "schedules": {"name": None, "description": "", "unified_job_template": None, "rrule": None, "enabled": True},
}
TYPES = {"inventories": "inventory"}
UNIFIED = ("job_templates", "workflow_job_templates", "projects", "workflow_approval_templates")
OF = {
    "organization": ("organizations",),
    "inventory": ("inventories",),
    "project": ("projects",),
    "source_project": ("projects",),
    "execution_environment": ("execution_environments",),
    "credential": ("credentials",),
    "credential_type": ("credential_types",),
    "workflow_job_template": ("workflow_job_templates",),
    "unified_job_template": UNIFIED,
}
# Related lists and what is in them, by endpoint.
LINKED = {
    "job_templates": {"credentials", "notification_templates_error", "notification_templates_success"},
    "workflow_job_templates": {"notification_templates_error", "notification_templates_approvals"},
    "workflow_job_template_nodes": {"success_nodes", "failure_nodes", "always_nodes"},
    "groups": {"hosts"},
    "roles": {"teams"},
}
# Within what a name may be there only once.
UNIQUE = {
    "organizations": (),
    "credential_types": (),
    "execution_environments": (),
    "credentials": ("organization", "credential_type"),
    "inventory_sources": ("inventory",),
    "hosts": ("inventory",),
    "groups": ("inventory",),
    "schedules": ("unified_job_template",),
}
# What goes with an object, by the field that names it.
CASCADE = {
    "organizations": {"organization": ("credentials", "execution_environments", "notification_templates")},
    "inventories": {"inventory": ("hosts", "groups", "inventory_sources")},
    "workflow_job_templates": {
        "workflow_job_template": ("workflow_job_template_nodes",),
        "unified_job_template": ("schedules",),
    },
    "job_templates": {"unified_job_template": ("schedules",)},
}
SECRET_SETTINGS = ("token", "password", "url")
ROLES = ("admin_role", "execute_role", "read_role", "approval_role")


class Refused(Exception):
    def __init__(self, status: int, body: Object) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class Awx(ThreadingHTTPServer):
    """objects: by id. playbooks: what the repository of a project has. synchronized: what AWX has of it.

    writes: method and path of each request that changed.
    """

    daemon_threads = True

    def __init__(self, playbooks: t.Callable[[Object], t.Collection[str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[int, tuple[str, Object]] = {}
        self.surveys: dict[int, Object] = {}
        self.links: dict[tuple[int, str], list[int]] = {}
        self.roles: dict[tuple[int, str], int] = {}
        self.synchronized: dict[int, t.Collection[str]] = {}
        self.playbooks, self.lock = playbooks, threading.Lock()
        self.writes: list[str] = []
        self._last = 0

    def __enter__(self) -> Awx:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc: t.Any) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of_kind(self, kind: str) -> list[Object]:
        return [one for its, one in self.objects.values() if its == kind]

    def named(self, kind: str, name: str) -> Object:
        (found,) = [one for one in self.of_kind(kind) if one.get("name", one.get("identifier")) == name]
        return found

    def make(self, kind: str, /, **fields: t.Any) -> Object:
        """Make an object, as a POST does."""
        one = {**copy.deepcopy(FIELDS[kind]), **{key: fields[key] for key in fields if key in FIELDS[kind]}}
        self._check(kind, one)
        self._last += 1
        one["id"] = self._last
        self.objects[one["id"]] = (kind, one)
        if kind == "projects":
            self.synchronized[one["id"]] = self.playbooks(one)
        return one

    def _check(self, kind: str, one: Object) -> None:
        name = "identifier" if kind == "workflow_job_template_nodes" else "name"
        if not one[name]:
            raise Refused(400, {name: ["This field is required."]})
        within = UNIQUE.get(kind, ("workflow_job_template",) if name == "identifier" else ("organization",))
        for other in self.of_kind(kind):
            same = all(other.get(field) == one.get(field) for field in (name, *within))
            if same and other.get("id") != one.get("id") and kind != "workflow_approval_templates":
                raise Refused(400, {"__all__": [f"{kind} with this {name} already exists."]})
        for field, kinds in OF.items():
            if one.get(field) is not None and self.objects.get(one[field], ("",))[0] not in kinds:
                raise Refused(400, {field: [f'Invalid pk "{one[field]}" - object does not exist.']})
        if kind == "job_templates" and one["playbook"] not in self.synchronized[one["project"]]:
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        if kind == "workflow_job_template_nodes" and one["unified_job_template"] is not None:
            self._check_node(one)

    def _check_node(self, one: Object) -> None:
        template = self.objects[one["unified_job_template"]][1]
        asked = {question["variable"] for question in self.surveys.get(template["id"], {}).get("spec", [])}
        if unasked := set(one["extra_data"]) - asked:
            raise Refused(400, {"extra_data": [f"Variables {sorted(unasked)} are not allowed on launch."]})
        if one["limit"] and not template.get("ask_limit_on_launch"):
            raise Refused(400, {"limit": ["Field is not configured to prompt on launch."]})

    def change(self, one: Object, kind: str, fields: Object) -> Object:
        new = {**one, **{key: value for key, value in fields.items() if key in FIELDS[kind]}}
        for field in ("inputs", "notification_configuration"):  # what is sent back hidden stays as it was
            if isinstance(fields.get(field), dict) and kind in ("credentials", "notification_templates"):
                new[field] = {
                    key: one[field].get(key) if value == HIDDEN else value for key, value in fields[field].items()
                }
        self._check(kind, new)
        one.update(new)
        return one

    def remove(self, identity: int) -> None:
        kind, one = self.objects[identity]
        if kind == "credential_types" and any(
            other["credential_type"] == identity for other in self.of_kind("credentials")
        ):
            raise Refused(403, {"detail": "Credential types that are in use cannot be deleted"})
        del self.objects[identity]
        approval = one.get("unified_job_template") if kind == "workflow_job_template_nodes" else None
        if self.objects.get(approval or 0, ("",))[0] == "workflow_approval_templates":
            del self.objects[approval]
        for field, kinds in CASCADE.get(kind, {}).items():
            for its, other in list(self.objects.values()):
                if its in kinds and other.get(field) == identity:
                    self.remove(other["id"])
        for _its, other in self.objects.values():  # SET_NULL
            for field in OF:
                if other.get(field) == identity and kind in OF[field]:
                    other[field] = None
        for linked in self.links.values():
            if identity in linked:
                linked.remove(identity)

    def shown(self, kind: str, one: Object) -> Object:
        path = f"/api/v2/{kind}/{one['id']}/"
        found = {**copy.deepcopy(one), "type": TYPES.get(kind, kind.removesuffix("s")), "url": path}
        found["related"] = {name: f"{path}{name}/" for name in LINKED.get(kind, ())}
        if kind == "projects":
            found["related"]["update"] = f"{path}update/"
        if kind in ("job_templates", "workflow_job_templates"):
            found["related"]["survey_spec"] = f"{path}survey_spec/"
        summary: Object = {}
        for field in OF:
            if one.get(field) is not None:
                its, other = self.objects[one[field]]
                summary[field] = {"id": other["id"], "name": other["name"], "description": other["description"]}
                found["related"][field] = f"/api/v2/{its}/{other['id']}/"
        summary["object_roles"] = {role: {"id": self._role(one["id"], role)} for role in ROLES}
        found["summary_fields"] = summary
        if kind == "credentials":
            fields = self.objects[one["credential_type"]][1]["inputs"].get("fields", [])
            secrets = {field["id"] for field in fields if field.get("secret")}
            found["inputs"] = {key: HIDDEN if key in secrets else value for key, value in one["inputs"].items()}
        if kind == "notification_templates":
            found["notification_configuration"] = {
                key: HIDDEN if key in SECRET_SETTINGS else value
                for key, value in one["notification_configuration"].items()
            }
        if kind == "hosts":
            found["has_inventory_sources"] = bool(one.get("from_source"))
        return found

    def _role(self, identity: int, role: str) -> int:
        return self.roles.setdefault((identity, role), 100_000 + len(self.roles))

    def holders(self, kind: str, name: str, role: str) -> set[str]:
        """Return the names of the teams that have a role on an object."""
        number = self._role(self.named(kind, name)["id"], role)
        return {self.objects[team][1]["name"] for team in self.links.get((number, "teams"), [])}

    def linked(self, kind: str, name: str, what: str) -> list[str]:
        (one,) = [one for one in self.of_kind(kind) if one.get("name", one.get("identifier")) == name]
        others = [self.objects[other][1] for other in self.links.get((one["id"], what), [])]
        return sorted(other.get("name") or other["identifier"] for other in others)

    def find(self, kind: str, query: list[tuple[str, str]]) -> list[Object]:
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        found = [(its, one) for its, one in self.objects.values() if its in kinds]
        every = [(key, value) for key, value in query if not key.startswith("or__")]
        some = [(key.removeprefix("or__"), value) for key, value in query if key.startswith("or__")]
        return [
            self.shown(its, one)
            for its, one in found
            if all(self._matches(one, key, value) for key, value in every)
            and (not some or any(self._matches(one, key, value) for key, value in some))
        ]

    def _matches(self, one: Object, key: str, value: str) -> bool:
        if key in ("page", "page_size", "order_by"):
            return True
        *path, last = key.split("__")
        how = last if last in ("startswith", "endswith", "in") else "exact"
        path = path if how != "exact" else [*path, last]
        at: t.Any = one
        for step in path[:-1]:
            if step not in OF:
                raise Refused(400, {"detail": f"{key} is not a field"})
            at = self.objects[at[step]][1] if at.get(step) is not None else {}
        if path[-1] not in ("id", *one, "name", "description"):
            raise Refused(400, {"detail": f"{key} is not a field"})
        has = "" if at.get(path[-1]) is None else str(at[path[-1]])
        if how == "in":
            return has in value.split(",")
        return has == value if how == "exact" else bool(getattr(has, how)(value))


class Handler(BaseHTTPRequestHandler):
    server: Awx
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: t.Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            with self.server.lock:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, {"detail": "Authentication credentials were not provided."})
                status, answer = self._route(json.loads(body) if body else {})
                if self.command != "GET":
                    self.server.writes.append(f"{self.command} {urlsplit(self.path).path}")
        except Refused as refused:
            status, answer = refused.status, refused.body
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer

    def _route(self, data: Object) -> tuple[int, t.Any]:
        awx, parts = self.server, urlsplit(self.path)
        words = parts.path.removeprefix("/api/v2/").strip("/").split("/")
        if len(words) == 1:
            if words[0] not in (*FIELDS, "unified_job_templates"):
                raise Refused(404, {"detail": "Not found."})
            if self.command == "POST":
                return 201, awx.shown(words[0], awx.make(words[0], **data))
            return 200, self._page(awx.find(words[0], parse_qsl(parts.query)))
        identity = int(words[1])
        if words[0] == "project_updates":  # of the project with this id; it takes no time
            done = {"id": identity, "status": "successful", "finished": "now", "failed": False}
            return 200, {**done, "scm_revision": awx.objects[identity][1]["scm_revision"]}
        if words[0] == "roles":
            return self._links(identity, "roles", words[2], data)
        kind, one = awx.objects.get(identity, ("", {}))
        if kind != words[0]:
            raise Refused(404, {"detail": "Not found."})
        if len(words) == 3:
            return self._related(kind, one, words[2], data)
        if self.command == "PATCH":
            awx.change(one, kind, data)
        elif self.command == "DELETE":
            awx.remove(identity)
            return (202 if kind == "inventories" else 204), None
        return 200, awx.shown(kind, one)

    @staticmethod
    def _page(found: list[Object]) -> Object:
        return {"count": len(found), "next": None, "previous": None, "results": found}

    def _related(self, kind: str, one: Object, what: str, data: Object) -> tuple[int, t.Any]:
        awx = self.server
        if what == "survey_spec" and kind in ("job_templates", "workflow_job_templates"):
            if self.command == "POST":
                awx.surveys[one["id"]] = data
                return 200, None
            if self.command == "DELETE":
                awx.surveys.pop(one["id"], None)
                return 200, None
            return 200, awx.surveys.get(one["id"], {})
        if what == "update" and kind == "projects" and self.command == "POST":
            awx.synchronized[one["id"]] = awx.playbooks(one)
            return 202, {"id": one["id"], "status": "pending", "url": f"/api/v2/project_updates/{one['id']}/"}
        if what == "create_approval_template" and kind == "workflow_job_template_nodes":
            made = awx.make("workflow_approval_templates", **data)
            one["unified_job_template"] = made["id"]
            return 201, awx.shown("workflow_approval_templates", made)
        return self._links(one["id"], kind, what, data)

    def _links(self, identity: int, kind: str, what: str, data: Object) -> tuple[int, t.Any]:
        awx = self.server
        if what not in LINKED.get(kind, ()):
            raise Refused(404, {"detail": "Not found."})
        linked = awx.links.setdefault((identity, what), [])
        if self.command == "POST":
            if data.get("disassociate"):
                linked.remove(data["id"])
            else:
                linked.append(data["id"])
            return 204, None
        return 200, self._page([awx.shown(*awx.objects[other]) for other in linked])
