# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_version_check
from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_version_check import Wanted, mismatches
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

REFERENCE = "ghcr.io/org/mcp-server:v1.2.0"
SHA, CHILD, OTHER = ("sha256:" + letter * 64 for letter in "abc")
WANTED = Wanted(Image.parse(REFERENCE), "v1.2.0", frozenset({SHA, CHILD}))
HEALTH, SERVER_INFO, BOTH = (
    replace(WANTED, compared=one) for one in (("health",), ("server_info",), ("health", "server_info"))
)


def pod(**more):
    found = {
        "name": "p",
        "image_ref": REFERENCE,
        "digest": SHA,
        "ready": True,
        "health_version": "1.2.0",
        "server_version": "2.3.0",
        "problem": None,
    }
    return {**found, **more}


def pool(*pods, image_ref=REFERENCE):
    return {"image_ref": image_ref, "replicas": len(pods), "ready": len(pods), "pods": list(pods)}


@pytest.mark.parametrize(
    ("case", "wanted", "found"),
    [
        (pool(pod(), pod(health_version="v1.2.0", digest=CHILD)), WANTED, []),
        (pool(pod(ready=False, digest=None, health_version=None), pod()), WANTED, []),
        (pool(pod(digest=OTHER)), Wanted(WANTED.image, "v1.2.0"), []),
        (pool(pod(), image_ref=f"{REFERENCE}@{SHA}"), WANTED, []),
        # As an admission webhook writes it: a mirror, with the digest, without the tag
        (pool(pod(image_ref=f"mirror:5000/mcp-server:v1.2.0@{SHA}"), image_ref=f"{REFERENCE}@{CHILD}"), WANTED, []),
        (pool(pod(image_ref=f"mirror:5000/ghcr/mcp-server@{SHA}")), WANTED, []),
        (pool(pod(image_ref=f"mirror:5000/other@{SHA}")), WANTED, ["Pod p has image mirror:5000/other@"]),
        (pool(pod(image_ref="mirror:5000/mcp-server:v1.2.0")), WANTED, ["Pod p has image mirror:5000/mcp-server:v1"]),
        (pool(), WANTED, ["The green pool has no ready pod."]),
        (
            pool(pod(), image_ref="ghcr.io/org/mcp-server:v1.1.5"),
            WANTED,
            [f"pool has image ghcr.io/org/mcp-server:v1.1.5, expected {REFERENCE}."],
        ),
        (pool(pod(), image_ref=f"{REFERENCE}@{OTHER}"), WANTED, ["pool has image"]),
        (pool(pod(), image_ref="NOT AN IMAGE"), WANTED, ["pool has image NOT AN IMAGE"]),
        (
            pool(pod(image_ref="ghcr.io/org/mcp-server:v1.1.5", digest=OTHER)),
            WANTED,
            ["Pod p has image ghcr.io/org/mcp-server:v1.1.5"],
        ),
        (
            pool(pod(digest=OTHER)),
            WANTED,
            [f"Pod p runs {OTHER}, but the registry has {SHA} or {CHILD} as {REFERENCE}: the tag was moved"],
        ),
        (pool(pod(digest=None)), WANTED, ["Pod p runs an image of unknown digest"]),
        (
            pool(pod(digest=OTHER), pod()),
            Wanted(WANTED.image, "v1.2.0"),
            [f"run different images of {REFERENCE}: {SHA}, {OTHER}"],
        ),
        (pool(pod(digest=None), pod()), Wanted(WANTED.image, "v1.2.0"), ["different images"]),
        # By digest only
        (pool(pod(health_version="1.1.5")), WANTED, []),
        (pool(pod(health_version=None, problem="GET /health returned 404.")), WANTED, []),
        (pool(pod(server_version="1.2.0")), SERVER_INFO, []),
        (pool(pod()), SERVER_INFO, ["Pod p reports version 2.3.0 in serverInfo, expected v1.2.0."]),
        (
            pool(pod(health_version="1.1.5")),
            BOTH,
            ["reports version 1.1.5, expected", "reports version 2.3.0 in serverInfo"],
        ),
        (pool(pod(health_version="1.1.5", ready=False), pod()), HEALTH, []),
        (pool(pod(health_version="1.1.5")), HEALTH, ["Pod p reports version 1.1.5, expected v1.2.0."]),
        (pool(pod(health_version=None)), HEALTH, ["Pod p reports no version, expected v1.2.0."]),
        (
            pool(pod(health_version=None, problem="GET /health is answered with HTML.")),
            HEALTH,
            ["reports no version: GET /health is answered with HTML."],
        ),
        (pool(pod(digest=OTHER, health_version="1.1.5")), HEALTH, ["Pod p runs", "Pod p reports"]),
    ],
)
def test_mismatches(case, wanted, found):
    sentences = mismatches("green", case, wanted)
    assert len(sentences) == len(found)
    for sentence, part in zip(sentences, found, strict=True):
        assert part in sentence
        assert sentence.endswith(".")


PARAMS = {
    "namespace": None,
    "server": None,
    "pool_name_format": "{server}-{pool}",
    "route": None,
    "container": None,
    "version": "v1.2.0",
    "image": "ghcr.io/org/mcp-server",
    "pool": None,
    "check_registry": True,
    "digests": False,
    "compare_version": [],
    "health_path": "/health",
    "auth": None,
    "endpoint": None,
    "timeout": 1.0,
}
IN_CLUSTER = {"namespace": "mcp-prod", "server": "mcp-server"}
PODS = "/api/v1/namespaces/mcp-prod/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/mcp-prod/deployments"


class Registry:
    url = "http://127.0.0.1:5000"

    def __init__(self, digest):
        self._digest = digest

    def digest(self, image):
        return self._digest

    def aliases(self, image):
        return {CHILD}


def cluster():
    """Of each pool a Deployment, a pod, and another pod on its way out."""
    api = ApiServer(pool_services("mcp-prod", "mcp-server"))
    for pool, image, digest in (("blue", "ghcr.io/org/mcp-server:v1.1.5", OTHER), ("green", REFERENCE, CHILD)):
        labels = {"app": "mcp-server", "pool": pool}
        spec = {"containers": [{"name": "mcp-server", "image": image}, {"name": "sidecar", "image": "x"}]}
        statuses = [
            {"name": "sidecar", "imageID": f"x@{SHA}"},
            {"name": "mcp-server", "image": "retagged:v1", "imageID": f"ghcr.io/org/mcp-server@{digest}"},
        ]
        status = {"containerStatuses": statuses, "conditions": [{"type": "Ready", "status": "True"}]}
        api.put(f"{DEPLOYMENTS}/mcp-server-{pool}", {"spec": {"replicas": 1, "template": {"spec": spec}}})
        api.put(f"{PODS}/{pool}-1", {"metadata": {"labels": labels}, "spec": spec, "status": status})
        api.put(
            f"{PODS}/{pool}-0", {"metadata": {"labels": labels, "deletionTimestamp": "x"}, "spec": {}, "status": {}}
        )
    return api


@pytest.fixture
def run(monkeypatch):
    def go(digest=SHA, said="1.2.0", **params):
        warnings = []
        monkeypatch.setattr(mcp_version_check, "registry_for", lambda image, params: Registry(digest))
        monkeypatch.setattr(mcp_version_check, "connect", lambda params: cluster())
        monkeypatch.setattr(
            mcp_version_check, "_ask", lambda *args: {"health_version": said, "server_version": "2.3.0"}
        )
        return mcp_version_check.run(Task({**PARAMS, **params}, warn=warnings.append)), warnings

    return go


def test_registry_only(run):
    result, _warnings = run()
    assert result == {
        "changed": False,
        "registry_image": {"image_ref": REFERENCE, "digest": SHA, "digests": [], "exists": True},
        "pools": {},
        "mismatches": [],
        "host_notes": [],
    }


def test_all_digests_of_the_image(run):
    result, _warnings = run(digests=True)
    assert result["registry_image"]["digests"] == [SHA, CHILD]


def test_not_in_the_registry(run):
    with pytest.raises(Failure, match=f"{REFERENCE} is not in the registry http://127.0.0.1:5000") as failure:
        run(digest=None)
    assert failure.value.evidence["registry_image"] == {
        "image_ref": REFERENCE,
        "digest": None,
        "digests": [],
        "exists": False,
    }


def test_what_runs_in_the_pools(run):
    result, _warnings = run(version=None, image=None, compare_version=["health", "server_info"], **IN_CLUSTER)
    assert result["registry_image"] == {"image_ref": None, "digest": None, "digests": [], "exists": None}
    assert result["pools"]["green"] == {
        "image_ref": REFERENCE,
        "replicas": 1,
        "ready": 1,
        "pods": [
            {
                "name": "green-1",
                "image_ref": REFERENCE,
                "digest": CHILD,
                "ready": True,
                "health_version": "1.2.0",
                "server_version": "2.3.0",
                "problem": None,
            }
        ],
    }
    assert result["pools"]["blue"]["pods"][0]["digest"] == OTHER


def test_a_platform_manifest_of_the_index_is_the_image(run):
    assert run(pool="green", **IN_CLUSTER)[0]["mismatches"] == []


def test_other_digests_are_asked_for_only_when_they_matter(run, monkeypatch):
    def aliases(_registry, _image):
        raise AssertionError

    monkeypatch.setattr(Registry, "aliases", aliases)
    assert run(digest=CHILD, pool="green", **IN_CLUSTER)[0]["mismatches"] == []
    with pytest.raises(AssertionError):
        run(pool="green", **IN_CLUSTER)


def test_a_pool_is_not_checked_against_an_empty_version(run):
    with pytest.raises(Failure, match="^version is empty"):
        run(version="", pool="green", **IN_CLUSTER)


def test_all_mismatches_at_once(run):
    with pytest.raises(Failure) as failure:
        run(pool="blue", said="1.1.5", compare_version=["health"], **IN_CLUSTER)
    assert len(failure.value.evidence["mismatches"]) == 3
    assert all(sentence in failure.value.msg for sentence in failure.value.evidence["mismatches"])


@pytest.mark.parametrize(
    ("compared", "found"),
    [([], None), (["health"], "reports version 1.1.5, expected"), (["server_info"], r"version 2\.3\.0 in serverInfo")],
)
def test_reported_versions_are_compared_only_when_asked_for(run, compared, found):
    asked = {"pool": "green", "said": "1.1.5", "compare_version": compared, **IN_CLUSTER}
    if found is None:
        assert run(**asked)[0]["pools"]["green"]["pods"][0]["health_version"] is None  # no pod was asked
        return
    with pytest.raises(Failure, match=found):
        run(**asked)


def test_a_health_document_is_compared_only_where_there_is_one(run):
    with pytest.raises(Failure, match="^compare_version has health, but there is no health document"):
        run(compare_version=["health"], health_path=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"version": 1.1},
            r"version is 1.1, which is a number and may have lost digits \(1.10 becomes 1.1\): put it in quotes",
        ),
        ({"version": 2026}, "version is 2026, which is a number"),
        ({"version": "v1.2.0\n"}, r"version is 'v1.2.0\\n': it must be the tag of an image"),
        ({"version": "v1.2.0+b1"}, "it must be the tag of an image"),
        ({"image": "ghcr.io/org/mcp-server:v1"}, "has a tag or digest"),
        ({"image": f"ghcr.io/org/mcp-server@{SHA}"}, "has a tag or digest"),
    ],
)
def test_bad_input(run, options, message):
    with pytest.raises(Failure, match=message):
        run(**options)


@pytest.mark.parametrize(
    "version", ["v1.2.0", "1.2.0", "v1.2.0-rc.1", "10.20.30", "1.1", "sha-abc1234", "2026-11", f"v1.2.0@{SHA}"]
)
def test_good_versions(run, version):
    result, warnings = run(version=version, compare_version=["health"])
    assert result["registry_image"]["image_ref"] == f"ghcr.io/org/mcp-server:{version}"
    assert ["is not compared with" in warning for warning in warnings] == (
        [True] if version in ("sha-abc1234", "2026-11") else []
    )


def test_a_digest_is_a_version(run):
    assert run(version=SHA)[0]["registry_image"]["image_ref"] == f"ghcr.io/org/mcp-server@{SHA}"


def test_a_moving_tag_is_warned_of(run):
    assert [warning[:30] for warning in run(version="latest")[1]][:1] == ["Version latest is a moving tag"]


def test_what_can_not_be_compared_is_not_and_is_said_once(run):
    image = "ghcr.io/org/mcp-server:sha-abc1234"
    assert (
        mismatches(
            "green",
            pool(pod(image_ref=image), pod(image_ref=image), image_ref=image),
            Wanted(Image.parse(image), "sha-abc1234"),
        )
        == []
    )
    with pytest.raises(Failure, match="sha-abc1234") as failure:  # the image is another one
        run(version="sha-abc1234", pool="green", **IN_CLUSTER)
    assert not any("reports version" in sentence for sentence in failure.value.evidence["mismatches"])
