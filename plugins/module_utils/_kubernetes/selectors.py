# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors: as the query labelSelector takes them, and which labels they select. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping


def labels(wanted: t.Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in wanted.items())


def selects(selector: t.Mapping[str, t.Any], of: t.Mapping[str, t.Any]) -> bool:
    """Return whether a Service's selector selects pods with these labels. An empty one selects none."""
    return bool(selector) and selector.items() <= of.items()


def matches(selector: t.Mapping[str, t.Any] | None, of: t.Mapping[str, t.Any]) -> bool:
    """Return whether a LabelSelector selects pods with these labels. An empty one selects all, none selects nothing."""
    if selector is None:
        return False
    if any(of.get(key) != value for key, value in mapping(selector, "matchLabels").items()):
        return False
    return all(_holds(one, of) for one in items(selector, "matchExpressions"))


def _holds(expression: Object, of: t.Mapping[str, t.Any]) -> bool:
    key, operator, values = str(expression.get("key")), expression.get("operator"), expression.get("values") or []
    if operator == "In":
        return key in of and of[key] in values
    if operator == "NotIn":
        return key not in of or of[key] not in values
    if operator == "Exists":
        return key in of
    return operator == "DoesNotExist" and key not in of


def job_pods(job: str) -> str:
    return labels({"batch.kubernetes.io/job-name": job})


def service_slices(service: str) -> str:
    """Return what selects the EndpointSlices of a Service."""
    return labels({"kubernetes.io/service-name": service})
