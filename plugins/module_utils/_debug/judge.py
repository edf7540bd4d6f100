# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge what a probe's commands said. Pure: texts in, a clause out. Servers, and name servers, choose these texts."""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._debug import script
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import DNS, HTTP, MCP, TCP, Outcome, Probe
from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http.connection import Reply
from ansible_collections.mcp.server.plugins.module_utils._mcp import eras, jsonrpc, protocol, reasons, sse, transport
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._text import printable

DISCOVER, INITIALIZE = "server/discover", "initialize"
TIMED_OUT = (124, 143)  # exit codes of a command that its time limit has ended
MAX_DETAIL = 300  # characters
MAX_QUOTED = 4096  # characters of an answer that are looked at for a quotation
MAX_ADDRESSES = 4  # that are shown

# What tools say of a name, in the order in which it counts.
_DNS_SAYS = (
    (re.compile(r"NXDOMAIN|can't resolve|[Nn]ame or service not known|does not exist"), "the name does not exist"),
    (re.compile(r"SERVFAIL|REFUSED"), "the name server refuses or cannot answer"),
    (re.compile(r"timed out|no servers could be reached|[Tt]emporary failure"), "no name server answers"),
    (re.compile(r"No answer|no address"), "the name has no address"),
)
_TCP_SAYS = (
    (re.compile(r"refused", re.IGNORECASE), "the connection was refused: nothing listens there, or no pod is ready"),
    (
        re.compile(r"name or service not known|name resolution|resolve|bad address|lookup failed", re.IGNORECASE),
        "the name does not resolve",
    ),
    (re.compile(r"unreachable|no route", re.IGNORECASE), "no route to it: does the Service have this port?"),
    (re.compile(r"timed out|timeout", re.IGNORECASE), "nothing answers within the time: a firewall or NetworkPolicy?"),
)
# Exit codes of curl
_CURL_SAYS = {
    6: "the name does not resolve",
    7: "the connection was refused, or there is no route to it",
    28: "no answer within the time",
    35: "the TLS handshake failed: does it speak TLS at this port?",
    52: "the connection was closed without an answer",
    56: "the connection was cut",
}
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})")


class _Capture(Exception):
    """The first request of a client, which is not sent from here."""

    def __init__(self, method: str, params: dict[str, t.Any]) -> None:
        super().__init__(method)
        self.body = jsonrpc.request(1, method, params)


class _Recorded:
    """A transport (eras.Transport) for one request whose answer is there already; it raises _Capture without one."""

    session_mode = "stateless"
    session_headers: t.ClassVar[dict[str, str]] = {}

    def __init__(self, reply: Reply | None = None, answer: jsonrpc.Answer | None = None) -> None:
        self._reply, self._answer = reply, answer

    def request(
        self, method: str, params: dict[str, t.Any], headers: dict[str, str], bound: Deadline
    ) -> tuple[Reply, jsonrpc.Answer | None]:
        if self._reply is None:
            raise _Capture(method, params)
        return self._reply, self._answer


def first_body(handshake: str) -> str:
    """Return the body of what a client of an era sends first. handshake: DISCOVER or INITIALIZE."""
    try:
        _client(handshake, _Recorded())
    except _Capture as captured:
        return json.dumps(captured.body)
    return ""


def _client(handshake: str, recorded: _Recorded) -> eras.Client | eras.Declined:
    known = eras.Modern.discover if handshake == DISCOVER else eras.Legacy.initialize
    return known(t.cast(eras.Transport, recorded), Deadline(1.0))


def outcomes(asked: t.Sequence[Probe], steps: t.Sequence[script.Step]) -> list[Outcome]:
    """Return what came of each probe, in their order."""
    return [outcome(probe, [step for step in steps if step.probe == index]) for index, probe in enumerate(asked)]


def outcome(probe: Probe, steps: t.Sequence[script.Step]) -> Outcome:
    """Return what came of a probe. steps: those of this probe, in their order."""
    seconds = round(sum(step.seconds for step in steps), 2)
    if not steps:
        return Outcome(probe, False, 0.0, "it was not asked before the time was over")
    if all(step.code == script.MISSING for step in steps):
        return Outcome(probe, False, seconds, f"the tool is missing in the debug image: {_NEEDS[probe.kind]}")
    ok, detail = _JUDGES[probe.kind](steps)
    return Outcome(probe, ok, seconds, printable(detail, MAX_DETAIL))


def _dns(steps: t.Sequence[script.Step]) -> tuple[bool, str]:
    step = steps[-1]
    if step.code == 0 and (found := _addresses(step)):
        more = f" and {len(found) - MAX_ADDRESSES} more" if len(found) > MAX_ADDRESSES else ""
        return True, ", ".join(found[:MAX_ADDRESSES]) + more
    if step.code in TIMED_OUT:
        return False, "no name server answers within the time"
    said = f"{step.output}\n{step.errors}"
    return False, _first(_DNS_SAYS, said) or ("the name does not resolve" if step.tool == "getent" else _quoted(said))


def _addresses(step: script.Step) -> list[str]:
    """Return the addresses in the output of getent, or after the name server's own in that of nslookup."""
    if step.tool == "getent":
        found = [line.split()[0] for line in step.output.splitlines() if line.split()]
    else:
        _server, _name, answer = step.output.partition("Name:")
        found = re.findall(r"^Address[^:\n]*:\s*([0-9A-Fa-f.:]+)", answer, re.MULTILINE)
    return list(dict.fromkeys(printable(one, 45) for one in found))


def _tcp(steps: t.Sequence[script.Step]) -> tuple[bool, str]:
    step = steps[-1]
    if step.tool == "curl":
        if step.output.strip().startswith("1"):
            return True, "connected"
        return False, _curl(step)
    if step.code == 0:
        return True, "connected"
    if step.code in TIMED_OUT:
        return False, _first(_TCP_SAYS, "timed out")
    return False, _first(_TCP_SAYS, step.errors) or _quoted(step.errors)


def _http(steps: t.Sequence[script.Step]) -> tuple[bool, str]:
    step = steps[-1]
    reply, _headers = parsed(step.output)
    if reply.status:
        return reply.status < 400, _answers(reply)
    if found := _STATUS.findall(step.errors):  # of wget
        return int(found[-1]) < 400, f"answers {found[-1]}"
    if step.code in TIMED_OUT:
        return False, _CURL_SAYS[28]
    if step.tool == "wget":
        return False, _first(_TCP_SAYS, step.errors) or _quoted(step.errors)
    return False, _curl(step)


def _answers(reply: Reply) -> str:
    if 300 <= reply.status < 400 and reply.location:
        return f"answers {reply.status}, which redirects to {reasons.quote(redact(reply.location))}"
    return f"answers {reply.status} ({reasons.quote(redact(reply.text[:MAX_QUOTED]))})"


def _mcp(steps: t.Sequence[script.Step]) -> tuple[bool, str]:
    """Judge both handshakes. A server need not know more than one of them."""
    refusal = ""
    for step in steps:
        if step.name not in (DISCOVER, INITIALIZE):
            continue
        reply, headers = parsed(step.output)
        if not reply.status:
            return False, _curl(step)
        if reply.status == 401:
            return True, "answers 401: it is there and asks for credentials, of which a probe sends none"
        if reply.status >= 300:
            reply = replace(reply, text=redact(reply.text[:MAX_QUOTED]))
        try:
            client = _client(step.name, _Recorded(reply, _answer(reply)))
        except Fault as fault:
            refusal = f"{step.name} {fault.msg}"
            continue
        if isinstance(client, eras.Declined):
            refusal = f"{step.name} {client.reason}"
            continue
        info = client.offer.server_info
        named = " ".join(str(info[key]) for key in ("name", "version") if info.get(key))
        kept = ", in sessions" if headers.get(transport.SESSION) else ""
        return True, f"speaks MCP {client.revision}{kept} ({reasons.quote(redact(named))})"
    return False, redact(refusal) or "no answer"


def _answer(reply: Reply) -> jsonrpc.Answer | None:
    """Return the answer in JSON or in an event stream, which may be cut off after it. Raises Fault."""
    if reply.content_type != transport.EVENTS:
        return transport.answer_in_body(reply, 1)
    for event in sse.Decoder().feed(reply.text.encode()):
        if (answer := transport.answer_in_event(event, 1)) is not None:
            return answer
    raise Fault(transport.ENDED)


def parsed(text: str) -> tuple[Reply, t.Mapping[str, str]]:
    """Return the last answer in the output of C(curl -i), and its headers; status 0 when there is none."""
    status = 0
    headers: t.Mapping[str, str] = {}
    while text.startswith("HTTP/"):
        head, separator, rest = _split(text)
        line, _end, fields = head.partition("\n")
        found = _STATUS.match(line)
        if not found:
            break
        status, headers, text = int(found[1]), _headers(fields), rest
        if not separator or status >= 200:
            break
    if not status:
        return Reply(0), {}
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    authenticate = headers.get("WWW-Authenticate", "")
    return Reply(status, content_type, headers.get("Location", ""), text, authenticate), headers


def _split(text: str) -> tuple[str, str, str]:
    found = re.search(r"\r?\n\r?\n", text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def _headers(fields: str) -> t.Mapping[str, str]:
    parser = email.parser.HeaderParser(policy=email.policy.HTTP)
    return t.cast(t.Mapping[str, str], parser.parsestr(fields.replace("\r", "")))


def _curl(step: script.Step) -> str:
    return _CURL_SAYS.get(step.code) or _quoted(step.errors)


def _first(says: t.Iterable[tuple[re.Pattern[str], str]], text: str) -> str:
    return next((clause for pattern, clause in says if pattern.search(text)), "")


def _quoted(text: str) -> str:
    return f"it failed ({reasons.quote(redact(text))})"


_JUDGES: dict[str, t.Callable[[t.Sequence[script.Step]], tuple[bool, str]]] = {
    DNS: _dns,
    TCP: _tcp,
    HTTP: _http,
    MCP: _mcp,
}
_NEEDS = {DNS: "getent or nslookup", TCP: "bash, nc or curl", HTTP: "curl or wget", MCP: "curl"}
REVISION = protocol.revisions(protocol.MODERN)[-1]
