# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the sandbox keeps things. One sandbox a machine, whichever checkout started it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-sandbox"
STATE = Path("/var/lib/mcp-sandbox")
RUN = Path("/run/mcp-sandbox")
LOGS = STATE / "log"
SOCKET = RUN / "containerd.sock"
INFO = STATE / "sandbox.json"  # what tests and the demo read; written last, so that it means "up"
ADMIN_KUBECONFIG = STATE / "admin.kubeconfig"

# kubeadm knows no other places than these two.
KUBERNETES = Path("/etc/kubernetes")
KUBELET = Path("/var/lib/kubelet")

REGISTRY = "127.0.0.1:5000"
GATEWAY = "127.0.0.1:8080"
PROMETHEUS = "127.0.0.1:9090"
ALERTMANAGER = "127.0.0.1:9093"
NODE_BRIDGE = "mcp-node"
NODE_ADDRESS = "10.200.0.1"
POD_RANGE = "10.201.0.0/24"
SERVICE_RANGE = "10.202.0.0/16"


def key(*parts: str | Path) -> str:
    """A short hash of texts and of files' (or trees') contents: what a cached thing was made from."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
            continue
        files = sorted(path for path in part.rglob("*") if path.is_file()) if part.is_dir() else [part]
        for path in files:
            if "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(part)).encode())
                digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
