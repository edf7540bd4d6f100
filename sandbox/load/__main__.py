# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that call an MCP server all the time, on a loopback address; none of them tries again what failed.

Until SIGTERM, or for SECONDS; then FILE gets, as JSON with times in epoch
seconds, {sent, failed, failures, rate}, the same of each kind of client
(kept, new, streams: see Tally) and the streams that were held:
[{opened, pool, ended, why}].
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .clients import Clients


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("host")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rate", type=float, default=320.0, help="requests a second, at most")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument(
        "--new", type=float, default=0.5, help="share of them that come each over a new connection, 0 to 1"
    )
    parser.add_argument("--streams", type=int, default=4, help="streams that are held open beside them")
    words = parser.parse_args()
    parts = urlsplit(words.url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        parser.error(f"{words.url} is not on loopback; this load stays on the machine.")

    async def load() -> dict[str, Any]:
        clients = Clients((parts.hostname or "", parts.port or 80), words.host, words.rate, words.new, words.streams)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, clients.stop)
        return await clients.run(words.seconds)

    words.file.write_text(json.dumps(asyncio.run(load())))


if __name__ == "__main__":
    main()
