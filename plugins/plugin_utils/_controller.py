# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that the role controller keeps in AWX or automation controller, as data. Pure.

What it made is known by the end of its description, which names the prefix: only that is changed or removed.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

Object = dict[str, t.Any]

# Kinds of objects, as endpoints of the API, in the order in which they are made. Removed in the reverse one.
KINDS = (
    "organizations",
    "teams",
    "credential_types",
    "credentials",
    "execution_environments",
    "notification_templates",
    "projects",
    "inventories",
    "inventory_sources",
    "hosts",
    "groups",
    "job_templates",
    "workflow_job_templates",
    "workflow_job_template_nodes",
    "schedules",
)
# Those that an organization has, and that may be gone with it.
IN_ORGANIZATION = (
    "teams",
    "credentials",
    "execution_environments",
    "notification_templates",
    "projects",
    "inventories",
    "job_templates",
    "workflow_job_templates",
)
IN_INVENTORY = ("inventory_sources", "hosts", "groups")
# The field by which a job template names an object.
USED_BY = {"projects": "project", "inventories": "inventory", "execution_environments": "execution_environment"}
USERS = "users_of_ours"
MARGIN = 600  # seconds for which the guard waits longer than an approval node
MAX_APPROVAL = 20 * 3600 - MARGIN  # seconds; a release is not paused for longer
REPORT_FOLDER = "/tmp/mcp-reports"  # in the job's own container


class Problem(ValueError):
    """What is wrong with the variables or stands in the controller, as a sentence."""


def _field(name: str, label: str, **more: t.Any) -> Object:
    return {"id": name, "label": label, "type": "string", **more}


def _secret(name: str, label: str, **more: t.Any) -> Object:
    return _field(name, label, secret=True, **more)


def _type(fields: list[Object], required: list[str], env: dict[str, str], **files: str) -> Object:
    """Return inputs and injectors of a credential type. An input that is left out is an empty text in env."""
    injectors: Object = {"env": env}
    if files:
        injectors["file"] = {f"template.{name}": text for name, text in files.items()}
    return {"inputs": {"fields": fields, "required": required}, "injectors": injectors}


# By the word that mcp_controller_credentials has for it. The variables of the environment are those that modules of
# this collection read by themselves, or that docs/awx.md has the inventory name.
CREDENTIAL_TYPES: dict[str, Object] = {
    "kubeconfig": _type(
        [_secret("kubeconfig", "Kubeconfig", multiline=True)],
        ["kubeconfig"],
        {"K8S_AUTH_KUBECONFIG": "{{ tower.filename.kubeconfig }}"},
        kubeconfig="{{ kubeconfig }}",
    ),
    "token": _type(
        [
            _field("host", "URL of the API server"),
            _secret("token", "Bearer token"),
            {"id": "verify_ssl", "label": "Verify the certificate", "type": "boolean"},
            _field("ca_cert", "CA certificate", multiline=True),
        ],
        ["host", "token"],
        {
            "K8S_AUTH_HOST": "{{ host }}",
            "K8S_AUTH_API_KEY": "{{ token }}",
            "K8S_AUTH_VERIFY_SSL": "{{ verify_ssl }}",
            "K8S_AUTH_SSL_CA_CERT": "{% if ca_cert %}{{ tower.filename.ca_cert }}{% endif %}",
        },
        ca_cert="{{ ca_cert }}",
    ),
    "registry": _type(
        [_secret("config", "Text of a config.json of Docker", multiline=True)],
        ["config"],
        {"REGISTRY_AUTH_FILE": "{{ tower.filename.config }}"},
        config="{{ config }}",
    ),
    "prometheus": _type(
        [_secret("token", "Token for Prometheus"), _secret("alertmanager_token", "Token for Alertmanager")],
        [],
        {"PROMETHEUS_TOKEN": "{{ token }}", "ALERTMANAGER_TOKEN": "{{ alertmanager_token }}"},
    ),
    "webhook": _type([_secret("url", "URL of the webhook")], ["url"], {"MCP_WEBHOOK_URL": "{{ url }}"}),
    "vault": _type(
        [_secret("token", "Token"), _secret("secret_id", "Secret id of an AppRole")],
        [],
        {"VAULT_TOKEN": "{{ token }}", "VAULT_SECRET_ID": "{{ secret_id }}"},
    ),
    "endpoint": _type([_secret("token", "Token for the MCP endpoint")], ["token"], {"MCP_TOKEN": "{{ token }}"}),
}


def _ask(variable: str, name: str, description: str, *, required: bool = False, **more: t.Any) -> Object:
    """Return a question of a survey with every key that the API returns, so that both can be compared."""
    question = {"type": "text", "min": 0, "max": 1024, "default": "", "choices": "", **more}
    return {
        "variable": variable,
        "question_name": name,
        "question_description": description,
        "required": required,
        **question,
    }


VERSION = _ask("version", "Version", "The image's tag, such as v1.2.0", required=True)
REASON = _ask("mcp_reason", "Reason", "For the release record")
BROKEN = [
    {**REASON, "question_description": "Why the glass is broken; not needed for a restore"},
    _ask(
        "mcp_break_glass_pool",
        "Pool that gets all traffic",
        "Without it, the one that answers better",
        type="multiplechoice",
        choices="blue\ngreen",
    ),
    _ask("mcp_replicas", "Replicas", "Without it, the pods that are ready stay"),
    _ask(
        "mcp_restore",
        "Restore",
        "Whether to restore what an earlier run changed",
        type="multiplechoice",
        choices="false\ntrue",
    ),
]


class Template(t.NamedTuple):
    name: str
    playbook: str
    description: str
    survey: list[Object]
    # What its credentials are given for, and which hosts it has by default; none where it changes servers that
    # whoever starts it must name.
    use: str
    limit: str = ""
    reports: bool = False


TEMPLATES = (
    Template("preflight", "preflight", "Checks what a release needs", [VERSION], "release", "production"),
    Template(
        "staging", "staging", "Deploys a version to staging, and checks it there", [VERSION], "staging", "staging"
    ),
    Template(
        "release",
        "bluegreen",
        "Releases a version blue/green",
        [
            VERSION,
            _ask(
                "mcp_stop_after",
                "Stop after",
                "The weight after which the release is paused for an approval",
                type="multiplechoice",
                choices="10\n50",
            ),
            REASON,
            _ask("mcp_force_version", "Force version", "The same version again, if its last release failed"),
        ],
        "release",
        reports=True,
    ),
    Template(
        "watch",
        "watch",
        "Watches the triggers for a while",
        [_ask("mcp_watch_seconds", "Seconds", "How long", type="integer", min=1, max=86400)],
        "release",
        "production",
        reports=True,
    ),
    Template(
        "rollback",
        "rollback",
        "Returns the traffic to the previous version",
        [
            REASON,
            _ask(
                "mcp_rollback_only_unfinished",
                "Only unfinished",
                "Whether to do nothing when no release is in progress or paused",
                type="multiplechoice",
                choices="false\ntrue",
            ),
        ],
        "release",
        reports=True,
    ),
    Template("status", "status", "Shows how each server is", [], "release", "production"),
    Template(
        "diagnose",
        "diagnose",
        "Says what is wrong with a server",
        [_ask("mcp_diagnose_seconds", "Seconds", "How old logs may be", type="integer", min=60, max=86400)],
        "release",
        "production",
    ),
    Template("validate", "validate", "Checks whether a server is as it should be", [], "release", "production"),
    Template("validate guide", "validate_guide", "Runs the guide on staging", [], "staging", "rehearsal"),
    Template(
        "report",
        "report",
        "Writes the report of a release",
        [_ask("mcp_release_id", "Release", "Its id; the newest without it")],
        "release",
        "production",
        reports=True,
    ),
    Template("break glass", "break_glass", "Breaks the glass of a server, or restores it", BROKEN, "break_glass"),
)
# Which templates belong to whom. Approvers have the workflows.
BREAK_GLASS = "break glass"
APPROVED_BREAK_GLASS = "break glass approved"
REVIEW = "review"
# What each schedule starts.
STARTS = {"watch": "watch", "validation": "validate guide", "review": f"workflow {REVIEW}"}

# The wrapper playbooks, by file, and further files of the project.
PLAYBOOK = """# {written}
---
- name: {description}
  ansible.builtin.import_playbook: mcp.server.{playbook}
"""
REQUIREMENTS = """# {written}
---
collections:
  - name: mcp.server
    version: "{version}"
"""
WRITTEN = "Written by the role mcp.server.controller, which removes it with mcp_controller_state: absent."


def _files(version: str) -> dict[str, str]:
    """Return the files of the project, by path."""
    files = {
        f"{one.playbook}.yml": PLAYBOOK.format(written=WRITTEN, description=one.description, playbook=one.playbook)
        for one in TEMPLATES
    }
    return {**files, "collections/requirements.yml": REQUIREMENTS.format(written=WRITTEN, version=version)}


FILES = tuple(_files(""))


def _refuse_foreign_files(texts: t.Mapping[str, str | None]) -> None:
    if foreign := [path for path, text in texts.items() if text is not None and not is_ours(text)]:
        raise Problem(
            f"{', '.join(foreign)} in the project's folder was not written by this role, so nothing was changed. Move "
            "it away, or name another folder in mcp_controller_project."
        )


def is_ours(text: str) -> bool:
    """Return whether a file was written by this role."""
    return text.startswith(f"# {WRITTEN}")


def mark(prefix: str) -> str:
    """Return the end of the description of each object that the role makes with this prefix."""
    return f"(mcp.server: {prefix})"


def queries(prefix: str, organization: str) -> list[dict[str, t.Any]]:
    """Return what is read before anything is changed: a name for it, endpoint and query."""
    found = []
    for kind in KINDS:
        query: dict[str, t.Any] = {"page_size": 200, "order_by": "id"}
        if kind == "workflow_job_template_nodes":
            query["workflow_job_template__description__endswith"] = mark(prefix)
        elif kind == "organizations":
            query |= {"name": organization}
        elif kind in IN_INVENTORY:
            query["inventory__description__endswith"] = mark(prefix)
        else:
            query |= {"or__description__endswith": mark(prefix), "or__name__startswith": f"{prefix} "}
            if kind in IN_ORGANIZATION:
                query["or__organization__name"] = organization
            if kind == "credentials":  # also of others, of a type that this role made
                query["or__credential_type__description__endswith"] = mark(prefix)
        found.append({"name": kind, "endpoint": kind, "query": query})
    # Job templates, also of others, that use what this role made.
    query = {f"or__{field}__description__endswith": mark(prefix) for field in USED_BY.values()}
    return [*found, {"name": USERS, "endpoint": "job_templates", "query": {"page_size": 200, **query}}]


FIELDS = (
    "id",
    "name",
    "identifier",
    "description",
    "organization",
    "inventory",
    "project",
    "execution_environment",
    "credential_type",
    "notification_type",
    "workflow_job_template",
    "has_inventory_sources",
)
NAMED = ("organization", "inventory", "workflow_job_template")


def _is_imported(one: Object) -> bool:
    """Return whether a host or group came from an inventory's source, by what AWX then writes."""
    return bool(one.get("has_inventory_sources")) or one.get("description") == "imported"


def known_fields(one: Object) -> Object:
    """Return what the plan needs of an object of the API."""
    named = {
        f"{field}_name": str(((one.get("summary_fields") or {}).get(field) or {}).get("name") or "") for field in NAMED
    }
    return {**{field: one.get(field) for field in FIELDS}, **named}


class Found:
    """What the controller has."""

    def __init__(self, prefix: str, found: t.Mapping[str, list[Object]]) -> None:
        self.found, self.mark = found, mark(prefix)

    def all(self, kind: str) -> list[Object]:
        return list(self.found.get(kind) or [])

    def is_ours(self, one: Object) -> bool:
        return str(one.get("description") or "").endswith(self.mark)

    def ours(self, kind: str) -> list[Object]:
        if kind == "workflow_job_template_nodes":  # the query has those of our workflows only
            return self.all(kind)
        return [one for one in self.all(kind) if self.is_ours(one)]


def plan(
    options: t.Mapping[str, t.Any], found: t.Mapping[str, list[Object]], texts: t.Mapping[str, str | None]
) -> Object:
    """Return what to do. Raises Problem.

    present: what there is to be, by kind, each as parameters of its module of awx.awx.
    absent: what to remove, likewise.
    kept: sentences about what stays though this role made it.
    files: those of the project to write or to remove. paths: all of them. texts: what these files are now.
    """
    known = Found(options["prefix"], found)
    _refuse_other_organization(options, known)
    same: Object = {name: options[name] for name in ("organization", "project", "update_secrets")}
    same["paths"] = list(texts)
    if options["state"] == "absent":
        files = [{"path": path, "state": "absent"} for path, text in texts.items() if is_ours(text or "")]
        wanted: dict[str, list[Object]] = {kind: [] for kind in (*KINDS, "roles")}
        return {**same, "present": wanted, **_all_ours(known), "files": files}
    wanted = _Plan(options, known).all()
    _refuse_foreign(wanted, known)
    _refuse_foreign_files(texts)
    files = [
        {"path": path, "state": "file", "content": text}
        for path, text in _files(options["version"]).items()
        if texts.get(path) != text
    ]
    removed = _removal(known, _stale(wanted, known))
    return {**same, "present": wanted, "absent": removed, "kept": [], "files": files}


def _refuse_other_organization(options: t.Mapping[str, t.Any], found: Found) -> None:
    """The prefix alone marks what is ours, so another team that took the same one would lose its objects."""
    others = {one["organization_name"] for kind in IN_ORGANIZATION for one in found.ours(kind)}
    if others := others - {options["organization"], ""}:
        raise Problem(
            f"The prefix {options['prefix']} is in use in the organization {min(others)}, and "
            f"mcp_controller_organization is {options['organization']}. Nothing was changed. Set another "
            "mcp_controller_prefix, or name that organization."
        )


def _refuse_foreign(wanted: dict[str, list[Object]], found: Found) -> None:
    for kind, objects in wanted.items():
        if kind in ("organizations", "workflow_job_template_nodes") or kind not in KINDS:
            continue
        names = {one["name"] for one in objects}
        foreign = sorted(
            one["name"]
            for one in found.all(kind)
            if one["name"] in names and not found.is_ours(one) and not _is_imported(one)
        )
        if foreign:
            raise Problem(
                f"The controller has {kind.replace('_', ' ')} that this role did not make: {', '.join(foreign)}. "
                "Nothing was changed. Rename them, or set another mcp_controller_prefix."
            )


class _Plan:
    def __init__(self, options: t.Mapping[str, t.Any], found: Found) -> None:
        self.options, self.found = options, found
        self.prefix, self.organization = options["prefix"], options["organization"]
        self.notifications = [self.name(one["name"]) for one in options["notifications"]]
        self.teams = {who: self.name(who) for who in ("operators", "approvers", "break glass")}

    def name(self, what: str) -> str:
        return f"{self.prefix} {what}"

    def described(self, text: str) -> str:
        return f"{text} {self.found.mark}"

    def all(self) -> dict[str, list[Object]]:
        self._check()
        workflows = self._workflows()
        return {
            "organizations": self._organizations(),
            "teams": [
                {"name": name, "description": self.described(f"May start or approve: {who}.")}
                for who, name in self.teams.items()
            ],
            "credential_types": [
                {"name": self.name(f"{kind} type"), "description": self.described(f"For {kind}."), **fields}
                for kind, fields in CREDENTIAL_TYPES.items()
            ],
            "credentials": self._credentials(),
            "execution_environments": [
                {
                    "name": self.name("execution environment"),
                    "description": self.described("Has ansible-core and mcp.server."),
                    "image": self.options["image"],
                    "credential": self.options.get("image_credential"),
                }
            ],
            "notification_templates": self._notifications(),
            "projects": [self._project()],
            "inventories": [
                {"name": self.name("servers"), "description": self.described("The MCP servers.")},
            ],
            **self._inventory(),
            "job_templates": [self._job_template(one) for one in TEMPLATES],
            "workflow_job_templates": [
                {key: value for key, value in one.items() if key != "nodes"} for one in workflows
            ],
            "workflow_job_template_nodes": [
                {"workflow": one["name"], **node} for one in workflows for node in one["nodes"]
            ],
            "roles": self._roles(workflows),
            "schedules": self._schedules(),
        }

    def _check(self) -> None:
        options = self.options
        if not options["image"]:
            raise Problem("mcp_controller_image is not set: name the image of the execution environment.")
        if not (options["project"] or {}).get("repository"):
            raise Problem(
                "mcp_controller_project has no repository: give the URL of the Git repository that has the project."
            )
        if _has_secret(options["project"]["repository"]):
            raise Problem(
                "mcp_controller_project has a repository with a login in its URL, which outputs would show. Name a "
                "credential in its place."
            )
        if bool(options["hosts"]) == bool(options["inventory_path"]):
            raise Problem(
                "Set either mcp_controller_inventory, the inventory's path in the project, or mcp_controller_hosts."
            )
        names = [one["name"] for one in (*options["credentials"], *options["notifications"], *options["workflows"])]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Problem(f"Two credentials, notifications or workflows have the name {twice[0]}. Rename one.")
        if strange := sorted(set(options["schedules"]) - set(STARTS)):
            raise Problem(f"mcp_controller_schedules has no {strange[0]}; it may have {', '.join(STARTS)}.")
        if reserved := sorted({one["name"] for one in options["workflows"]} & {REVIEW, APPROVED_BREAK_GLASS}):
            raise Problem(f"mcp_controller_workflows has {reserved[0]}, which the role makes itself. Rename it.")
        # AWX takes 0 as no limit, and the guard would roll back long before the approval.
        if not 1 <= options["approval_timeout"] <= MAX_APPROVAL:
            raise Problem(
                f"mcp_controller_approval_timeout is {options['approval_timeout']}: it must be 1 to {MAX_APPROVAL}, as "
                "the guard holds a paused release no longer."
            )
        self._check_hosts()
        for use in ("release", "staging", "break_glass"):
            kinds = [one["kind"] for one in self._of_use(use) if one.get("kind")]
            if {"kubeconfig", "token"} <= set(kinds):
                raise Problem(
                    f"mcp_controller_credentials has a kubeconfig and a token for {use}, and the token would win. Say "
                    "in use which one it is."
                )
            if twice := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
                raise Problem(
                    f"mcp_controller_credentials has two of kind {twice[0]} for {use}; a job takes one. Say in use "
                    "which one it is."
                )

    def _check_hosts(self) -> None:
        for name, one in (self.options["hosts"] or {}).items():
            given = {} if one is None else one
            variables, groups = (given.get("variables"), given.get("groups")) if isinstance(given, dict) else ("", "")
            if not isinstance(variables, dict | None) or not isinstance(groups, list | None):
                raise Problem(
                    f"mcp_controller_hosts has {name}, which must have variables, a dictionary, and groups, a list."
                )

    def _organizations(self) -> list[Object]:
        if any(not self.found.is_ours(one) for one in self.found.all("organizations")):
            return []  # the company's own one is used as it is
        return [{"name": self.organization, "description": self.described("Releases of MCP servers.")}]

    def _of_use(self, use: str) -> list[Object]:
        """Return the credentials for a use. Break-glass takes those of releases where it has none of its own."""
        given = self.options["credentials"]
        found = [one for one in given if use in (one.get("use") or ["release", "staging"])]
        return found or (self._of_use("release") if use == "break_glass" else [])

    def _credential_name(self, one: Object) -> str:
        """Return the name of a credential; one without a kind is the user's own, under its own name."""
        return self.name(one["name"]) if one.get("kind") else str(one["name"])

    def _credentials(self) -> list[Object]:
        return [
            {
                "name": self._credential_name(one),
                "secret": one["name"],
                "description": self.described("For jobs that act on MCP servers."),
                "credential_type": self.name(f"{one['kind']} type"),
                # AWX takes a boolean that is left out as false.
                "inputs": {"verify_ssl": True} if one["kind"] == "token" else {},
            }
            for one in self.options["credentials"]
            if one.get("kind")
        ]

    def _notifications(self) -> list[Object]:
        known = {(one["name"], one["notification_type"]) for one in self.found.all("notification_templates")}
        return [
            {
                "name": self.name(one["name"]),
                "secret": one["name"],
                "description": self.described("Of releases and approvals."),
                "notification_type": one["kind"],
                # The module cannot compare what is a secret, and would write it each time.
                "state": "present"
                if self.options["update_secrets"] or (self.name(one["name"]), one["kind"]) not in known
                else "exists",
            }
            for one in self.options["notifications"]
        ]

    def _project(self) -> Object:
        given = self.options["project"]
        there = {one["name"] for one in self.found.all("job_templates")}
        return {
            "name": self.name("project"),
            "description": self.described("Wrapper playbooks of mcp.server."),
            "scm_type": "git",
            "scm_url": given["repository"],
            "scm_branch": given.get("branch") or "main",
            "credential": given.get("credential"),
            "wait": given.get("wait", True),
            # AWX takes no job template for a playbook that it has not synchronized.
            "synchronize": not {self.name(one.name) for one in TEMPLATES} <= there,
        }

    def _inventory(self) -> dict[str, list[Object]]:
        inventory, path = self.name("servers"), self.options["inventory_path"]
        hosts = [
            {
                "name": name,
                "inventory": inventory,
                "description": self.described("An MCP server."),
                "variables": dict((one or {}).get("variables") or {}),
            }
            for name, one in sorted((self.options["hosts"] or {}).items())
        ]
        members: dict[str, list[str]] = {}
        for name, one in sorted((self.options["hosts"] or {}).items()):
            for group in (one or {}).get("groups") or []:
                members.setdefault(group, []).append(name)
        groups = [
            {"name": name, "inventory": inventory, "description": self.described("MCP servers."), "hosts": named}
            for name, named in sorted(members.items())
        ]
        source = {
            "name": self.name("inventory"),
            "inventory": inventory,
            "description": self.described("The inventory in the project."),
            "source_path": path,
            "source_project": self.name("project"),
        }
        return {"inventory_sources": [source] if path else [], "hosts": hosts, "groups": groups}

    def _limit(self, one: Template) -> str:
        first = (self.options["workflows"] or [{}])[0]
        patterns = {**first, "rehearsal": first.get("rehearsal") or first.get("staging")}
        return str(patterns.get(one.limit) or "")

    def _job_template(self, one: Template) -> Object:
        extra: Object = {"mcp_report_dir": REPORT_FOLDER, "mcp_report_artifact": True} if one.reports else {}
        return {
            "name": self.name(one.name),
            "description": self.described(f"{one.description}."),
            "playbook": f"{one.playbook}.yml",
            "project": self.name("project"),
            "inventory": self.name("servers"),
            "execution_environment": self.name("execution environment"),
            "limit": self._limit(one),
            "extra_vars": extra,
            "credentials": [self._credential_name(given) for given in self._of_use(one.use)],
            "survey_enabled": bool(one.survey),
            "survey_spec": _survey(one.survey),
            "notification_templates_error": self.notifications,
        }

    def _workflows(self) -> list[Object]:
        found = [self._release_workflow(one) for one in self.options["workflows"]]
        if self.options["break_glass_approval"]:
            found.append(
                self._workflow(
                    APPROVED_BREAK_GLASS,
                    "Breaks the glass once that is approved.",
                    BROKEN,
                    {},
                    [
                        self._approval("approve", "Break the glass?", success=["break glass"]),
                        self._node("break glass", BREAK_GLASS),
                    ],
                )
            )
        limit = str((self.options["workflows"] or [{}])[0].get("production") or "")
        found.append(
            self._workflow(
                REVIEW,
                "Validates production, and asks somebody to review the guide.",
                [],
                {},
                [
                    self._node("validate", "validate", limit=limit, always=["reviewed"]),
                    self._approval("reviewed", "Was the guide reviewed?", timeout=0),
                ],
            )
        )
        return found

    def _release_workflow(self, one: Object) -> Object:
        """Return staging, and the steps with an approval before each.

        What is denied before the first weight ends there, as nothing was released. Failed releases go back by
        themselves, and the guard has those whose job is gone.
        """
        staging, limit = one.get("staging"), one["production"]
        nodes = [self._node("staging", "staging", limit=staging, success=["approve 10"])] if staging else []
        nodes += [
            self._approval("approve 10", f"{one['name']}: 10 % to the new version?", success=["release 10"]),
            self._node("release 10", "release", limit=limit, extra={"mcp_stop_after": "10"}, success=["approve 50"]),
            self._approval(
                "approve 50",
                f"{one['name']}: 50 % to the new version?",
                success=["release 50"],
                failure=["rollback"],
            ),
            self._node("release 50", "release", limit=limit, extra={"mcp_stop_after": "50"}, success=["approve 100"]),
            self._approval(
                "approve 100",
                f"{one['name']}: all traffic to the new version?",
                success=["release 100"],
                failure=["rollback"],
            ),
            self._node("release 100", "release", limit=limit),
            # Started with the version that is live, its releases did nothing, and that version stays.
            self._node("rollback", "rollback", limit=limit, extra={"mcp_rollback_only_unfinished": "true"}),
        ]
        extra = {"mcp_guard": True, "mcp_pause_seconds": self.options["approval_timeout"] + MARGIN}
        return self._workflow(
            one["name"],
            "Brings a version to staging, and to production in steps that somebody approves.",
            [VERSION, REASON],
            extra,
            nodes,
        )

    def _workflow(self, name: str, text: str, survey: list[Object], extra: Object, nodes: list[Object]) -> Object:
        return {
            "name": self.name(f"workflow {name}"),
            "description": self.described(text),
            "extra_vars": extra,
            # Where its nodes have none: who breaks the glass names the server.
            "ask_limit_on_launch": name == APPROVED_BREAK_GLASS,
            "survey_enabled": bool(survey),
            "survey_spec": _survey(survey),
            "notification_templates_error": self.notifications,
            "notification_templates_approvals": self.notifications,
            "nodes": nodes,
        }

    def _node(
        self,
        identifier: str,
        template: str,
        *,
        limit: str | None = None,
        extra: Object | None = None,
        success: t.Sequence[str] = (),
        always: t.Sequence[str] = (),
    ) -> Object:
        return {
            "identifier": identifier,
            "unified_job_template": self.name(template),
            "limit": limit or "",
            "extra_data": extra or {},
            "links": {"success_nodes": list(success), "failure_nodes": [], "always_nodes": list(always)},
        }

    def _approval(
        self,
        identifier: str,
        question: str,
        *,
        success: t.Sequence[str] = (),
        failure: t.Sequence[str] = (),
        timeout: int | None = None,
    ) -> Object:
        seconds = self.options["approval_timeout"] if timeout is None else timeout
        return {
            "identifier": identifier,
            "approval_node": {"name": question, "description": "", "timeout": seconds},
            "links": {"success_nodes": list(success), "failure_nodes": list(failure), "always_nodes": []},
        }

    def _roles(self, workflows: list[Object]) -> list[Object]:
        approved = self.options["break_glass_approval"]
        glass = [self.name(BREAK_GLASS)]
        glass_workflow = [self.name(f"workflow {APPROVED_BREAK_GLASS}")] if approved else []
        names = [one["name"] for one in workflows]
        others = [name for name in names if name not in glass_workflow]
        templates = [self.name(one.name) for one in TEMPLATES if one.name != BREAK_GLASS]
        return [
            {"team": self.teams["operators"], "role": "execute", "job_templates": templates, "workflows": others},
            {"team": self.teams["approvers"], "role": "approval", "job_templates": [], "workflows": names},
            {
                "team": self.teams["break glass"],
                "role": "execute",
                "job_templates": glass,
                "workflows": [],
                "state": "absent" if approved else "present",
            },
            *(
                [
                    {
                        "team": self.teams["break glass"],
                        "role": "execute",
                        "job_templates": [],
                        "workflows": glass_workflow,
                    }
                ]
                if approved
                else []
            ),
        ]

    def _schedules(self) -> list[Object]:
        return [
            {
                "name": self.name(f"{name} schedule"),
                "description": self.described("Starts a job regularly."),
                "unified_job_template": self.name(STARTS[name]),
                "rrule": rule,
            }
            for name, rule in self.options["schedules"].items()
            if rule
        ]


def _has_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # The user of an https URL may be a token; that of an ssh one is none.
        return parts.password is not None or (parts.scheme in ("http", "https") and parts.username is not None)
    except ValueError:  # no URL, which the controller refuses
        return False


def _survey(questions: list[Object]) -> Object:
    return {"name": "", "description": "", "spec": questions} if questions else {}


def _stale(wanted: t.Mapping[str, list[Object]], known: Found) -> dict[str, list[Object]]:
    """Return what this role made and what is no longer wanted, by kind."""
    names = {kind: {_key(kind, one) for one in wanted[kind]} for kind in KINDS}
    types = _types(known)
    return {
        kind: [one for one in known.ours(kind) if _found_key(kind, one, types) not in names[kind]]
        if kind != "organizations"  # one of another name is for a person to remove
        else []
        for kind in KINDS
    }


def _all_ours(known: Found) -> Object:
    """Return all that this role made, apart from what others use or are in, and why that stays."""
    removed = {kind: known.ours(kind) for kind in KINDS}
    keepers = (_keep_used, _keep_types, _keep_inventory, _keep_organization)
    kept = [sentence for keep in keepers for sentence in keep(known, removed)]
    return {"absent": _removal(known, removed), "kept": kept}


def _types(known: Found) -> dict[t.Any, str]:
    """Return the names of credential types by their ids."""
    return {one["id"]: one["name"] for one in known.all("credential_types")}


def _key(kind: str, one: Object) -> t.Any:
    if kind == "workflow_job_template_nodes":
        return (one["workflow"], one["identifier"])
    # Two credentials of one name but of two types are two.
    return (one["name"], one["credential_type"]) if kind == "credentials" else one["name"]


def _found_key(kind: str, one: Object, types: t.Mapping[t.Any, str]) -> t.Any:
    if kind == "workflow_job_template_nodes":
        return (one["workflow_job_template_name"], one["identifier"])
    return (one["name"], types.get(one["credential_type"])) if kind == "credentials" else one["name"]


def _removal(known: Found, removed: dict[str, list[Object]]) -> dict[str, list[Object]]:
    """Return the parameters by which modules of awx.awx find what is to be removed."""
    workflows = {one["id"] for one in removed["workflow_job_templates"]}
    inventories = {one["id"] for one in removed["inventories"]}
    types = _types(known)
    for kind in IN_INVENTORY:  # they go with their inventory
        removed[kind] = [one for one in removed[kind] if one.get("inventory") not in inventories]
    nodes = [one for one in removed["workflow_job_template_nodes"] if one["workflow_job_template"] not in workflows]
    return {
        **{
            kind: [
                {
                    "name": one["name"],
                    "organization": one["organization_name"],
                    "inventory": one["inventory_name"],
                    "credential_type": types.get(one.get("credential_type"), ""),
                }
                for one in objects
            ]
            for kind, objects in removed.items()
            if kind != "workflow_job_template_nodes"
        },
        "workflow_job_template_nodes": [
            {"identifier": one["identifier"], "workflow": one["workflow_job_template_name"]} for one in nodes
        ],
    }


def _keep(removed: dict[str, list[Object]], kind: str, others: t.Callable[[Object], list[str]], why: str) -> list[str]:
    """Leave each object of this kind that others need, by their names; return a sentence for each. why: of NAME."""
    kept = []
    for one in list(removed[kind]):
        if names := sorted(others(one)):
            removed[kind].remove(one)
            kept.append(f"{why.replace('NAME', one['name'])}: {', '.join(names)}.")
    return kept


def _keep_used(known: Found, removed: dict[str, list[Object]]) -> list[str]:
    users = [one for one in known.all(USERS) if not known.is_ours(one)]

    def of(field: str) -> t.Callable[[Object], list[str]]:
        return lambda one: [user["name"] for user in users if user.get(field) == one["id"]]

    why = "NAME stays, as job templates of others use it"
    return [text for kind, field in USED_BY.items() for text in _keep(removed, kind, of(field), why)]


def _keep_types(known: Found, removed: dict[str, list[Object]]) -> list[str]:
    """Leave a credential type that has credentials of others: the controller refuses to remove it."""

    def others(one: Object) -> list[str]:
        typed = [other for other in known.all("credentials") if other.get("credential_type") == one["id"]]
        return [other["name"] for other in typed if not known.is_ours(other)]

    return _keep(removed, "credential_types", others, "NAME stays, as others have credentials of it")


def _keep_inventory(known: Found, removed: dict[str, list[Object]]) -> list[str]:
    def others(one: Object) -> list[str]:
        inside = [other for kind in IN_INVENTORY for other in known.all(kind) if other.get("inventory") == one["id"]]
        return [other["name"] for other in inside if not known.is_ours(other) and not _is_imported(other)]

    return _keep(removed, "inventories", others, "Inventory NAME stays, as others put into it")


def _keep_organization(known: Found, removed: dict[str, list[Object]]) -> list[str]:
    """Leave an organization that has anything else: what is in it would go, or lose it."""

    def others(one: Object) -> list[str]:
        return [
            other["name"]
            for kind in IN_ORGANIZATION
            for other in known.all(kind)
            if other.get("organization") == one["id"] and other not in removed[kind]
        ]

    return _keep(removed, "organizations", others, "Organization NAME stays, as it has more")
