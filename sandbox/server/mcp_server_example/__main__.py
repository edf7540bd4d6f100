# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
import sys

import uvicorn
from prometheus_client import start_http_server

from .app import build
from .lifecycle import GRACE, DrainingServer, Lifecycle
from .settings import SettingsError, load

# Longer than the hour for which Envoy keeps an idle connection: whoever closes first may meet a request on its way, and
# a proxy
# knows how to avoid that. uvicorn's default is 5 seconds.
KEEP_ALIVE = 75 * 60


def main() -> None:
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"mcp-server-example: {error}")
    lifecycle = Lifecycle()
    config = uvicorn.Config(
        build(settings, lifecycle),
        host=settings.listen_address,
        port=settings.listen_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    start_http_server(settings.listen_port_metrics, addr=settings.listen_address)
    # uvicorn raises the signal that ended it once more when all is done; ignored, the exit code is 0.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    DrainingServer(config, lifecycle, settings.drain_seconds).run()


if __name__ == "__main__":
    main()
