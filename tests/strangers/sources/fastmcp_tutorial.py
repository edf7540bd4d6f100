"""A server as the tutorial of FastMCP has it."""

from fastmcp import FastMCP

mcp = FastMCP("My MCP Server")


@mcp.tool
def greet(name: str) -> str:
    return f"Hello, {name}!"


if __name__ == "__main__":
    # Idle connections are kept longer than a gateway uses them again; uvicorn's 5 s make it answer 503 now and then.
    mcp.run(transport="http", host="0.0.0.0", port=8000, uvicorn_config={"timeout_keep_alive": 75})
