"""A server as the quickstart of the Python SDK 1.x has it."""

from mcp.server.fastmcp import FastMCP

# Only a server on localhost checks the Host header by itself.
mcp = FastMCP("Demo", host="0.0.0.0")


@mcp.tool()
def add(a: int, b: int) -> int:
    """Add two numbers"""
    return a + b


@mcp.resource("greeting://{name}")
def get_greeting(name: str) -> str:
    """Get a personalized greeting"""
    return f"Hello, {name}!"


@mcp.prompt()
def greet_user(name: str, style: str = "friendly") -> str:
    """Generate a greeting prompt"""
    return f"Write a {style} greeting for someone named {name}."


app = mcp.streamable_http_app()
