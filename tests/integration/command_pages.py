# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs each block of commands of the pages for users: the table of the target ``docs_commands``.

A unit test (test_command_blocks.py) fails for a block that is in none of RUN, ELSEWHERE, ALIKE and NOT_RUN, or in two.
"""

from __future__ import annotations

import typing as t

Substitutes = tuple[tuple[str, str], ...]


class Step(t.NamedTuple):
    """A block that is run.

    words: that it has, and no other block of its page. says: what it says, spaces and line breaks counted as one space.
    instead: what must differ, beside what differs on all pages (targets/docs_commands/worlds.py). code: how it ends.
    """

    words: str
    says: tuple[str, ...] = ()
    instead: Substitutes = ()
    code: int = 0


class Page(t.NamedTuple):
    """world: what there is before its first command: a fixture of the target. soak: only `make soak` runs it."""

    world: str
    steps: tuple[Step, ...]
    soak: bool = False


RUN: dict[str, Page] = {
    "docs/examples/README.md": Page(
        "exampled",
        (
            Step("kubectl apply -f server.yaml", ("deployment.apps/mcp-server-green created",)),
            Step(
                "ansible-playbook release.yml",
                (
                    "This user has all rights in namespace {namespace} that a release needs.",
                    "v1.2.0 is live on green",
                    "weights of {namespace}/mcp-server written: blue 100 %, green 0 %",
                ),
            ),
        ),
    ),
    "docs/preflight.md": Page(
        "released",
        (
            Step(
                "mcp.server.preflight", ("Pre-flight of {namespace}/mcp-server", "with blue at 100 % and green at 0 %")
            ),
        ),
    ),
    "docs/status.md": Page(
        "released",
        (
            Step("-e mcp_output=/tmp/status.json", ("{namespace}/mcp-server: ", "rolled back"), (("/tmp/", "./"),)),
            Step("-l mcp-server\nTASK", ("{namespace}/mcp-server: ", "HTTPRoute {namespace}/mcp-server")),
            Step("-i inventory.yml\nTASK", ("blue (live) 100 %",)),
            Step("mcp_status_find=app=mcp-server", ("to no server of this inventory, by the labels app=mcp-server",)),
        ),
    ),
    "docs/rollback.md": Page("released", (Step("get configmap mcp-server-release", ("Uvicorn running",)),)),
    "docs/validate.md": Page(
        "released", (Step("mcp.server.validate", ("Validation of {namespace}/mcp-server",)),), soak=True
    ),
    "docs/diagnose.md": Page("released", (Step("mcp.server.diagnose", ("reads {namespace}/mcp-server",)),)),
    "docs/debug.md": Page(
        "released",
        (
            Step(
                "database-prod:5432",
                ("tcp mcp-server-blue.{namespace}.svc:8080 ok", "postgresql.database"),
                (("database-prod:5432", "postgresql.database:5432"), ("https://auth.example.com", "{url}")),
            ),
            Step("postgresql.database:5433", ("postgresql.database:5433 FAILED",)),
            Step(
                "tcpdump -n -i any",
                ("listening on any",),
                (("-it POD", "-it {pod}"), ("IMAGE", "{debug_image}"), ("timeout 60", "timeout 5")),
            ),
        ),
        soak=True,
    ),
    "docs/announcing.md": Page(
        "released",
        (
            Step(
                "mcp.server.report",
                ("{release_id} rolled_back",),
                (("2026-11-24T06:06:39.948Z-v1.2.0", "{release_id}"),),
            ),
        ),
    ),
    "docs/replay.md": Page(
        "released",
        (
            Step(
                "mcp_replay_from",
                ("Pool green",),
                (
                    ("2026-11-17T11:20:00.000Z-v1.2.0", "{release_id}"),
                    ("2026-11-17T11:00:00Z", "{started}"),
                    ("2026-11-17T12:00:00Z", "{ended}"),
                ),
            ),
            Step("mcp_replay_checks", ("Pool green",)),
        ),
        soak=True,
    ),
    "docs/break-glass.md": Page(
        "released",
        (
            Step("INC-42, nothing answers", ("DID", "pods that are not ready get traffic, too")),
            Step("-e mcp_restore=true\n", ("restored spec.publishNotReadyAddresses",)),
            Step("-e mcp_restore_keep=true", ()),
        ),
    ),
    "docs/gitops.md": Page(
        "released", (Step("kubectl apply --server-side", ("serverside-applied",), (("replicas: 3", "replicas: 2"),)),)
    ),
    "README.md": Page(
        "released",
        (
            Step(
                "ansible-galaxy collection install mcp.server",
                ("mcp.server:1.0.0 was installed successfully", "Requirement already satisfied: kubernetes"),
                (("collection install mcp.server", "collection install --force {artifact}"),),
            ),
            Step(
                "mcp.server.watch",
                ("v1.2.0 is live on green", "blue 100 %: measured 100.0 %", "watch"),
            ),
        ),
        soak=True,
    ),
    "docs/clusters.md": Page(
        "empty",
        (
            Step(
                "make demo",
                ("Summary", " 0 failed"),
                (
                    ("export KUBECONFIG=", "export MCP_NAMESPACE={lane} MCP_HOST={lane_host} KUBECONFIG="),
                    ("releaser.kubeconfig", "{lane_kubeconfig}"),
                    ("make demo", "make -C {root} demo"),
                ),
            ),
        ),
        soak=True,
    ),
    "docs/load.md": Page(
        "released",
        (
            Step(
                "vegeta attack",
                ("[code:count] 200:",),
                (
                    ("https://mcp-staging.example.com/mcp", "{url}/mcp"),
                    ("-rate=50/1s -duration=10s", '-rate=5/1s -duration=2s -header="Host: {host}"'),
                ),
            ),
        ),
    ),
    "docs/mcp.md": Page("released", (Step("mcp_contract_accept", ("is live on green",)),), soak=True),
    "docs/adopt.md": Page(
        "plain",
        (
            Step("-i inventory.yml --check --diff   # shows", ("after: Deployment weather-green", "created Role")),
            Step("mcp_adopt_undo=true --check", ("deleted Deployment weather-green",)),
        ),
        soak=True,
    ),
    "docs/playbooks.md": Page(
        "installed",
        (Step("mcp.server.install", ("after: Deployment mcp-server-blue", "created HTTPRoute")),),
        soak=True,
    ),
    "docs/override.md": Page(
        "installed",
        (
            Step(
                "mcp.server.build",
                (
                    "manual-1700000000 is live on green",
                    "bypassed preflight, gates; reason: The pipeline is down, and v1.2.0 loses sessions.",
                ),
                (("$(date +%s)", "1700000000"),),
            ),
            Step("manual-1795817686", ("bypassed: preflight, gates",), (("manual-1795817686", "v1.2.0"),)),
        ),
        soak=True,
    ),
    "docs/drill.md": Page(
        "drills",
        (
            Step("-l drills --check", ("would break pool blue", "clients get answers after it")),
            Step("PLAY RECAP", ("clients get errors", "clients get answers after it")),
            Step("last-drill", ('"passed":',)),
        ),
        soak=True,
    ),
    "docs/staging.md": Page(
        "staging",
        (
            Step("-e version=v1.2.0\n", ("Staging of v1.2.0 in {namespace}/mcp-server", "core operations")),
            Step("v1.2.1-crash", ("Staging of v1.2.1-crash",), code=2),
        ),
        soak=True,
    ),
    "docs/validate_guide.md": Page(
        "validated",
        (
            Step("\nansible-playbook", ("The guide on",)),
            Step("\n$ ansible-playbook", ()),
        ),
        soak=True,
    ),
}

# Pages, or folders of pages, and the target that runs all their blocks, one after the other.
ELSEWHERE = {
    "docs/quickstart.md": "quickstart",
    "docs/guide/": "guide",
}

# Blocks whose commands another test runs with its own folders and addresses, by their page and words of theirs: its
# file, and words of it that stand for the command.
ALIKE = {
    ("docs/awx.md", "mcp.server.controller"): ("tests/plays/test_controller.py", "mcp.server.controller"),
    ("docs/ci.md", "mcp.server.ci_scaffold"): (
        "tests/integration/targets/mcp_scaffold/repositories.py",
        "ci_scaffold.yml",
    ),
    ("docs/fleets.md", "-l fleet"): ("tests/integration/targets/mcp_fleet/test_fleet.py", "bluegreen.yml"),
    ("roles/fleet/README.md", "-l fleet"): ("tests/integration/targets/mcp_fleet/test_fleet.py", "bluegreen.yml"),
    ("docs/execution-environment.md", "pip download"): ("sandbox/images.py", '"ansible-builder", "create"'),
    ("docs/dashboard.md", "sed 's/"): ("tests/unit/tools/test_dashboard.py", "sed"),
    ("docs/publishing.md", "build_artifact.py"): ("tests/package", "build_artifact.py"),
    ("docs/publishing.md", "release/release.yml"): ("tests/package", "release.yml"),
}

# The only blocks that no test runs, by their page and words of theirs, and why.
NOT_RUN = {
    ("docs/tour.md", "$ ansible-playbook"): "a recording; tests/tools/record_tour.py runs them, and others' tests do",
    ("docs/quickstart.md", "kind create cluster"): "the sandbox is the cluster, and has its gateway; kind needs Docker",
    ("README.md", "make demo"): "make test and make soak run these tests; make demo is run by docs/clusters.md",
    ("docs/awx.md", "curl -sSf"): "it asks an AWX, which can not be run here",
    ("docs/dashboard.md", "jq '{dashboard"): "it asks a Grafana, which is AGPL and not installed here",
    ("docs/execution-environment.md", "collection download"): "it needs Galaxy and a public base image",
    ("docs/execution-environment.md", "EE_BASE_IMAGE=registry"): "it needs Red Hat's registry, which is not reached",
    ("docs/execution-environment.md", "pip-compile"): "each run takes the newest versions of the day",
    ("docs/secrets.md", "collection install community.hashi_vault"): "it needs Galaxy, which is not reached from here",
}
