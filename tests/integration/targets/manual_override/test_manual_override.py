# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image built and released by hand while the registry is away and gates breach: only what is named is bypassed."""

from __future__ import annotations

import json
import re
import secrets
import typing as t

import pytest
from playing import CONFIG, kubectl, module, play, variables

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a namespace of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

OLD, NEW = "v1.1.5", "v1.2.0"
DATABASE = "postgresql://mcp_user:sandbox-only@postgresql.database.svc:5432/mcp"
DEAD = "http://127.0.0.1:9"
REASON = "The registry is away, and clients wait."
# Which breach at once, whatever the server does. The usual ones need more requests than there are here.
OFF = {"enabled": False}
GATES = {**dict.fromkeys(("errors", "latency_rise", "mcp_errors", "lost_sessions"), OFF)}
GATES["own_gate"] = {"query": "vector(5)", "limit": 1}
TRIGGERS = {**dict.fromkeys(("errors", "latency", "database", "memory"), OFF)}
TRIGGERS["own_trigger"] = {"query": "vector(5)", "limit": 1, "window": 1}


class Server(t.NamedTuple):
    """The server of this run, which exists while its tests run."""

    namespace: str
    inventory: tuple[str, ...]

    def play(self, playbook: str, **more: t.Any) -> tuple[int, str]:
        code, said = play(f"playbooks/{playbook}.yml", *self.inventory, "-e", json.dumps(more))
        return code, " ".join(said.split())

    def module(self, name: str, arguments: str = "", **options: t.Any) -> t.Any:
        where = {"namespace": self.namespace, "server": "overridden", "kubeconfig": CONFIG["admin_kubeconfig"]}
        return module(name, arguments, **where, **options)

    @property
    def record(self) -> t.Any:
        return self.module("mcp_release_info")["record"]

    @property
    def announcement(self) -> t.Any:
        """What would be announced now."""
        return self.module("mcp_announce", check=True)["announcement"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    namespace = f"override-try-{secrets.token_hex(3)}"
    database = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "database", "namespace": namespace},
        "stringData": {"DATABASE_URL": DATABASE},
    }
    its = variables(
        "overridden",
        f"{namespace}.{CONFIG['public_host']}",
        mcp_namespace=namespace,
        mcp_install_gateway={"name": "sandbox", "namespace": "projectcontour"},
        mcp_install_replicas=1,
        mcp_install_metrics_port=9090,
        mcp_install_ready_path="/ready",
        mcp_install_run_as_user=10001,
        mcp_install_pre_stop_seconds=1,
        mcp_install_termination_seconds=5,
        mcp_install_env_from=[{"secretRef": {"name": "database"}}],
        mcp_install_resources={"requests": {"cpu": "1m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        mcp_install_releasers=[
            {"kind": "ServiceAccount", "name": "mcp-releaser", "namespace": CONFIG["test_namespace"]}
        ],
        mcp_steps=[{"weight": 100, "seconds": 2}],
        mcp_warm_seconds=1,
        mcp_gates=GATES,
        mcp_triggers=TRIGGERS,
        mcp_escalation=[{"kind": kind, "name": f"for-{kind}"} for kind in ("deployment", "application")],
    )
    folder = tmp_path_factory.mktemp("inventory")
    file = folder / "overridden.yml"
    file.write_text(json.dumps({"overrides": {"hosts": {"overridden": its}}}))
    made = Server(namespace, ("-i", str(file), "-l", "overridden"))
    try:
        kubectl("create", "namespace", namespace)
        kubectl("apply", "-f", "-", stdin=json.dumps(database))
        code, said = made.play("install", version=OLD, mcp_kubeconfig=CONFIG["admin_kubeconfig"])
        assert code == 0, said
        yield made
    finally:
        kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the reference of an image that the role built and pushed, as it names it."""
    folder = tmp_path_factory.mktemp("build")
    registry = CONFIG["registry_url"].rpartition("/")[2]
    base = f"{registry}/{CONFIG['image'].partition('/')[2]}:{NEW}"
    (folder / "Containerfile").write_text(f'FROM {base}\nLABEL by="hand"\n')
    storage = folder / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    where = {"BUILDAH_ISOLATION": "chroot", "CONTAINERS_STORAGE_CONF": str(storage)}
    words = json.dumps({"mcp_build_context": str(folder), "mcp_build_tool": "buildah"})
    code, said = play("playbooks/build.yml", *server.inventory, "-e", words, "--check", **where)
    assert code == 0 and "buildah push" in said and "changed=0" in said, said
    code, said = play("playbooks/build.yml", *server.inventory, "-e", words, **where)
    found = re.search(r"-e mcp_image_ref=(\S+:manual-\d{10}@sha256:[0-9a-f]{64})", " ".join(said.split()))
    assert code == 0 and found, said
    return found[1]


def test_a_name_that_is_none_is_refused_with_the_list_of_names(server: Server) -> None:
    code, said = server.play("bluegreen", version=NEW, mcp_bypass="gates,latncy", mcp_reason=REASON)
    says = "mcp_bypass has 'latncy', which is no name of a check. Names are: preflight (registry,"
    assert code != 0 and says in said, said
    assert server.record is None


def test_a_registry_that_is_away_is_refused_without_a_bypass(server: Server) -> None:
    code, said = server.play("bluegreen", version=NEW, mcp_registry=DEAD)
    assert code != 0 and "127.0.0.1:9" in said and "1. Deployment issues: for-deployment" in said, said
    assert server.record is None


def test_what_is_not_named_still_rolls_back(server: Server) -> None:
    """The gate that breaches is bypassed, the trigger is not."""
    code, said = server.play(
        "bluegreen",
        version=NEW,
        mcp_prometheus={"url": CONFIG["prometheus_url"]},
        mcp_bypass="preflight, gates",
        mcp_reason=REASON,
        mcp_contract_check="false",  # as an extra variable: for this release alone
    )
    assert code != 0 and "was rolled back" in said and "own_trigger" in said, said
    assert "call 1. Application issues: for-application" in said, said
    found = server.record
    assert (found["outcome"], found["bypassed"], found["bypass_reason"]) == (
        "rolled_back",
        ["preflight", "gates", "contract"],
        REASON,
    )
    # A rollback announces it, too.
    assert server.announcement["bypassed"] == ["preflight", "gates", "contract"]


def test_a_release_by_hand_goes_through_and_says_so_until_the_next_clean_one(server: Server, built: str) -> None:
    code, said = server.play(
        "bluegreen",
        mcp_image_ref=built,
        mcp_registry=DEAD,
        mcp_prometheus={"url": CONFIG["prometheus_url"]},
        mcp_bypass=["preflight", "gates", "triggers.own_trigger"],
        mcp_reason=REASON,
    )
    told = f"bypassed preflight, gates, triggers.own_trigger; reason: {REASON}"
    assert code == 0 and told in said, said
    found = server.record
    assert (found["outcome"], found["to"]["image_ref"]) == ("succeeded", built)
    assert found["bypassed"] == ["preflight", "gates", "triggers.own_trigger"]
    assert server.announcement["bypass_reason"] == REASON
    assert server.announcement["bypassed_version"] in built

    code, said = server.play("bluegreen", version=NEW, mcp_force_version=NEW)
    assert code == 0, said
    assert "bypassed" not in server.record and server.announcement["bypassed"] == []
