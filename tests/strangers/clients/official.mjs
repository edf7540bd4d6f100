// Copyright (c) 2026, the mcp.server authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Load by the official TypeScript client: as official.py, with the same words and the same answer.

import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const PATIENCE = 10_000; // ms, for one request
const RENEW = 30; // requests after which a client ends its session and opens another, as clients do
const MORE = 5; // for each next client, so that they do it at other times
const LIVE = "blue"; // the pool, while the route does not name any yet
const REFUSALS = [400, 404, 422]; // of a session or a revision that is not known

const given = JSON.parse(process.argv[2]);
const tally = { sent: 0, ok: 0, failed: 0, opened: 0, lost: 0, outdated: 0, longest: 0, failures: {}, pools: {}, left: [] };
const interval = (1000 * given.sessions) / given.rate;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
let over = false;

// Node's own fetch can't be told another Host.
function fetchWithHost(url, init = {}) {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const sent = httpRequest(url, { method: init.method ?? "GET", headers: { ...headers, host: given.host } });
    const abort = () => sent.destroy(init.signal.reason);
    init.signal?.addEventListener("abort", abort);
    sent.on("close", () => init.signal?.removeEventListener("abort", abort));
    sent.on("error", reject);
    sent.on("response", (answer) => {
      const names = Object.entries(answer.headers).filter(([, value]) => typeof value === "string");
      const empty = [101, 204, 205, 304].includes(answer.statusCode);
      if (empty) answer.resume();
      answer.on("error", () => {});
      resolve(new Response(empty ? null : Readable.toWeb(answer), { status: answer.statusCode, headers: names }));
    });
    sent.end(init.body);
  });
}

// What HTTP says of the one request that a client waits for.
class Answer {
  waiting = false;
  connected = false;
  pool = ""; // that the session is of
  gone = false; // whether it has left this pool

  // before: the pool of the client's session before this one.
  constructor(before = "") {
    this.before = before;
  }

  fetch = async (url, init) => {
    const response = await fetchWithHost(url, init);
    const named = response.headers.get("x-mcp-pool");
    const pool = named ?? LIVE;
    if (init?.method === "DELETE" && pool !== this.pool) this.leave("ended");
    if (init?.method === "POST") {
      if (named) tally.pools[named] = (tally.pools[named] ?? 0) + 1;
      const hasSession = new Headers(init.headers).has("mcp-session-id");
      // Which all that follows is for.
      const opens = response.ok && response.headers.has("mcp-session-id") && !hasSession;
      if (opens || !this.pool) {
        const before = this.pool || this.before;
        this.pool = pool;
        if (before && before !== pool) this.note("between", before);
      }
      Object.assign(this, { status: response.status, refused: "" });
      if (REFUSALS.includes(response.status) && pool !== this.pool && (hasSession || this.connected)) {
        this.refused = hasSession ? "lost" : "outdated";
      }
    }
    return response;
  };

  leave(how) {
    if (this.gone) return;
    this.gone = true;
    this.note(how, this.pool);
  }

  note(how, pool) {
    tally.left.push([Date.now() / 1000, how, pool]);
  }

  begin() {
    tally.sent += 1;
    Object.assign(this, { waiting: true, refused: "", status: 0, began: Date.now() });
  }

  end() {
    Object.assign(this, { waiting: false, connected: true });
    tally.ok += 1;
    tally.longest = Math.max(tally.longest, (Date.now() - this.began) / 1000);
  }

  fell(error) {
    if (!this.waiting) return; // at the end of a session: no request was made
    this.waiting = false;
    if (this.refused) {
      tally[this.refused] += 1;
      this.leave(this.refused);
      return;
    }
    tally.failed += 1;
    const reason = `HTTP ${this.status}, ${error?.name}: ${error?.message}`.slice(0, 200);
    tally.failures[reason] = (tally.failures[reason] ?? 0) + 1;
  }
}

async function ask(client, answer, count) {
  answer.begin();
  try {
    if (count % 5 === 4) await client.listTools(undefined, { timeout: PATIENCE });
    else if ((await client.callTool(given.call, undefined, { timeout: PATIENCE })).isError) {
      throw new Error("the tool answers with an error");
    }
  } catch (error) {
    answer.fell(error);
    return false;
  }
  answer.end();
  return true;
}

// One user of the server, with one session at a time.
async function user(number) {
  let due = Date.now() + (interval * number) / given.sessions;
  let answer = new Answer();
  while (!over) {
    answer = new Answer(answer.gone ? "" : answer.pool);
    const client = new Client({ name: "load", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(given.url), { fetch: answer.fetch });
    try {
      answer.begin();
      await client.connect(transport, { timeout: PATIENCE });
      answer.end();
      tally.opened += 1;
      for (let count = 0; count < RENEW + MORE * number; count += 1) {
        await wait(due - Date.now());
        due = Math.max(due + interval, Date.now() - 1000);
        if (over || !(await ask(client, answer, count))) break;
      }
      await transport.terminateSession();
    } catch (error) {
      answer.fell(error);
      await wait(interval);
      due = Math.max(due, Date.now());
    } finally {
      await client.close().catch(() => {});
    }
  }
}

process.on("unhandledRejection", () => {});
const start = Date.now();
const users = Array.from({ length: given.sessions }, (_none, number) => user(number));
await Promise.race([
  wait(1000 * given.seconds),
  new Promise((resolve) => process.stdin.on("end", resolve).on("close", resolve).resume()),
]);
over = true;
const seconds = (Date.now() - start) / 1000;
await Promise.race([Promise.all(users), wait(2 * PATIENCE)]);
console.log(JSON.stringify({ client: "typescript", seconds, rate: Math.round((10 * tally.sent) / seconds) / 10, ...tally }));
process.exit(0);
