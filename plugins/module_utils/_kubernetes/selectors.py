# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors, as the query labelSelector takes them. Pure."""

from __future__ import annotations

import typing as t


def labels(wanted: t.Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in wanted.items())


def selects(selector: t.Mapping[str, t.Any], of: t.Mapping[str, t.Any]) -> bool:
    """Return whether a Service's selector selects pods with these labels. An empty one selects none."""
    return bool(selector) and selector.items() <= of.items()


def job_pods(job: str) -> str:
    return labels({"batch.kubernetes.io/job-name": job})


def service_slices(service: str) -> str:
    """Return what selects the EndpointSlices of a Service."""
    return labels({"kubernetes.io/service-name": service})
