# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be asked from inside the cluster's network, and what came of it. Pure."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

DNS, TCP, HTTP, MCP = "dns", "tcp", "http", "mcp"
KINDS = (DNS, TCP, HTTP, MCP)
MOST = 50  # probes of one run

FORMS = {
    DNS: "a name, such as database.prod.svc",
    TCP: "HOST:PORT, such as database.prod.svc:5432",
    HTTP: "an http or https URL, such as http://mcp-server-blue.prod.svc:8000/health",
    MCP: "the http or https URL of an MCP endpoint, such as http://mcp-server-blue.prod.svc:8000/mcp",
}
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")
_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[^:\[\]]+):(?P<port>[0-9]{1,5})")
_HEADER = re.compile(r"[\x21-\x7e]{1,300}")


class Probe(t.NamedTuple):
    """One question. target: in the form that FORMS has for the kind. host: the Host header, empty for the target's."""

    kind: str
    target: str
    host: str = ""


class Outcome(t.NamedTuple):
    """What came of a probe. detail: a clause for people."""

    probe: Probe
    ok: bool
    seconds: float
    detail: str


def words(probe: Probe) -> list[str]:
    """Return the three words that the script gets of a probe. Raises Failure for a target of another form."""
    target = probe.target
    if probe.kind == DNS and _NAME.fullmatch(target):
        return [DNS, target, ""]
    if probe.kind == TCP:
        found = _HOST_PORT.fullmatch(target)
        if found and is_host(found["host"]) and 0 < int(found["port"]) < 65536:
            return [TCP, found["host"].strip("[]"), str(int(found["port"]))]
    if probe.kind in (HTTP, MCP) and is_url(target) and (not probe.host or _HEADER.fullmatch(probe.host)):
        return [probe.kind, target, probe.host]
    if probe.kind not in KINDS:
        raise Failure(f"The kind of a probe is {printable(probe.kind, 40)!r}: it must be one of {', '.join(KINDS)}.")
    raise Failure(
        f"The target of a probe of kind {probe.kind} is {printable(target, 120)!r}: write {FORMS[probe.kind]}, without "
        "a user name, a password or spaces."
    )


def is_host(text: str) -> bool:
    """Return whether a text is a name or an address. One of IPv6 may be in brackets."""
    return bool(_NAME.fullmatch(text)) or _is_ipv6(text.strip("[]"))


def _is_ipv6(text: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(text)) and "%" not in text
    except ValueError:
        return False


def is_url(text: str) -> bool:
    """Return whether a text is a URL that is safe to be a word of a command, and shows no credentials."""
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False
    if not usable or "@" in url.netloc or len(text) > 2000:
        return False
    return is_host(url.hostname or "") and text.isascii() and text.isprintable() and " " not in text


def of_host(text: str) -> list[Probe]:
    """Return what to ask of something that a user names as NAME, NAME:PORT or a URL. Raises Failure."""
    if "://" in text:
        if not is_url(text):
            words(Probe(HTTP, text))
        url = urlsplit(text)
        name, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        return [*_dns(name), Probe(TCP, _joined(name, port)), Probe(HTTP, text)]
    if found := _HOST_PORT.fullmatch(text):
        probe = Probe(TCP, text)
        words(probe)
        return [*_dns(found["host"].strip("[]")), probe]
    if not is_host(text):
        words(Probe(DNS, text))
    return _dns(text)


def _dns(name: str) -> list[Probe]:
    """Return the probe of a name; none for an address, which nothing resolves."""
    is_address = ":" in name or re.fullmatch(r"[0-9.]+", name)
    return [] if is_address else [Probe(DNS, name)]


def _joined(name: str, port: int) -> str:
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
