# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases and emergencies beside Flux itself, which applies the server's route, Deployments and Services every few
seconds.
"""

from __future__ import annotations

import json
import re
import time
import typing as t
from datetime import datetime
from pathlib import Path

import pytest
from fluxing import INTERVAL, NAMESPACE, Flux, Kustomization, controller
from playing import CONFIG, kubectl, module, play, rest, running, until, variables
from small_servers import Place, Small, manifests, small_servers
from soaking import soak

pytestmark = [
    soak,  # Flux's build takes minutes; the loops of `other_writers` are the twin
    pytest.mark.skipif(
        not CONFIG["admin_kubeconfig"],
        reason="runs Flux, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
    ),
]

PLACE = Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])
BLUE, GREEN = {"blue": 100, "green": 0}, {"blue": 0, "green": 100}
ALL = ["route", "image", "replicas"]
FOUND_WITHIN = 10  # seconds after Flux put something back
STEPS = [{"weight": 10, "seconds": 15}, {"weight": 100, "seconds": 5}]


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Flux]:
    with controller(tmp_path_factory.mktemp("flux")) as running_one:
        yield running_one


class Held:
    """A small server that Flux holds."""

    def __init__(self, server: Small, kustomization: Kustomization, folder: Path) -> None:
        self.server, self.kustomization = server, kustomization
        self.suspend = f"flux suspend kustomization {kustomization.name} -n {NAMESPACE}"
        self._inventory = folder / "flux.yml"

    def manifests(
        self, change: t.Callable[[dict[str, t.Any]], t.Any] = lambda _object: None, **labels: str
    ) -> list[dict[str, t.Any]]:
        """Return what Git has: the server as it was made, each object changed by this, with these labels."""
        objects = manifests(self.server, NAMESPACE, self.server.name.rpartition("-")[2], {})
        for one in objects:
            one["metadata"]["labels"] |= labels
            change(one)
        return objects

    def inventory(self, *ignores: str, **more: t.Any) -> tuple[str, ...]:
        its = {
            "mcp_inconclusive_timeout": 60,
            "mcp_steps": STEPS,
            "mcp_warm_seconds": 1,
            "mcp_gitops_ignores": list(ignores),
            **more,
        }
        hosts = {"held": variables(self.server.name, self.server.host, **its)}
        self._inventory.write_text(json.dumps({"flux": {"hosts": hosts}}))
        return ("-i", str(self._inventory), "-l", "flux")

    def release(self, *ignores: str, **more: t.Any) -> tuple[int, str]:
        code, output = play(
            "playbooks/bluegreen.yml", *self.inventory(*ignores, **more), "-e", "version=v1.2.0", seconds=400
        )
        return code, " ".join(output.split())

    @property
    def route(self) -> dict[str, t.Any]:
        return _get("httproute", self.server.name)

    @property
    def weights(self) -> dict[str, int]:
        return module("mcp_release_info", server=self.server.name)["weights"]

    @property
    def outcome(self) -> str:
        return module("mcp_release_info", server=self.server.name)["record"]["outcome"]

    def pool(self, name: str) -> tuple[int, str]:
        """Return a pool's size and the tag that it runs."""
        spec = _get("deployment", f"{self.server.name}-{name}")["spec"]
        image_ref = spec["template"]["spec"]["containers"][0]["image"]
        return spec["replicas"], image_ref.partition("@")[0].rpartition(":")[2]

    def own(self, manager: str) -> None:
        """Have a field manager own what a release writes, with the values that it has, beside whoever owns it now."""
        rules = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "spec": {"rules": self.route["spec"]["rules"]},
        }
        sizes = [
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": self.pool(name)[0]}}
            for name in ("blue", "green")
        ]
        for one, name in zip([rules, *sizes], ["", "-blue", "-green"], strict=True):
            one["metadata"] = {"name": f"{self.server.name}{name}", "namespace": NAMESPACE}
            kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=json.dumps(one))


def _get(kind: str, name: str) -> dict[str, t.Any]:
    return json.loads(kubectl("-n", NAMESPACE, "get", kind, name, "-o", "json"))


@pytest.fixture
def held(flux: Flux, tmp_path: Path) -> t.Iterator[Held]:
    with small_servers(PLACE, ["flux"], seconds=120) as servers:
        server = servers["flux"]
        with flux.kustomization(server.name) as kustomization:
            yield Held(server, kustomization, tmp_path)


def ignore(held: Held, *choices: str) -> list[dict[str, t.Any]]:
    """Return the rules of docs/gitops.md for Flux 2.9 and newer."""
    paths = {"route": "/spec/rules", "image": "/spec/template/spec/containers/0/image", "replicas": "/spec/replicas"}
    rules = {"HTTPRoute": [paths[choice] for choice in choices if choice == "route"]}
    rules["Deployment"] = [paths[choice] for choice in choices if choice != "route"]
    return [
        {"target": {"kind": kind, "name": f"{held.server.name}.*"}, "paths": paths}
        for kind, paths in rules.items()
        if paths
    ]


def test_before_a_release_it_is_named_with_the_command_that_suspends_it(held: Held) -> None:
    held.kustomization.apply(held.manifests())
    refused = module("mcp_preflight", server=held.server.name, fails=True)["msg"]
    assert "Flux (kustomize-controller) sets spec.rules of HTTPRoute" in refused and held.suspend in refused
    assert "replicas of Deployment" in refused and "image of Deployment" in refused
    code, said = held.release()
    assert code != 0 and held.suspend in said and "Traceback" not in said
    assert held.weights == BLUE and held.pool("green")[0] == 0, "nothing was deployed"


def test_a_route_that_it_puts_back_ends_the_release(held: Held) -> None:
    """The inventory promises more than Flux was told."""
    held.kustomization.apply(held.manifests(), ignore=ignore(held, "image", "replicas"))
    code, said = held.release(*ALL)
    assert code != 0, said
    assert "backendRefs" in named(held, said) and held.outcome == "rolled_back"
    assert held.weights == BLUE and held.pool("blue") == (1, "v1.1.5") and held.pool("green") == (1, "v1.2.0"), (
        "nothing is scaled"
    )


def test_an_image_that_it_puts_back_in_a_step_ends_the_release(held: Held) -> None:
    held.kustomization.apply(held.manifests(), ignore=ignore(held, *ALL))
    with running("playbooks/bluegreen.yml", *held.inventory(*ALL), "-e", "version=v1.2.0") as process:
        said = until(process, "green 10 %: measured")
        held.kustomization.set(ignore=ignore(held, "route", "replicas"))
        said = " ".join((said + rest(process)).split())
    assert process.returncode != 0, said
    assert named(held, said).endswith("image") and held.outcome == "rolled_back"
    assert held.weights == BLUE and held.pool("blue") == (1, "v1.1.5") and held.pool("green")[0] == 1, (
        "nothing is scaled"
    )


def test_an_image_that_it_puts_back_before_the_first_step_ends_the_release(held: Held) -> None:
    held.kustomization.apply(held.manifests(), ignore=ignore(held, "route", "replicas"))
    code, said = held.release(*ALL)
    assert code != 0, said
    assert named(held, said).endswith("image") and held.outcome != "succeeded"
    assert held.weights == BLUE and held.pool("blue") == (1, "v1.1.5")


def named(held: Held, said: str) -> str:
    """Return the field that a release which was overwritten names, after Flux and how to suspend it, soon enough."""
    assert held.suspend in said and "Traceback" not in said, said
    found = re.search(r"\(seen at (\S+) UTC\): Flux \(kustomize-controller, (\S+) UTC\) reverted ([^;\s]+)", said)
    assert found, said
    seen, put_back = (datetime.strptime(found[number], "%H:%M:%S") for number in (1, 2))
    assert (seen - put_back).total_seconds() % 86400 <= FOUND_WITHIN
    return found[3]


def test_what_a_rule_leaves_out_is_left_alone(held: Held) -> None:
    """Flux 2.9: spec.ignore. A new commit, even of the same objects, takes nothing back."""
    held.kustomization.apply(held.manifests(), ignore=ignore(held, *ALL))
    released(held, *ALL)
    held.kustomization.apply(held.manifests(commit="2"), ignore=ignore(held, *ALL))
    still_released(held)
    assert held.route["metadata"]["labels"]["commit"] == "2"


def test_what_is_marked_as_only_to_be_made_is_left_alone(held: Held) -> None:
    """Flux 2.1: the annotation ssa, in the manifests, when the objects are there already."""

    def mark(one: dict[str, t.Any]) -> None:
        if one["kind"] != "Service":
            one["metadata"]["annotations"] = {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}

    held.kustomization.apply(held.manifests())
    held.kustomization.apply(held.manifests(mark))
    released(held, *ALL)
    held.kustomization.apply(held.manifests(mark, commit="2"))
    still_released(held)
    assert "commit" not in held.route["metadata"]["labels"], "nothing of Git reaches such an object any more"


@pytest.mark.parametrize(
    ("mark", "kept"), [("reconcile=disabled", True), ("ssa=Ignore", True), ("ssa=IfNotPresent", False)]
)
def test_a_mark_on_the_route_itself_is_read_as_flux_reads_it(held: Held, mark: str, kept: bool) -> None:
    """IfNotPresent counts in the manifest only."""
    held.kustomization.apply(held.manifests())
    kubectl("-n", NAMESPACE, "annotate", "httproute", held.server.name, f"kustomize.toolkit.fluxcd.io/{mark}")
    refused = module("mcp_preflight", server=held.server.name, fails=True)["msg"]
    assert ("spec.rules" in refused) is not kept
    patch = [
        {"op": "replace", "path": f"/spec/rules/0/backendRefs/{number}/weight", "value": weight}
        for number, weight in enumerate((90, 10))
    ]
    words = (
        "patch",
        "httproute",
        held.server.name,
        "--type=json",
        "--field-manager=mcp.server",
        "-p",
        json.dumps(patch),
    )
    kubectl("-n", NAMESPACE, *words)
    time.sleep(3 * INTERVAL)
    assert held.weights == ({"blue": 90, "green": 10} if kept else BLUE)


def leave_out(one: dict[str, t.Any]) -> None:
    one.get("spec", {}).pop("rules" if one["kind"] == "HTTPRoute" else "replicas", None)


def test_what_is_in_no_manifest_is_left_alone_once_somebody_else_owns_it(held: Held) -> None:
    held.kustomization.apply(held.manifests())
    held.own("mcp-handover")
    # Flux does not write what looks the same, and stays the owner of what is in its manifests no more: hence a label.
    held.kustomization.apply(held.manifests(leave_out, commit="1"), ignore=ignore(held, "image"))
    assert held.weights == BLUE and held.pool("blue")[0] == 1 and held.pool("green")[0] == 0
    # The image has to be in the manifest; of the others managedFields tell that Flux leaves them alone.
    released(held, "image")
    held.kustomization.apply(held.manifests(leave_out, commit="2"), ignore=ignore(held, "image"))
    still_released(held)


def test_what_nobody_else_owns_is_lost_when_it_is_left_out(held: Held) -> None:
    """Why docs/gitops.md says to hand it over first."""
    held.kustomization.apply(held.manifests())
    held.kustomization.apply(held.manifests(leave_out))
    assert held.pool("green")[0] == 1, "the size is the API server's default"
    assert "backendRefs" not in json.dumps(held.route["spec"]["rules"]), "the route leads nowhere"


def test_while_it_is_suspended_a_release_is_like_any_other(held: Held) -> None:
    held.kustomization.apply(held.manifests())
    held.kustomization.set(suspend=True)
    released(held, *ALL)


def test_an_emergency_writes_again_until_it_is_suspended(held: Held) -> None:
    """Git says green, which is bad."""

    def green(one: dict[str, t.Any]) -> None:
        if one["kind"] == "HTTPRoute":
            for backend, weight in zip(one["spec"]["rules"][0]["backendRefs"], (0, 100), strict=True):
                backend["weight"] = weight
        elif one["kind"] == "Deployment":
            one["spec"]["replicas"] = 1

    held.kustomization.apply(held.manifests(green))
    kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{held.server.name}-green", "--timeout=120s")
    words = ("-e", "mcp_rollback_pool=blue", "-e", f"mcp_rollback_verify_seconds={4 * INTERVAL}")
    with running("playbooks/rollback.yml", *held.inventory(), *words) as process:
        said = until(process, "writing the weights again", times=2)
        assert held.suspend in said, said
        held.kustomization.set(suspend=True)
        said += rest(process)
    assert process.returncode == 0, said
    assert held.weights == BLUE and held.pool("green")[0] == 1, "the bad pool's size belongs to Flux"


def released(held: Held, *ignores: str) -> None:
    code, said = held.release(*ignores)
    assert code == 0, said
    still_released(held)


def still_released(held: Held) -> None:
    time.sleep(2 * INTERVAL)  # as often as Flux needs to put something back
    assert (held.weights, held.outcome) == (GREEN, "succeeded")
    assert held.pool("green") == (1, "v1.2.0")
