// Copyright (c) 2026, the mcp.server authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// A server of the TypeScript SDK 2.x: sdk2.mjs auto|json|sse|modern|stateful.
// auto, json and sse are ways to answer the modern era; all three answer legacy requests without sessions, modern refuses them,
// and stateful gives them to a transport with sessions, as the documentation of isLegacyRequest shows.

import { randomUUID } from "node:crypto";
import { localhostHostValidation, NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from "@modelcontextprotocol/node";
import { createMcpHandler, isLegacyRequest, McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { z } from "zod";
import { run, weather } from "./serve.mjs";

const mode = process.argv[2];
const transports = new Map();
const server = () => weather(new McpServer({ name: "weather", version: "1.2.0" }), ResourceTemplate, z, (shape) => z.object(shape));
const handler = toNodeHandler(
  createMcpHandler(server, {
    legacy: mode === "modern" || mode === "stateful" ? "reject" : "stateless",
    responseMode: mode === "json" || mode === "sse" ? mode : "auto",
  }),
);
const validHost = localhostHostValidation();

async function bodyOf(req) {
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    return undefined;
  }
}

async function sessions(req, res, body) {
  let transport = transports.get(req.headers["mcp-session-id"]);
  if (!transport) {
    transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    await server().connect(transport);
  }
  return transport.handleRequest(req, res, body);
}

async function app(req, res) {
  if (!validHost(req, res)) return undefined;
  if (req.url !== "/mcp") return res.writeHead(404).end();
  const body = await bodyOf(req);
  if (mode === "stateful" && (await isLegacyRequest(await toWebRequest(req, body), body))) return sessions(req, res, body);
  return handler(req, res, body);
}

run(app, () => transports.size);
