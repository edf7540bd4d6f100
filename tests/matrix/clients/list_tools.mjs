// Copyright (c) 2026, the mcp.server authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Lists the tools of servers with the official TypeScript client: list_tools.mjs URL... It prints a JSON list with null
// for each server that it can use, and a reason for each other.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const SECONDS = 10;
const AT_ONCE = 8;

async function problem(url) {
  const client = new Client({ name: "matrix", version: "1" });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  const late = new Promise((_resolve, reject) => setTimeout(() => reject(new Error("too late")), SECONDS * 1000));
  try {
    await Promise.race([late, client.connect(transport).then(() => client.listTools())]);
    return null;
  } catch (error) {
    return String(error.message ?? error).replace(/\s+/g, " ").slice(0, 200) || "unknown";
  } finally {
    client.close().catch(() => {});
  }
}

process.on("unhandledRejection", () => {});
const urls = process.argv.slice(2);
const found = [];
for (let first = 0; first < urls.length; first += AT_ONCE) {
  found.push(...(await Promise.all(urls.slice(first, first + AT_ONCE).map(problem))));
}
console.log(JSON.stringify(found));
process.exit(0);
