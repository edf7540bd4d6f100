# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.mcp.server.plugins.module_utils._status import drift
from ansible_collections.mcp.server.tests.unit.fakes.records import release

NAMES = {"blue": ["mcp-blue"], "green": ["mcp-green"]}
CONTAINERS = {"blue": "mcp", "green": "mcp"}
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def workload(pool, image="x:v1"):
    container = {
        "name": "mcp",
        "image": image,
        "env": [{"name": "POOL", "value": pool}, {"name": "TOKEN", "value": "planted-secret"}],
        "resources": {"limits": {"memory": "256Mi"}},
        "ports": [{"containerPort": 8080}],
    }
    labels = {"app": "mcp", "pool": pool}
    return {"spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}


def between(change=lambda container, template: None):
    both = {pool: copy.deepcopy(workload(pool, f"x:{pool}")) for pool in ("blue", "green")}
    template = both["green"]["spec"]["template"]
    change(template["spec"]["containers"][0], template)
    return drift.between_pools(both, NAMES, CONTAINERS)


def test_the_image_and_what_names_the_pool_may_differ():
    assert between() == []
    assert between(lambda container, template: template["spec"].update(serviceAccountName=None)) == []
    note = {"kubectl.kubernetes.io/restartedAt": "2026-11-27T21:00:00Z"}
    assert between(lambda container, template: template["metadata"].update(annotations=note)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda container, template: container["resources"]["limits"].update(memory="128Mi"),
            "Pools differ in spec.containers.mcp.resources.limits.memory: blue 256Mi, green 128Mi.",
        ),
        (
            lambda container, template: container["env"][1].update(value="planted-other"),
            "Pools differ in spec.containers.mcp.env.TOKEN.value: blue (set), green (set).",
        ),
        (
            lambda container, template: container["env"].pop(),
            "Pools differ in spec.containers.mcp.env.TOKEN: blue (set), green (missing).",
        ),
        (
            lambda container, template: template["spec"]["containers"].append({"name": "proxy", "image": "y"}),
            "Pools differ in spec.containers.proxy: blue (missing), green (set).",
        ),
        (
            lambda container, template: container.update(livenessProbe={"httpGet": {"port": 8080}}),
            "Pools differ in spec.containers.mcp.livenessProbe: blue (missing), green (set).",
        ),
    ],
)
def test_other_differences(change, sentence):
    assert between(change) == [sentence]


def test_a_side_car_of_another_image_is_a_difference():
    both = {pool: copy.deepcopy(workload(pool)) for pool in ("blue", "green")}
    for pool, tag in (("blue", "1"), ("green", "2")):
        both[pool]["spec"]["template"]["spec"]["containers"].append({"name": "proxy", "image": f"y:{tag}"})
    (sentence,) = drift.between_pools(both, NAMES, CONTAINERS)
    assert "proxy.image: blue y:1, green y:2" in sentence


def test_a_label_of_any_name_may_name_the_pool():
    both = {pool: copy.deepcopy(workload(pool, f"x:{pool}")) for pool in ("blue", "green")}
    for pool, side in (("blue", "b"), ("green", "g")):
        both[pool]["spec"]["template"]["metadata"]["labels"] = {"app": "mcp", "side": side, "tier": pool[0]}
        both[pool]["spec"]["selector"] = {"matchLabels": {"app": "mcp", "side": side}}
    assert drift.between_pools(both, NAMES, CONTAINERS) == []


def test_where_nobody_knows_the_servers_container_no_image_is_a_difference():
    both = {pool: copy.deepcopy(workload(pool, f"x:{pool}")) for pool in ("blue", "green")}
    assert drift.between_pools(both, NAMES, {"blue": "", "green": ""}) == []
    assert len(drift.between_pools(both, NAMES, {"blue": "other", "green": "other"})) == 1


def test_many_differences_are_counted():
    found = between(lambda container, template: template["spec"].update({f"field{n}": n for n in range(20)}))
    assert len(found) == 9 and found[-1] == "Pools differ in 12 more fields."


def test_one_pool_alone_has_no_drift():
    assert drift.between_pools({"blue": workload("blue")}, NAMES, CONTAINERS) == []
    assert drift.between_pools({"blue": workload("blue"), "green": {}}, NAMES, CONTAINERS) == []


@pytest.mark.parametrize(
    ("recorded", "live", "image_ref", "digests", "words"),
    [
        (None, "blue", "x:v1", {A}, None),
        (release("succeeded"), "green", "x:v1.2.0", set(), None),
        (release("succeeded"), "green", "mirror/x:v1.2.0@" + A, {A}, None),
        (release("succeeded"), "green", "x:v1.3.0", {A}, "has image x:v1.3.0, but the record has x:v1.2.0"),
        (release("succeeded"), "blue", "x:v1.1.5", {A}, "Pool blue is live, but the newest release"),
        (release("rolled_back"), "blue", "x:v1.1.5", {"sha256:aa"}, None),
        (release("rolled_back"), "blue", "x:v1.1.5", {A}, "the tag was moved"),
        (release("rolled_back"), "blue", "x:v1.1.5@sha256:aa", {A}, None),
        (release("rolled_back"), "blue", None, set(), None),
        (release("running"), "blue", "x:v9", {A}, None),
        (release("failed"), "blue", "x:v9", {A}, None),
    ],
)
def test_the_record(recorded, live, image_ref, digests, words):
    found = drift.from_record(recorded, live, image_ref, digests)
    assert (words is None and found == []) or (words and words in found[0])


def test_pods_of_one_pool():
    assert drift.of_pods("blue", {A}) == drift.of_pods("blue", set()) == []
    (sentence,) = drift.of_pods("blue", {B, A})
    assert sentence.startswith("The pods of pool blue run different images: sha256:a")
