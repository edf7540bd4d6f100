# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which hosts of a play are MCP servers, and whether the play may run on them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

SHOWN = 20  # names in one sentence


@dataclass(frozen=True)
class Route:
    """The object that splits a server's traffic, and its cluster. Two servers never share one."""

    kubeconfig: str
    context: str
    namespace: str
    kind: str
    name: str
    api: str = ""

    def __str__(self) -> str:
        where = f" of context {self.context}" if self.context else ""
        return f"{self.kind} {self.namespace}/{self.name}{where}"


def route_of(host: str, variables: t.Mapping[str, t.Any]) -> Route:
    """Return the route of a host's server. variables: of the host.

    Other missing ones than mcp_namespace have defaults.
    """

    def given(name: str, default: str = "") -> str:
        try:
            return str(variables.get(name) or default)
        except Exception:  # the host itself reports a template that fails; it must not stop the rollback of others
            return f"{name} of {host}"

    server = given("mcp_server", host)
    return Route(
        given("mcp_kubeconfig"),
        given("mcp_context"),
        given("mcp_namespace"),
        given("mcp_route_kind", "httproute"),
        given("mcp_route", server),
        given("mcp_api_host"),
    )


def problem(
    hosts: t.Sequence[str], routes: t.Mapping[str, Route], *, named: bool, writes: str, forks: int = 0, also: str = ""
) -> str:
    """Return a sentence that says why a play must not run on these hosts; empty when it may.

    hosts: all that match. routes: of those that are MCP servers, by host. named: whether the user named the servers.
    writes: the name of a playbook that makes changes, empty for one that only reads.
    also: what else its command takes, for an example of it.
    forks: how many hosts Ansible works on at once, for a playbook that needs all of them at once; 0 for others.
    """
    if not routes:
        return (
            f"None of the matching hosts ({_names(hosts)}) is an MCP server. "
            "The host of an MCP server has the variable mcp_namespace; see inventory/ for examples."
        )
    first: dict[Route, str] = {}
    for host, route in routes.items():
        if route in first:
            return (
                f"{first[route]} and {host} are the same server: both have {route}. "
                f"Remove one of them from the inventory, or name one: -l {host}."
            )
        first[route] = host
    if writes and len(routes) > 1 and not named:
        return (
            f"Refusing to run {writes} on {len(routes)} servers that were not named: {_names(list(routes))}. "
            f"Name one, -l {next(iter(routes))}, or all of them, -l all."
            + (f" For example: ansible-playbook {writes} -l {next(iter(routes))} {also}" if also else "")
        )
    if 0 < forks < len(routes):
        return (
            f"Refusing to watch {len(routes)} servers with {forks} forks, which leaves {len(routes) - forks} of them "
            f"unwatched. Run it with -f {len(routes)}, or name fewer servers."
        )
    return ""


def _names(hosts: t.Sequence[str]) -> str:
    more = len(hosts) - SHOWN
    return ", ".join(hosts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
