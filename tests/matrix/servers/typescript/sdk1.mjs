// Copyright (c) 2026, the mcp.server authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A server of the TypeScript SDK 1.x, wired as its examples are: sdk1.mjs stateful|stateless|json|sse.

import { randomUUID } from "node:crypto";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { run, weather } from "./serve.mjs";

const mode = process.argv[2];
const app = createMcpExpressApp();
const transports = new Map();
const server = () => weather(new McpServer({ name: "weather", version: "1.2.0" }), ResourceTemplate, z, (shape) => shape);
const refuse = (res, status, code, message) => res.status(status).json({ jsonrpc: "2.0", error: { code, message }, id: null });

async function stateful(req, res) {
  let transport = transports.get(req.headers["mcp-session-id"]);
  if (!transport && !req.headers["mcp-session-id"] && req.method === "POST" && isInitializeRequest(req.body)) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      enableJsonResponse: mode === "json",
      onsessioninitialized: (id) => transports.set(id, transport),
    });
    transport.onclose = () => transports.delete(transport.sessionId);
    await server().connect(transport);
  }
  if (!transport) return refuse(res, 400, -32000, "Bad Request: No valid session ID provided");
  return transport.handleRequest(req, res, req.body);
}

async function stateless(req, res) {
  if (req.method !== "POST") return refuse(res, 405, -32000, "Method not allowed.");
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  const one = server();
  res.on("close", () => transport.close() && one.close());
  await one.connect(transport);
  return transport.handleRequest(req, res, req.body);
}

if (mode === "sse") {
  app.get("/sse", async (req, res) => {
    const transport = new SSEServerTransport("/messages", res);
    transports.set(transport.sessionId, transport);
    transport.onclose = () => transports.delete(transport.sessionId);
    await server().connect(transport);
  });
  app.post("/messages", (req, res) => {
    const transport = transports.get(req.query.sessionId);
    return transport ? transport.handlePostMessage(req, res, req.body) : res.status(404).send("Session not found");
  });
} else {
  app.all("/mcp", mode === "stateless" ? stateless : stateful);
}
run(app, () => transports.size);
