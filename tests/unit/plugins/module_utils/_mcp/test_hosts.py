# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Host of requests to pods, against servers with the rules of the SDKs."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint, hosts, reasons
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.calls import Call
from ansible_collections.mcp.server.plugins.module_utils._mcp.probe import Settings, probe
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server import host_rules
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.host_rules import GO, RULES, Rule, guarded
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import (
    LEGACY,
    MODERN,
    SESSION,
    Handler,
    Scripted,
)

PUBLIC = "mcp.example.com"
ALL = [PUBLIC, "localhost:8080", "127.0.0.1:8080", "localhost"]


@pytest.mark.parametrize(
    ("status", "text", "refused"),
    [
        *((status, body, True) for status, body, _kind in (rule.refusal(PUBLIC) for rule in RULES.values())),
        (421, "", True),
        (403, "Host not allowed: mcp.example.com", True),
        (403, '{"error":"HOST_NOT_ALLOWED"}', True),
        (403, "Blocked hosts: mcp.example.com", True),  # Rails
        (403, 'Blocked request. This host ("mcp.example.com") is not allowed.', True),  # Vite
        (403, "only localhost may ask", True),
        (400, "<h2>Bad Request - Invalid Hostname</h2>", True),  # ASP.NET Core
        (400, "DisallowedHost at /mcp: Invalid HTTP_HOST header: 'mcp.example.com'.", True),  # Django
        (400, "The Host header is not allowed.", True),
        (400, "host mcp.example.com is not permitted", True),
        (403, "", False),
        (403, "Forbidden", False),
        (403, "Invalid Origin header", False),
        (403, "ghosts are not allowed", False),
        (403, "you may not use this tool from host 10.0.0.7", False),
        (403, '{"error": "forbidden", "resource": "https://mcp.host.example.com/mcp"}', False),
        (403, "<address>Apache Server at localhost Port 8080</address>", False),
        (403, "DNS rebinding protection", True),
        (403, "expected one of the allowed hosts", True),
        (403, f"{'x' * 5000} Invalid Host header", False),
        (400, '{"error": "the argument host is missing"}', False),
        (400, "Bad Request: Mcp-Session-Id header is required", False),
        (400, "Bad Request (400)", False),
        (401, "invalid host", False),
        (404, "invalid host", False),
        (500, "Invalid Host header", False),
        (200, "Invalid Host header", False),
    ],
)
def test_which_answers_refuse_the_host(status: int, text: str, refused: bool) -> None:
    assert reasons.refuses_host(Reply(status, text=text)) is refused


@pytest.mark.parametrize(
    ("given", "tried"),
    [
        ({"url": f"https://{PUBLIC}"}, ALL),
        ({"url": f"https://{PUBLIC}:8443/"}, [f"{PUBLIC}:8443", *ALL[1:]]),
        ({"url": "http://127.0.0.1:30080", "host": PUBLIC}, ALL),
        ({"host": PUBLIC}, ALL),
        ({"url": "http://localhost:8080"}, ALL[1:]),
        ({}, ALL[1:]),
        ({"url": f"https://{PUBLIC}", "pods": {"host": "weather:8080"}}, ["weather:8080"]),
        ({"pods": {"host": "weather"}}, ["weather"]),
        ({"pods": {"scheme": "http"}}, ALL[1:]),
    ],
)
def test_what_is_tried(given: dict[str, t.Any], tried: list[str], option: t.Any) -> None:
    assert endpoint.pod_hosts(option(**given), 8080) == tuple(tried)


def test_an_answer_that_asks_for_other_credentials_does_not_refuse_the_host() -> None:
    assert not reasons.refuses_host(Reply(403, text="Invalid Host header", authenticate="Bearer"))


HEALTH = Answering("/health", ("status == 'HEALTHY'",))


class Asking:
    """Probes pods that are one server."""

    def __init__(self, server: Scripted, option: dict[str, t.Any]) -> None:
        self._cluster = ApiServer()
        self._server = server
        self._option = option

    def __call__(self, pod: str = "a", group: str = "pool green", **settings: t.Any) -> dict[str, t.Any]:
        self._cluster.put(f"/api/v1/namespaces/mcp/pods/{pod}", {})
        self._cluster.ports[pod] = self._server.server_port
        one = endpoint.in_pod(self._cluster, "mcp", pod, 8080, self._option, group, HEALTH)
        return probe(one, Settings(**{"timeout": 5, "step_timeout": 5, "era": "auto", "health": True, **settings}))

    def asked(self) -> list[tuple[str, str]]:
        """Return what was asked since the last time, with its Host."""
        seen = [(key, headers["Host"]) for key, headers in self._server.seen]
        self._server.seen.clear()
        return seen


@pytest.fixture
def asking(option: t.Any) -> t.Callable[..., Asking]:
    def make(server: Scripted, **given: t.Any) -> Asking:
        return Asking(server, option(**(given or {"url": f"https://{PUBLIC}"})))

    return make


# What each of them is asked as in the end.
ACCEPTED = {**dict.fromkeys(RULES, "localhost:8080"), "typescript with a list": "127.0.0.1:8080"}


@pytest.mark.parametrize("scripts", [MODERN, LEGACY], ids=["modern", "legacy"])
@pytest.mark.parametrize("rule", RULES)
def test_localhost_where_the_public_host_is_refused(asking: t.Any, rule: str, scripts: dict[str, t.Any]) -> None:
    with Scripted(guarded(scripts, RULES[rule])) as server:
        found = asking(server)()
    assert found["healthy"], found["reason"]
    assert found["host"] == ACCEPTED[rule]
    assert server.seen[0][1]["Host"] == PUBLIC
    assert server.opened == set(server.ended)
    refusal = RULES[rule].refusal(PUBLIC)
    assert hosts.notes() == [
        f"Pool green refuses the Host {PUBLIC} over the port-forward ({refusal[0]} {reasons.quote(refusal[1])}) and is "
        f"asked as {ACCEPTED[rule]}. If it refuses that Host to clients too, allow it in the server's settings."
    ]


def test_pods_without_a_public_address(asking: t.Any) -> None:
    with Scripted(guarded(MODERN, host_rules.typescript_exact("localhost"))) as server:
        ask = asking(server, pods={"scheme": "http"})
        found = ask()
    assert (found["healthy"], found["host"]) == (True, "localhost")
    assert [host for _key, host in ask.asked()][:4] == ["localhost:8080", *ALL[1:]]
    (note,) = hosts.notes()
    assert note.endswith("and is asked as localhost.")


def test_a_server_that_accepts_the_public_host_gets_no_other(asking: t.Any) -> None:
    with Scripted(MODERN) as server:
        ask = asking(server)
        found = ask()
    assert (found["host"], found["requests"]) == (PUBLIC, 4)
    assert {host for _key, host in ask.asked()} == {PUBLIC}
    assert hosts.notes() == []


def test_what_was_accepted_is_remembered_for_the_pool_alone(asking: t.Any) -> None:
    with Scripted(guarded(MODERN, GO)) as server:
        ask = asking(server)
        first = ask("a")
        assert [host for _key, host in ask.asked()] == [PUBLIC, PUBLIC, *["localhost:8080"] * 3]
        assert ask("b")["requests"] == first["requests"] - 1
        assert {host for _key, host in ask.asked()} == {"localhost:8080"}
        ask("c", group="pool blue")
        assert ask.asked()[0][1] == PUBLIC
    assert [note.split(" refuses")[0] for note in hosts.notes()] == ["Pool blue", "Pool green"]


def test_a_pod_that_refuses_what_others_of_its_pool_accept(asking: t.Any) -> None:
    with Scripted(guarded(MODERN, GO)) as server:
        ask = asking(server)
        ask("a")
        server.scripts = guarded(MODERN, host_rules.python(PUBLIC))
        found = ask("b")
    assert (found["healthy"], found["host"]) == (True, PUBLIC)
    assert len(hosts.notes()) == 1


@pytest.mark.parametrize("era", ["auto", "modern", "legacy", "sse"])
def test_all_are_refused(asking: t.Any, era: str) -> None:
    with Scripted(guarded(MODERN, host_rules.python("elsewhere"))) as server:
        ask = asking(server)
        found = ask(health=False, era=era)
    assert not found["healthy"]
    assert (
        "returned 421 (Invalid Host header): the pod accepts none of the Hosts that were tried (mcp.example.com, "
        "localhost:8080, 127.0.0.1:8080, localhost); allow the first one in the server's settings "
        "(transport_security), or set endpoint.pods.host to one that it accepts" in found["reason"]
    )
    assert [host for _key, host in ask.asked()] == ALL  # once each, whatever the era
    assert hosts.notes() == []


def test_a_pod_that_refuses_all_is_asked_under_one_host_from_then_on_until_it_answers(asking: t.Any) -> None:
    refusing = guarded(MODERN, host_rules.python("elsewhere"))
    with Scripted(refusing) as server:
        ask = asking(server)

        def polled(pod: str = "a") -> tuple[str, list[str]]:
            found = ask(pod, health=False)
            assert not found["healthy"]
            return found["reason"], [host for _key, host in ask.asked()]

        polls = [polled() for _poll in range(3)]
        assert [asked for _reason, asked in polls] == [ALL, [PUBLIC], [PUBLIC]]
        assert len({reason for reason, _asked in polls}) == 1  # it still names all that were tried
        assert polled("b")[1] == ALL  # of the same pool

        server.scripts = MODERN
        assert ask(health=False)["host"] == PUBLIC
        ask.asked()
        server.scripts = refusing
        assert [polled()[1], polled()[1]] == [ALL, [PUBLIC]]


def test_each_path_of_a_pod_is_remembered_by_itself() -> None:
    one = hosts.Hosts("Pool green", ALL)
    one.accepts("localhost", {})
    one.refuses_all("a", "/mcp")
    others = ["localhost", *ALL[:3]]
    assert [one.to_try(*asked) for asked in (("a", "/mcp"), ("a", "/health"), ("b", "/mcp"))] == [
        [PUBLIC],
        others,
        others,
    ]
    one.answers("a", "/mcp")
    assert one.to_try("a", "/mcp") == others


def test_a_host_that_is_given_for_pods_is_never_replaced(asking: t.Any) -> None:
    with Scripted(guarded(MODERN, GO)) as server:
        ask = asking(server, url=f"https://{PUBLIC}", pods={"host": "weather:8080"})
        found = ask()
    assert "accepts none of the Hosts that were tried (weather:8080)" in found["reason"]
    assert {host for _key, host in ask.asked()} == {"weather:8080"}


def test_the_host_of_the_public_address_is_never_replaced(probed: t.Any) -> None:
    """Clients use no other."""
    with Scripted(guarded(MODERN, GO)) as server:
        found = probed(server.url, host=PUBLIC)
    assert "the server does not accept this Host; set endpoint.host" in found["reason"]
    assert {headers["Host"] for _key, headers in server.seen} == {PUBLIC}


def test_what_a_path_refuses_after_it_has_answered_is_not_asked_again(asking: t.Any) -> None:
    """A tool may have run."""

    def call(handler: Handler, message: t.Any) -> None:
        handler.answer(403, "the host weather-db may not be asked", "text/plain")

    with Scripted({**MODERN, "tools/call": call}) as server:
        ask = asking(server)
        found = ask(calls=[Call("forecast")])
    assert not found["healthy"]
    assert [key for key, _host in ask.asked()].count("tools/call") == 1


def test_a_session_that_was_opened_by_a_refused_request_is_ended(asking: t.Any) -> None:
    """The Python SDK up to 1.29 opens one."""

    def refuse(host: str) -> host_rules.Answer:
        return 421, "Invalid Host header", "text/plain"

    def leaking(handler: Handler, message: t.Any) -> None:
        if handler.headers["Host"] == PUBLIC:
            handler.answer(421, "Invalid Host header", "text/plain", Mcp_Session_Id="of-a-refusal")
        else:
            LEGACY["initialize"](handler, message)

    scripts = {**guarded(LEGACY, Rule(lambda host: True, refuse)), "initialize": leaking}
    with Scripted(scripts) as server:
        found = asking(server)(era="legacy")
    assert found["healthy"], found["reason"]
    assert server.opened == {"of-a-refusal", SESSION}
    assert set(server.ended) == server.opened


def test_what_follows_the_refusal_of_all_hosts_asks_under_one(asking: t.Any) -> None:
    def refuse(handler: Handler, message: t.Any) -> None:
        handler.answer(403, "Invalid Host header", "text/plain", Mcp_Session_Id=f"of-{handler.headers['Host']}")

    with Scripted({**LEGACY, "initialize": refuse, "DELETE": refuse}) as server:
        ask = asking(server)
        ask(health=False, era="legacy")
    assert [host for key, host in ask.asked() if key == "DELETE"] == [PUBLIC] * 4


def test_a_credential_that_is_repeated_is_not_in_the_note_even_in_part(
    asking: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_task, "_SECRETS", set())
    monkeypatch.setenv("WEATHER_TOKEN", "abcdefghijklmnopqrstuvwxyz0123456789")

    def refuse(host: str) -> host_rules.Answer:
        return (
            403,
            f"Invalid Host header {'.' * 60} Bearer abcdefghijklmnopqrstuvwxyz0123456789 {'.' * 60}",
            "text/plain",
        )

    with Scripted(guarded(MODERN, Rule(GO.accepts, refuse))) as server:
        found = asking(server)(credentials=credentials.read({"token_env": "WEATHER_TOKEN"}, lambda name: {}))
    assert found["healthy"], found["reason"]
    (note,) = hosts.notes()
    assert "Bearer ****" in note and "abcd" not in note


def test_the_order_does_not_lack_a_host_while_another_thread_learns() -> None:
    class Learning(str):
        """Compared once, it makes another Host the accepted one."""

        def __ne__(self, other: object) -> bool:
            one._accepted = "b"
            return str(self) != other

        __hash__ = str.__hash__

    one = hosts.Hosts("Pool green", ["a", Learning("c"), "b"])
    assert one.in_order() == ["a", "c", "b"]


def test_an_event_stream_of_http_sse(asking: t.Any) -> None:
    """Its GET is the first request that is refused, and its POSTs go where it says."""

    def stream(handler: Handler, message: t.Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.write(b"event: endpoint\ndata: /messages?session=1\n\n")
        for answer in answers(handler):
            handler.write(f"event: message\ndata: {json.dumps(answer)}\n\n".encode())
            handler.wfile.flush()
        handler.close_connection = True

    posted: list[dict[str, t.Any]] = []

    def answers(handler: Handler) -> t.Iterator[dict[str, t.Any]]:
        results = {
            "initialize": {
                "protocolVersion": "2024-11-05",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "weather", "version": "1"},
            },
            "tools/list": {"tools": []},
        }
        told = 0
        while told < len(results):
            wanted = [one for one in posted if one["method"] in results]
            for one in wanted[told:]:
                told += 1
                yield {"jsonrpc": "2.0", "id": one["id"], "result": results[one["method"]]}

    def post(handler: Handler, message: t.Any) -> None:
        posted.append(message)
        handler.answer(202)

    methods = dict.fromkeys(("initialize", "notifications/initialized", "tools/list"), post)
    with Scripted(guarded({"GET": stream, **methods}, GO)) as server:
        ask = asking(server)
        found = ask(health=False, era="sse")
    assert found["healthy"], found["reason"]
    assert ask.asked()[:3] == [("GET", PUBLIC), ("GET", "localhost:8080"), ("initialize", "localhost:8080")]
