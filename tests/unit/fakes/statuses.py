# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status, as mcp_status_info reads it, and its instances."""

from __future__ import annotations

import typing as t

MIB = 1024.0**2
DIGEST = "sha256:0123456789abcdef" + "0" * 48


def instance(pod: str = "mcp-blue-1", pool: str | None = "blue", **more: t.Any) -> dict[str, t.Any]:
    return {
        "namespace": "prod",
        "pod": pod,
        "pool": pool,
        "labels": {},
        "node": "n1",
        "ready": True,
        "state": "Running",
        "finished": False,
        "version": "v1.1.5",
        "health_version": "1.1.5",
        "instance_id": None,
        "image_ref": "x:v1.1.5",
        "digest": DIGEST,
        "restarts": 0,
        "restart_reason": None,
        "restarted_at": None,
        "created": "2026-11-27T21:00:00Z",
        "age_seconds": 3600,
        "memory_bytes": 64 * MIB,
        "memory_limit_bytes": 256 * MIB,
        "cpu_cores": 0.02,
        "cpu_limit_cores": 0.5,
        "sessions": None,
        "problem": None,
        **more,
    }


def pool(name: str, ready: int = 2, **more: t.Any) -> dict[str, t.Any]:
    return {
        "missing": [],
        "image_ref": f"x:{name}",
        "replicas": ready,
        "ready": ready,
        "endpoints": {"ready": ready, "total": ready},
        "sessions": None,
        "pods": [],
        **more,
    }


def status(**more: t.Any) -> dict[str, t.Any]:
    """Return the status of a server that is well, but for what is given."""
    release = {
        "live": "blue",
        "weights": {"blue": 100, "green": 0},
        "record": None,
        "history": [],
        "holder": None,
        "holder_known": True,
        "record_known": True,
    }
    return {
        "server": "prod/mcp",
        "at": "2026-11-27T22:00:00Z",
        "route": {"name": "HTTPRoute prod/mcp", "weights": {"blue": 100, "green": 0}, "missing": False},
        "pools": {"blue": pool("blue"), "green": pool("green", 0)},
        "instances": [instance(), instance("mcp-blue-2")],
        "share": {},
        "triggers": [],
        "drift": [],
        "last_drill": None,
        "last_guide": None,
        "broken_glass": {"sentence": "", "objects": []},
        "unread": [],
        "state": "ok",
        "findings": [],
        **more,
        "release": {**release, **more.get("release", {})},
    }
