# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer

PARAMS = {"namespace": "prod", "server": "mcp", "pool_name_format": "{server}-{pool}", "route": None, "container": None}


def test_names():
    server = Server.from_params({**PARAMS, "pool_name_format": "{pool}.{server}", "container": "app"})
    assert (server.service("blue"), server.workload("green"), server.route, server.container) == (
        "blue.mcp",
        "green.mcp",
        "mcp",
        "app",
    )


@pytest.mark.parametrize(
    "params, says",
    [
        ({"server": "Mcp"}, "server gives 'Mcp'"),
        ({"route": "../secrets"}, "route gives"),
        ({"namespace": ""}, "namespace gives ''"),
        ({"pool_name_format": "{server}"}, "must contain {pool}"),
        ({"pool_name_format": "{server}-{pool}-{x}"}, "pool_name_format gives 'mcp-blue-{x}'"),
    ],
)
def test_names_that_cannot_be(params, says):
    with pytest.raises(Failure, match=says):
        Server.from_params({**PARAMS, **params})


@pytest.mark.parametrize(
    "params, blue, green",
    [
        ({}, ("Deployment mcp-blue", "mcp-blue"), ("Deployment mcp-green", "mcp-green")),
        ({"blue": "weather"}, ("Deployment weather", "weather"), ("Deployment mcp-green", "mcp-green")),
        (
            {"blue": {"stateful_set": "weather"}, "green": {"stateful_set": "weather", "service": "w"}},
            None,
            None,
        ),
        (
            {"blue": {"stateful_set": "w", "service": "a"}, "green": {"deployment": "w", "service": "b"}},
            ("StatefulSet w", "a"),
            ("Deployment w", "b"),
        ),
        # Where both have other names, the format is not needed
        (
            {"blue": "weather", "green": "weather-green", "pool_name_format": "{server}"},
            ("Deployment weather", "weather"),
            ("Deployment weather-green", "weather-green"),
        ),
    ],
)
def test_the_objects_of_the_pools(params, blue, green):
    if blue is None:
        with pytest.raises(Failure, match="both have StatefulSet weather: each pool needs its own"):
            Server.from_params({**PARAMS, **params})
        return
    server = Server.from_params({**PARAMS, **params})
    found = [(server.objects(pool).title, server.service(pool)) for pool in ("blue", "green")]
    assert found == [blue, green]


@pytest.mark.parametrize(
    "params, says",
    [
        ({"blue": "mcp-green"}, "both have Deployment mcp-green and Service mcp-green: each pool needs its own"),
        ({"blue": {"service": "mcp-green"}}, "both have Service mcp-green: each pool needs its own"),
        ({"blue": "weather", "green": {"deployment": "weather"}}, "both have Deployment weather"),
        ({"green": {"name": "x"}}, r"green \(mcp_green\) has no key 'name'"),
        ({"port": 0}, r"port \(mcp_port\) is 0"),
        ({"port": 70000}, "it must be from 1 to 65535"),
    ],
)
def test_objects_that_cannot_be(params, says):
    with pytest.raises(Failure, match=says):
        Server.from_params({**PARAMS, **params})


SERVICE = "/api/v1/namespaces/prod/services/mcp-blue"


def service(**spec):
    return {SERVICE: {"spec": {"selector": {"track": "a"}, "ports": [{"port": 80, "targetPort": "web"}], **spec}}}


def workload(*containers):
    found = [{"name": name, "image": f"r.io/{name}", "ports": list(ports)} for name, *ports in containers]
    return {"spec": {"replicas": 3, "template": {"spec": {"containers": found}}}}


WEB, SIDE = {"name": "web", "containerPort": 3000}, {"name": "side", "containerPort": 9999}


@pytest.mark.parametrize(
    "params, containers, name, reads",
    [
        ({}, [("api",)], "api", 0),
        ({}, [("api", SIDE)], "api", 0),  # the only one
        ({"container": "logs"}, [("logs", SIDE), ("api", WEB)], "logs", 0),
        ({}, [("logs", SIDE), ("api", WEB)], "api", 1),
        ({"port": 9999}, [("logs", SIDE), ("api", WEB)], "logs", 0),
        ({}, [("logs", SIDE), ("mcp", SIDE)], "mcp", 1),  # none has the port, one has the name
        ({}, [("logs",), ("mcp", WEB)], "mcp", 1),
    ],
)
def test_the_server_s_container(params, containers, name, reads):
    api = ApiServer(service())
    server = Server.from_params({**PARAMS, **params})
    assert server.container_in(api, workload(*containers), "blue") == name
    assert server.deployed(api, workload(*containers), "blue") == (f"r.io/{name}", 3)
    assert len(api.log) == reads


@pytest.mark.parametrize(
    "params, containers, objects, says",
    [
        ({"container": "x"}, [("api",), ("logs",)], service(), "has the containers api, logs and no x: set container"),
        ({}, [("api",), ("logs",)], service(), "has the containers api, logs, and none is the only one with the port"),
        ({}, [("api", WEB), ("logs", WEB)], service(), "none is the only one with the port that Service mcp-blue"),
        ({}, [("api",), ("logs",)], {}, "and none is the only one"),
        ({}, [], service(), "has the containers none"),
        # A proxy before the server, which must not get the server's image
        (
            {},
            [("proxy", WEB), ("mcp", SIDE)],
            service(),
            "leads to proxy, but mcp has the server's name; set container",
        ),
    ],
)
def test_a_container_that_cannot_be_told(params, containers, objects, says):
    server = Server.from_params({**PARAMS, **params})
    with pytest.raises(Failure, match=says):
        server.container_in(ApiServer(objects), workload(*containers), "blue")


def pod(*ports):
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "api", "ports": list(ports)}]}}


@pytest.mark.parametrize(
    "params, spec, found",
    [
        ({"port": 5}, {}, 5),
        ({}, {}, 3000),
        ({}, {"ports": [{"port": 80, "targetPort": 4000}]}, 4000),
        ({}, {"clusterIP": "None"}, 3000),  # headless
        ({}, {"ports": [{"name": "a", "port": 80, "targetPort": "web"}, {"name": "b", "port": 3000}]}, 3000),
    ],
)
def test_the_port_of_a_pod(params, spec, found):
    server = Server.from_params({**PARAMS, **params})
    assert server.port_in(ApiServer(service(**spec)), pod(WEB, SIDE), "blue") == found


def test_the_name_of_a_port_may_stand_for_another_number_in_each_version():
    api, server = ApiServer(service()), Server.from_params(PARAMS)
    assert [server.port_in(api, pod({"name": "web", "containerPort": port}), "blue") for port in (3000, 4000)] == [
        3000,
        4000,
    ]
    assert len(api.log) == 1


@pytest.mark.parametrize(
    "spec, says",
    [
        ({"ports": [{"port": 80, "targetPort": "x"}]}, "leads to the port 'x', which no container of pod p has"),
        (
            {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]},
            r"Service prod/mcp-blue has the ports a \(80\), b \(81\), and none is named mcp or http: set port",
        ),
        ({"ports": []}, "has the ports none"),
    ],
)
def test_a_port_that_cannot_be_told(spec, says):
    with pytest.raises(Failure, match=says):
        Server.from_params(PARAMS).port_in(ApiServer(service(**spec)), pod(WEB), "blue")


@pytest.mark.parametrize(
    "objects, says",
    [
        ({}, r"Service prod/mcp-blue does not exist: .* in blue \(mcp_blue\)"),
        (service(selector=None), "Service prod/mcp-blue has no selector"),
        (service(type="ExternalName", selector=None), "Service prod/mcp-blue is an ExternalName"),
    ],
)
def test_a_service_that_selects_no_pods(objects, says):
    with pytest.raises(Failure, match=says):
        Server.from_params(PARAMS).pods(ApiServer(objects), "blue")


def test_the_pods_of_a_pool_and_their_digests():
    digest = "sha256:" + "a" * 64
    pods = {
        f"/api/v1/namespaces/prod/pods/{name}": {
            "metadata": {"labels": labels},
            "status": {"containerStatuses": [{"name": "api", "ready": True, "imageID": f"r.io/x@{digest}"}]},
        }
        for name, labels in {
            "a": {"track": "a", "x": "y"},
            "b": {"track": "b"},
            "c": {"app": "mcp", "pool": "blue"},
        }.items()
    }
    deployment = {"/apis/apps/v1/namespaces/prod/deployments/mcp-blue": workload(("api",))}
    api, server = ApiServer({**service(), **deployment, **pods}), Server.from_params(PARAMS)
    assert server.digests(api, "blue") == {"a": digest}
