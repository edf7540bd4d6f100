// A small server of the TypeScript SDK 1.x.
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";
import { serverInfo } from "./serverInfo.js";

function tools(): McpServer {
  const server = new McpServer({ name: "Tools", version: serverInfo.version });
  server.registerTool("add", { inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }) => ({
    content: [{ type: "text" as const, text: String(a + b) }],
  }));
  return server;
}

const server = createServer(async (request, response) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => void transport.close());
  await tools().connect(transport);
  await transport.handleRequest(request, response);
});
server.keepAliveTimeout = 75_000;
server.listen(8080, "0.0.0.0");
