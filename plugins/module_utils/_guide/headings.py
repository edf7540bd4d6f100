# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The headings of the deployment guide and their command blocks, in its order.

For each: what does it here, and how that is checked on a staging server. Data only; docs/guide goes by it, too.

An item is checked by the parts of validate_guide.yml, or has a reason why it is not run there.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._guide.review import MONTH, QUARTER


class Heading(t.NamedTuple):
    """A heading of the guide, word for word. level: 1 is its title. page: in docs/guide, without .md."""

    level: int
    title: str
    page: str


HEADINGS = (
    Heading(1, "MCP Server Deployment Guide", "README"),
    Heading(2, "Emergency Contacts", "README"),
    Heading(2, "Pre-Flight Checks (MANDATORY GATES)", "preflight"),
    Heading(3, "Infrastructure Readiness", "preflight"),
    Heading(3, "Version Compatibility", "preflight"),
    Heading(2, "Staging Deployment", "staging"),
    Heading(3, "Profile-Based Setup", "staging"),
    Heading(3, "Dual-Entry Validation", "staging"),
    Heading(3, "Critical Business Flow Validation", "staging"),
    Heading(2, "Production Deployment (Blue/Green)", "production"),
    Heading(3, "Architecture Overview", "production"),
    Heading(3, "Green Pool Deployment", "production"),
    Heading(3, "Traffic Shift Preparation", "production"),
    Heading(3, "Traffic Shift (10% → 50% → 100%)", "production"),
    Heading(2, "Post-Deployment Validation", "validation"),
    Heading(3, "Health Checks", "validation"),
    Heading(3, "Critical Path Validation", "validation"),
    Heading(3, "Monitoring Validation", "validation"),
    Heading(2, "Rollback Procedures", "rollback"),
    Heading(3, "Automatic Rollback Triggers", "rollback"),
    Heading(3, "Emergency Rollback (< 2 minutes)", "rollback"),
    Heading(3, "Version Pinning Rollback", "rollback"),
    Heading(2, "Log Analysis & Debugging", "debugging"),
    Heading(3, "Log Locations", "debugging"),
    Heading(3, "Common Error Patterns", "debugging"),
    Heading(4, "Database Connection Issues", "debugging"),
    Heading(4, "Memory/Resource Issues", "debugging"),
    Heading(4, "Authentication Errors", "debugging"),
    Heading(3, "Debug Toolkit", "debugging"),
    Heading(2, "Multi-Instance Management", "instances"),
    Heading(3, "Process Identification", "instances"),
    Heading(3, "Instance Health Monitoring", "instances"),
    Heading(3, "Traffic Distribution Verification", "instances"),
    Heading(2, "GitHub Actions Auto-Versioning", "versioning"),
    Heading(3, "Workflow Configuration", "versioning"),
    Heading(3, "serverInfo.version Management", "versioning"),
    Heading(4, "Automatic Version Injection", "versioning"),
    Heading(4, "Runtime Version Serving", "versioning"),
    Heading(4, "Version Validation", "versioning"),
    Heading(2, "Manual Override & Escalation", "override"),
    Heading(3, "When Automation Fails", "override"),
    Heading(4, "Manual Deployment Process", "override"),
    Heading(4, "Manual Rollback Process", "override"),
    Heading(3, "Escalation Tree", "override"),
    Heading(3, "Break-Glass Procedures", "override"),
    Heading(2, "Secrets Management Protocol", "secrets"),
    Heading(2, "Version Compatibility Matrix", "matrix"),
    # What the guide has below a line at its end, in bold.
    Heading(2, "Document Maintenance", "maintenance"),
)


class Part(t.NamedTuple):
    """A part of validate_guide.yml.

    playbook: whose work it does. need: what it needs to run. by: what it is called in a row; empty for the playbook's
    name. A rehearsal says so: whoever reads rollback.yml might run that to see more, and it would roll back.
    """

    playbook: str
    need: str = ""
    by: str = ""

    @property
    def name(self) -> str:
        return self.by or f"{self.playbook}.yml"


PARTS = {
    "preflight": Part("preflight"),
    "staging": Part("staging", "pass version, and set mcp_staging_source"),
    "validate": Part("validate"),
    "status": Part("status"),
    "history": Part("rollback", by="The history of the pools"),
    "diagnose": Part("diagnose"),
    "debug": Part("debug", "set mcp_debug_image_ref"),
    "rollback": Part("rollback", by="A rehearsal of rollback.yml"),
    "break_glass": Part("break_glass", by="A rehearsal of break_glass.yml"),
    "drill": Part("drill", "set mcp_drill: true on a server that is there for drills"),
    "contacts": Part("bluegreen", by="The inventory"),
    "review": Part("validate_guide", by="The day of the review"),
}


class Item(t.NamedTuple):
    """One command block of the guide, or what a heading without one asks for.

    heading: the guide's own. title: what the item is about. playbook: what does it here, or the role. checks: the
    results that check it: PART, all of a part; PART.ID, one of them; PART.ID*, those whose id begins so. because: why
    nothing is run for it on staging. hint: what the inventory must say so that it is checked. tests: the integration
    targets that prove it on a real cluster.
    """

    id: str
    heading: str
    title: str
    playbook: str
    checks: tuple[str, ...] = ()
    because: str = ""
    hint: str = ""
    tests: tuple[str, ...] = ()
    due: int = MONTH


_READY, _COMPATIBLE = "Infrastructure Readiness", "Version Compatibility"
_OWN_TEST = "it changes what is live, and is tried by tests on a cluster of their own"

ITEMS: tuple[Item, ...] = (
    Item("contacts", "Emergency Contacts", "whom to call", "bluegreen", ("contacts",), due=QUARTER),
    # Pre-Flight Checks
    Item("cluster", _READY, "health of the cluster", "preflight", ("preflight.api_server", "preflight.namespace")),
    Item("nodes", _READY, "nodes and their room", "preflight", ("preflight.nodes", "preflight.room")),
    Item("secrets", _READY, "Secrets with their keys", "preflight", ("preflight.secrets",)),
    Item(
        "database",
        _READY,
        "connectivity of the database",
        "preflight",
        ("preflight.dependencies", "preflight.dependency_*"),
        hint="set mcp_dependencies",
    ),
    Item("current_version", _COMPATIBLE, "version in production", "status", ("status",)),
    Item(
        "image",
        _COMPATIBLE,
        "image in the registry",
        "preflight",
        ("preflight.registry", "preflight.platform", "staging.registry"),
        hint="pass version",
    ),
    # Staging Deployment
    Item("staging_profile", "Profile-Based Setup", "profile, manifests and rollout", "staging", ("staging",)),
    Item(
        "entries",
        "Dual-Entry Validation",
        "both entries, and the protocol",
        "staging",
        ("preflight.endpoint", "validate.health", "validate.mcp", "staging.internal*", "staging.external*"),
    ),
    Item(
        "flows",
        "Critical Business Flow Validation",
        "critical flows",
        "staging",
        ("staging.flow*", "validate.flow*"),
        hint="pass version, and set mcp_critical_flows",
    ),
    Item(
        "load",
        "Critical Business Flow Validation",
        "load test",
        "staging",
        ("staging.load*",),
        hint="pass version, and set mcp_load",
    ),
    # Production Deployment (Blue/Green)
    Item(
        "architecture",
        "Architecture Overview",
        "two pools behind one route",
        "install",
        (
            "preflight.workload_*",
            "preflight.service_blue",
            "preflight.service_green",
            "preflight.overlap",
            "preflight.route",
        ),
        due=QUARTER,
    ),
    Item(
        "green",
        "Green Pool Deployment",
        "a release to the idle pool",
        "bluegreen",
        because=_OWN_TEST,
        tests=("releases",),
    ),
    Item(
        "before_shift",
        "Traffic Shift Preparation",
        "checks of the new pool before it gets traffic",
        "bluegreen",
        because=_OWN_TEST,
        tests=("releases", "mcp_traffic_shift"),
    ),
    Item(
        "shift",
        "Traffic Shift (10% → 50% → 100%)",
        "weights, waits and gates",
        "bluegreen",
        because=_OWN_TEST,
        tests=("releases", "triggers"),
    ),
    # Post-Deployment Validation
    Item("availability", "Health Checks", "health document", "validate", ("validate.health",)),
    Item(
        "health_database",
        "Health Checks",
        "database, from its pod",
        "validate",
        ("validate.pod*", "validate.dep*"),
        hint="set mcp_pod_checks or mcp_dependencies",
    ),
    Item(
        "health_services",
        "Health Checks",
        "external services",
        "validate",
        ("validate.pod*", "validate.dep*"),
        hint="set mcp_pod_checks or mcp_dependencies",
    ),
    Item(
        "critical_paths",
        "Critical Path Validation",
        "critical paths",
        "validate",
        ("validate.flow*",),
        hint="set mcp_critical_flows",
    ),
    Item(
        "performance",
        "Critical Path Validation",
        "latency and throughput",
        "validate",
        ("validate.latency", "validate.throughput", "validate.load*"),
        hint="set mcp_prometheus or mcp_load",
    ),
    Item(
        "metrics",
        "Monitoring Validation",
        "metrics flow",
        "validate",
        ("validate.metrics",),
        hint="set mcp_prometheus or mcp_metrics",
    ),
    Item(
        "alerts",
        "Monitoring Validation",
        "alerts arrive",
        "validate",
        ("validate.alert*",),
        hint="set mcp_alert_rules and mcp_alert_test_receiver",
    ),
    # Rollback Procedures
    Item(
        "triggers",
        "Automatic Rollback Triggers",
        "the four triggers",
        "watch",
        ("preflight.metrics",),
        tests=("triggers", "windows"),
        hint="set mcp_prometheus",
    ),
    Item(
        "emergency_rollback",
        "Emergency Rollback (< 2 minutes)",
        "the traffic goes back",
        "rollback",
        ("rollback",),
        tests=("rollbacks", "outages"),
    ),
    Item(
        "pinned_rollback",
        "Version Pinning Rollback",
        "a named version",
        "rollback",
        ("history",),
        tests=("rollbacks",),
    ),
    # Log Analysis & Debugging
    Item("logs", "Log Locations", "logs of server, node and gateway", "diagnose", ("diagnose",)),
    Item("database_errors", "Database Connection Issues", "names and ports", "debug", ("debug", "diagnose")),
    Item("resources", "Memory/Resource Issues", "memory, limits and ends of pods", "diagnose", ("diagnose",)),
    Item("authentication", "Authentication Errors", "refused credentials", "diagnose", ("diagnose",)),
    Item("debug", "Debug Toolkit", "probes inside the cluster", "debug", ("debug",), tests=("mcp_debug",)),
    # Multi-Instance Management
    Item("instances", "Process Identification", "every instance with its node", "status", ("status",)),
    Item("instance_health", "Instance Health Monitoring", "health and use of each", "status", ("status",)),
    Item(
        "distribution",
        "Traffic Distribution Verification",
        "answers come from all instances",
        "validate",
        ("validate.distribution",),
    ),
    # GitHub Actions Auto-Versioning
    Item(
        "workflow",
        "Workflow Configuration",
        "a tag becomes a release",
        "ci_scaffold",
        because="a pipeline of the server's own repository does it",
        tests=("mcp_scaffold",),
        due=QUARTER,
    ),
    Item(
        "injection",
        "Automatic Version Injection",
        "the version goes into the image",
        "ci_scaffold",
        because="a build changes no server; the version it gave is compared below",
        tests=("mcp_scaffold", "manual_override"),
        due=QUARTER,
    ),
    Item("serving", "Runtime Version Serving", "the server says its version", "validate", ("validate.version*",)),
    Item("version", "Version Validation", "all say the same version", "validate", ("validate.version*",)),
    # Manual Override & Escalation
    Item(
        "manual_deployment",
        "Manual Deployment Process",
        "build, push and release by hand",
        "build",
        because=_OWN_TEST,
        tests=("manual_override",),
        due=QUARTER,
    ),
    Item(
        "manual_rollback",
        "Manual Rollback Process",
        "a revision of the pool",
        "rollback",
        ("history",),
        tests=("rollbacks",),
    ),
    Item("escalation", "Escalation Tree", "whom to call for what", "bluegreen", ("contacts",), due=QUARTER),
    Item(
        "break_glass",
        "Break-Glass Procedures",
        "no safety measure, and the way back",
        "break_glass",
        ("break_glass", "drill"),
        tests=("mcp_break_glass", "mcp_drill"),
        due=QUARTER,
    ),
    # Secrets Management Protocol, Version Compatibility Matrix, Document Maintenance
    Item("no_secrets", "Secrets Management Protocol", "no secret in files", "preflight", ("preflight.secret_scan",)),
    Item(
        "secrets_access",
        "Secrets Management Protocol",
        "who may read which Secret",
        "preflight",
        ("preflight.service_account_*", "preflight.vault*", "preflight.rights"),
    ),
    Item(
        "matrix",
        "Version Compatibility Matrix",
        "server, MCP revision and Kubernetes",
        "preflight",
        ("preflight.compatibility*", "preflight.client_revisions", "validate.compatibility*"),
        due=QUARTER,
    ),
    Item("maintenance", "Document Maintenance", "the quarterly review", "validate_guide", ("review",), due=QUARTER),
)


def meant(item: Item, part: str, check_id: str) -> bool:
    """Return whether a result of a part checks this item. Pure."""
    return any(
        name == part
        or name == f"{part}.{check_id}"
        or (name.endswith("*") and f"{part}.{check_id}".startswith(name[:-1]))
        for name in item.checks
    )


def needs(item: Item) -> list[str]:
    """Return what is to be given so that an item is checked. Pure."""
    if item.hint:
        return [item.hint]
    parts = dict.fromkeys(name.partition(".")[0] for name in item.checks)
    return [need for part in parts if (need := PARTS[part].need)]
