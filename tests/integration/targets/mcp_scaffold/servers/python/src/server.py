"""A small server of the Python SDK 2.x."""

from mcp.server import MCPServer
from server_info import VERSION

mcp = MCPServer("Tools", version=VERSION)


@mcp.tool()
def add(a: int, b: int) -> int:
    """Add two numbers"""
    return a + b


app = mcp.streamable_http_app(stateless_http=True, host="0.0.0.0")
