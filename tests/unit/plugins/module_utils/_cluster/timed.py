# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta


class Timed:
    """What a fake of connection.Cluster needs besides its requests. ahead: seconds by which the API server's clock differs from ours, None for not known."""

    ahead: float | None = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead or 0.0)

    def server_time(self) -> datetime | None:
        return None if self.ahead is None else self.now()

    def limited(self, patience: float, timeout: float = 0.0) -> t.Any:
        return self
