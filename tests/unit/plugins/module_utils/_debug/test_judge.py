# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug import judge
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Probe
from ansible_collections.mcp.server.plugins.module_utils._debug.script import MISSING, Step
from ansible_collections.mcp.server.plugins.module_utils._mcp import protocol

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
BIND = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n"
BUSYBOX = "Server:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n"

REFUSED = "the connection was refused: nothing listens there, or no pod is ready"


def step(tool: str, code: int, output: str = "", errors: str = "", name: str = "x", probe: int = 0) -> Step:
    return Step(probe, name, tool, code, 0.25, output, errors)


def answer(status: int, body: str, *headers: str) -> str:
    return "\r\n".join((f"HTTP/1.1 {status} Words", *headers, "", body))


def of(kind: str, *steps: Step) -> tuple[bool, str]:
    found = judge.outcome(Probe(kind, "target"), steps)
    assert found.seconds == 0.25 * len(steps)
    return found.ok, found.detail


@pytest.mark.parametrize(
    ("found", "ok", "detail"),
    [
        (step("getent", 0, "10.1.2.3 STREAM a\n10.1.2.3 DGRAM\n10.1.2.4 STREAM\n"), True, "10.1.2.3, 10.1.2.4"),
        (
            step("getent", 0, "".join(f"10.0.0.{at} STREAM\n" for at in range(6))),
            True,
            "10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2 more",
        ),
        (step("getent", 0, ""), False, "the name does not resolve"),
        (step("getent", 2), False, "the name does not resolve"),
        (step("getent", 124), False, "no name server answers within the time"),
        (
            step("nslookup", 0, f"{BIND}Name:\ta\nAddress: 10.1.2.3\nName:\ta\nAddress: fd00::3\n"),
            True,
            "10.1.2.3, fd00::3",
        ),
        (step("nslookup", 0, f"{BUSYBOX}Name:      a\nAddress 1: 10.1.2.3 a.svc\n"), True, "10.1.2.3"),
        (step("nslookup", 1, f"{BIND}** server can't find a: NXDOMAIN\n"), False, "the name does not exist"),
        (
            step("nslookup", 1, f"{BIND}** server can't find a: SERVFAIL\n"),
            False,
            "the name server refuses or cannot answer",
        ),
        (
            step("nslookup", 1, ";; connection timed out; no servers could be reached\n"),
            False,
            "no name server answers",
        ),
        (
            step("nslookup", 1, BUSYBOX, "nslookup: can't resolve 'a': Name does not resolve"),
            False,
            "the name does not exist",
        ),
        (step("nslookup", 0, f"{BIND}*** Can't find a: No answer\n"), False, "the name has no address"),
        (step("nslookup", 3, "", "\x1b[2Jodd"), False, "it failed ([2Jodd)"),
        (step("", MISSING), False, "the tool is missing in the debug image: getent or nslookup"),
    ],
)
def test_names(found: Step, ok: bool, detail: str) -> None:
    assert of("dns", found) == (ok, detail)


def test_the_tool_that_tells_why_counts() -> None:
    assert of("dns", step("getent", 2), step("nslookup", 1, "NXDOMAIN")) == (False, "the name does not exist")


@pytest.mark.parametrize(
    ("found", "ok", "detail"),
    [
        (step("bash", 0), True, "connected"),
        (step("nc", 0, "", "Connection to a 80 port [tcp/http] succeeded!"), True, "connected"),
        (step("curl", 28, "1"), True, "connected"),
        (
            step("bash", 1, "", "80: connect: Connection refused\n80: line 1: /dev/tcp/a/80: Connection refused"),
            False,
            "refused",
        ),
        (step("nc", 1, "", "nc: connect to a port 80 (tcp) failed: Connection refused"), False, "refused"),
        (step("curl", 7, "0"), False, "refused"),
        (step("bash", 124), False, "NetworkPolicy"),
        (
            step("nc", 1, "", "nc: connect to a port 80 (tcp) timed out: Operation now in progress"),
            False,
            "NetworkPolicy",
        ),
        (step("curl", 28, "0"), False, "no answer within the time"),
        (step("bash", 1, "", "bash: a: Name or service not known"), False, "does not resolve"),
        (step("nc", 1, "", "nc: bad address 'a'"), False, "does not resolve"),
        (
            step("nc", 1, "", 'nc: getaddrinfo for host "a" port 80: Temporary failure in name resolution'),
            False,
            "does not resolve",
        ),
        (step("bash", 1, "", "connect: No route to host"), False, "no route"),
        (step("nc", 1, "", "something else"), False, "it failed (something else)"),
    ],
)
def test_ports(found: Step, ok: bool, detail: str) -> None:
    its, text = of("tcp", found)
    assert its is ok and detail in text


@pytest.mark.parametrize(
    ("found", "ok", "detail"),
    [
        (step("curl", 0, answer(200, "fine")), True, "answers 200 (fine)"),
        (step("curl", 0, "HTTP/1.1 100 Continue\r\n\r\n" + answer(204, "")), True, "answers 204 (nothing more)"),
        (step("curl", 0, "HTTP/2 200 \r\ncontent-type: text/plain\r\n\r\nfine"), True, "answers 200 (fine)"),
        (step("curl", 23, answer(200, "x" * 5000)), True, f"answers 200 ({'x' * 117}...)"),
        (step("curl", 0, answer(503, "no healthy upstream")), False, "answers 503 (no healthy upstream)"),
        (step("curl", 0, answer(301, "", "Location: /x")), True, "answers 301, which redirects to /x"),
        (step("curl", 0, answer(404, f"token {SECRET} {SECRET}")), False, "answers 404 (token ******** ********)"),
        (step("wget", 0, "fine", "  HTTP/1.1 200 OK\n"), True, "answers 200"),
        (step("wget", 8, "", "  HTTP/1.1 302 Found\n  HTTP/1.1 404 Not Found\n"), False, "answers 404"),
        (step("curl", 6, "", "curl: (6) Could not resolve host: a"), False, "the name does not resolve"),
        (step("curl", 35), False, "the TLS handshake failed: does it speak TLS at this port?"),
        (step("curl", 52), False, "the connection was closed without an answer"),
        (step("curl", 1, "", "curl: (1) Protocol"), False, "it failed (curl: (1) Protocol)"),
        (step("wget", 1, "", "wget: can't connect to remote host: Connection refused"), False, REFUSED),
        (step("wget", 143), False, "no answer within the time"),
        (step("curl", 0, "HTTP/1.1 abc\r\n\r\n", "odd"), False, "it failed (odd)"),
    ],
)
def test_urls(found: Step, ok: bool, detail: str) -> None:
    assert of("http", found) == (ok, detail)


def rpc(**message: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, **message})


INFO = {"name": "weather", "version": "1.2.0"}
LEGACY = protocol.revisions(protocol.LEGACY)[-1]
MODERN = protocol.revisions(protocol.MODERN)[-1]
JSON = "Content-Type: application/json"
AGREED = rpc(result={"protocolVersion": LEGACY, "capabilities": {}, "serverInfo": INFO})
UNKNOWN = answer(404, rpc(error={"code": -32601, "message": "Method not found"}), JSON)
DISCOVERED = rpc(
    result={
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": {},
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": INFO},
    }
)


def mcp(discover: str, initialize: str = "") -> tuple[bool, str]:
    steps = [step("curl", 0, discover, name=judge.DISCOVER), step("curl", 0, initialize, name=judge.INITIALIZE)]
    return of("mcp", *steps)


@pytest.mark.parametrize(
    ("discover", "initialize", "ok", "detail"),
    [
        (answer(200, DISCOVERED, JSON), "", True, f"speaks MCP {MODERN} (weather 1.2.0)"),
        (UNKNOWN, answer(200, AGREED, JSON), True, f"speaks MCP {LEGACY} (weather 1.2.0)"),
        (
            UNKNOWN,
            answer(200, AGREED, JSON, "Mcp-Session-Id: abc"),
            True,
            f"speaks MCP {LEGACY}, in sessions (weather 1.2.0)",
        ),
        (
            UNKNOWN,
            answer(200, f"event: message\ndata: {AGREED}\n\n", "Content-Type: text/event-stream"),
            True,
            f"speaks MCP {LEGACY} (weather 1.2.0)",
        ),
        (
            UNKNOWN,
            answer(200, "event: x\n\n", "Content-Type: text/event-stream"),
            False,
            "initialize got no answer before the event stream ended",
        ),
        (
            answer(401, "", "WWW-Authenticate: Bearer"),
            "",
            True,
            "answers 401: it is there and asks for credentials, of which a probe sends none",
        ),
        (answer(421, "Invalid host"), answer(421, "Invalid host"), False, "the server does not accept this Host"),
        (
            answer(404, "nothing"),
            answer(404, "nothing"),
            False,
            "initialize returned 404: the server has nothing at this path",
        ),
        (
            answer(503, "too many sessions"),
            answer(503, "too many sessions"),
            False,
            "initialize returned 503 (too many sessions)",
        ),
        (
            answer(200, "<html>", "Content-Type: text/html"),
            answer(200, "<html>", "Content-Type: text/html"),
            False,
            "returned HTML",
        ),
        (
            UNKNOWN,
            answer(200, rpc(error={"code": -1, "message": f"password={SECRET}"}), JSON),
            False,
            "password=********",
        ),
        (answer(500, f"token {SECRET}"), answer(500, f"token {SECRET}"), False, "token ********"),
        ("", "", False, "it failed (nothing more)"),
    ],
)
def test_mcp(discover: str, initialize: str, ok: bool, detail: str) -> None:
    its, text = mcp(discover, initialize)
    assert its is ok and detail in text and SECRET not in text


def test_what_is_sent_first() -> None:
    bodies = {handshake: json.loads(judge.first_body(handshake)) for handshake in (judge.DISCOVER, judge.INITIALIZE)}
    assert {body["method"] for body in bodies.values()} == set(bodies)
    assert bodies[judge.INITIALIZE]["params"]["protocolVersion"] == LEGACY
    assert bodies[judge.DISCOVER]["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == judge.REVISION


def test_each_probe_has_an_outcome() -> None:
    asked = [Probe("tcp", "a:1"), Probe("tcp", "b:2"), Probe("tcp", "c:3")]
    steps = [step("nc", 0, probe=2), step("nc", 0, probe=7), step("nc", 1, errors="refused", probe=0)]
    found = judge.outcomes(asked, steps)
    assert [(one.probe, one.ok) for one in found] == [(asked[0], False), (asked[1], False), (asked[2], True)]
    assert found[1].detail == "it was not asked before the time was over"


HOSTILE = "\x1b[2J\x1b]0;title\x07\r\nok: [forged]\u2028\u202e{{ 7*7 }} \ud800\x00" + "A" * 10**5


@pytest.mark.parametrize("kind", ["dns", "tcp", "http", "mcp"])
@pytest.mark.parametrize("tool", ["getent", "nslookup", "bash", "nc", "curl", "wget"])
@pytest.mark.parametrize(
    "text", [HOSTILE, answer(200, HOSTILE, JSON), answer(302, "", f"Location: {HOSTILE}"), "HTTP/1.1 "]
)
@pytest.mark.parametrize("code", [0, 1])
def test_texts_of_others_become_one_short_printable_line(kind: str, tool: str, text: str, code: int) -> None:
    name = judge.INITIALIZE if kind == "mcp" else "x"
    _ok, detail = of(kind, step(tool, code, text, text, name))
    assert detail and detail.isprintable() and len(detail) <= judge.MAX_DETAIL


def test_hostile_serverinfo_is_quoted() -> None:
    hostile = rpc(
        result={"protocolVersion": LEGACY, "capabilities": {}, "serverInfo": {"name": HOSTILE[:80], "version": "1"}}
    )
    ok, detail = mcp(UNKNOWN, answer(200, hostile.replace("\\ud800", ""), JSON))
    assert ok and detail.isprintable() and "\x1b" not in detail
