// Copyright (c) 2026, the mcp.server authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// How both TypeScript servers of the matrix are run, as servers/python/serve.py runs the Python ones, and what they offer.

import { createServer } from "node:http";

export function run(app, sessions) {
  let requests = 0;
  let open = 0;
  const server = createServer((req, res) => {
    if (req.url === "/sessions") {
      res.setHeader("Content-Type", "application/json");
      return res.end(JSON.stringify({ sessions: sessions(), requests, open }));
    }
    requests += 1;
    open += 1;
    res.on("close", () => (open -= 1));
    return app(req, res);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.resume().on("end", () => process.exit(0));
}

// What version 1 takes as a plain object of its prompts' arguments, version 2 takes as a schema: wrap is either.
export function weather(server, ResourceTemplate, z, wrap) {
  const text = (value) => ({ content: [{ type: "text", text: value }] });
  server.registerTool("forecast", { inputSchema: z.object({ city: z.string() }) }, async ({ city }) => text(`${city}: rain`));
  server.registerTool("broken", {}, async () => {
    throw new Error("the sensor is broken");
  });
  server.registerTool("measure", { outputSchema: z.object({ temperature: z.number() }) }, async () => ({
    ...text("21.5"),
    structuredContent: { temperature: 21.5 },
  }));
  for (let number = 0; number < 7; number += 1) {
    server.registerTool(`station_${number}`, {}, async () => text("ok"));
  }
  const say = (value) => ({ messages: [{ role: "user", content: { type: "text", text: value } }] });
  server.registerPrompt("greet", {}, async () => say("Say hello."));
  server.registerPrompt("brief", { argsSchema: wrap({ city: z.string() }) }, async ({ city }) => say(`The weather of ${city} in one sentence.`));
  server.registerResource("stations", "weather://stations", {}, async (uri) => ({ contents: [{ uri: uri.href, text: "none" }] }));
  const template = new ResourceTemplate("weather://forecast/{city}", { list: undefined });
  server.registerResource("forecast_of", template, {}, async (uri, { city }) => ({ contents: [{ uri: uri.href, text: `${city}: rain` }] }));
  return server;
}
