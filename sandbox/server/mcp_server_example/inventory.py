# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server offers: tools, a resource and a prompt about a small stock of parts."""

from __future__ import annotations

import math

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel

from .database import Database, DatabaseError
from .settings import Settings

READ_ONLY = ToolAnnotations(read_only_hint=True)
POLICY = (
    "An item is reordered when its quantity falls to the reorder point: demand during the lead time, plus safety stock."
)


class Item(BaseModel):
    sku: str
    name: str
    quantity: int


class Instance(BaseModel):
    instance_id: str
    version: str
    pool: str


async def find_items(database: Database, text: str, limit: int) -> list[Item]:
    """Items whose name has the text in it, by SKU. Raises ToolError."""
    try:
        rows = await database.query(
            "SELECT sku, name, quantity FROM items WHERE strpos(lower(name), lower(%s)) > 0 ORDER BY sku LIMIT %s",
            (text, limit),
        )
    except DatabaseError as error:
        raise ToolError(f"{error}: try again later") from error
    return [Item(**row) for row in rows]


def register(mcp: MCPServer, database: Database, settings: Settings) -> None:
    @mcp.tool(annotations=READ_ONLY)
    async def search_inventory(text: str, limit: int = 20) -> list[Item]:
        """Find items in stock by a part of their name."""
        return await find_items(database, text, limit)

    @mcp.tool(annotations=READ_ONLY)
    def reorder_point(daily_demand: float, lead_time_days: float, safety_stock: int = 0) -> int:
        """The quantity at which an item has to be reordered."""
        return math.ceil(daily_demand * lead_time_days) + safety_stock

    @mcp.tool(annotations=READ_ONLY)
    def which_instance() -> Instance:
        """Which instance of the server answers, in which version and pool."""
        return Instance(instance_id=settings.instance_id, version=mcp.version, pool=settings.mcp_pool)

    @mcp.resource("inventory://policy", mime_type="text/plain")
    def policy() -> str:
        """When items are reordered."""
        return POLICY

    @mcp.prompt()
    def restock_plan(part: str) -> str:
        """Plan the next order of a part."""
        return f"Look up {part} with search_inventory, then say whether to reorder it. {POLICY}"
