# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors, as the query labelSelector takes them. Pure."""

from __future__ import annotations

import typing as t


def labels(wanted: t.Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in wanted.items())


def server_pods(server: str) -> str:
    """Return what selects the pods of both pools of a server."""
    return labels({"app": server})


def pool_pods(server: str, pool: str) -> str:
    return labels({"app": server, "pool": pool})


def job_pods(job: str) -> str:
    return labels({"batch.kubernetes.io/job-name": job})


def service_slices(service: str) -> str:
    """Return what selects the EndpointSlices of a Service."""
    return labels({"kubernetes.io/service-name": service})
