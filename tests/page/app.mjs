// The app as a browser reaches it: the program, and in front of it what the Functions host does with a
// web request.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);
const PROGRAM =
  process.env.PROGRAM ?? fileURLToPath(new URL("target/debug/proofpoint-sentinel", ROOT));

// What the real host sent when a browser asked for a page.
const INVOCATION = JSON.parse(readFileSync(new URL("invocation.json", import.meta.url)));

export const KEY = "function-key-of-a-browser";

// The app with its state in `folder`, its clusters, and the names of its TAP accounts.
export async function start(folder, clusters, accounts = []) {
  const port = await freePort();
  const handler = spawn(PROGRAM, ["serve"], {
    env: { ...settings(folder, clusters, accounts), FUNCTIONS_CUSTOMHANDLER_PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [handler.stdout, handler.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const ended = once(handler, "exit");
  await Promise.race([
    listening(port),
    ended.then(() => {
      throw new Error(`the program ended:\n${output}`);
    }),
  ]);
  const host = createServer((request, response) => {
    forward(port, request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  return {
    address: `http://127.0.0.1:${host.address().port}`,
    output: () => output,
    async stop() {
      host.closeAllConnections();
      host.close();
      handler.kill("SIGKILL");
      await ended;
    },
  };
}

function settings(folder, clusters, accounts) {
  const named = clusters.flatMap((id, index) => {
    const suffix = index === 0 ? "" : `_c${index}`;
    return [
      [`ProofpointClusterID${suffix}`, id],
      [`ProofpointToken${suffix}`, "a-token"],
    ];
  });
  const tap = accounts.flatMap((name) => [
    [`TapServicePrincipal_${name}`, `principal-${name}`],
    [`TapSecret_${name}`, "a-secret"],
  ]);
  return {
    ...Object.fromEntries([...named, ...tap]),
    ProofpointEventTypes: "message",
    LogsIngestionEndpoint: "https://rule.example.ingest.monitor.azure.com",
    DcrImmutableId: "dcr-00000000000000000000000000000000",
    AZURE_TENANT_ID: "00000000-0000-0000-0000-000000000000",
    AZURE_CLIENT_ID: "00000000-0000-0000-0000-000000000000",
    AZURE_CLIENT_SECRET: "a-secret",
    StateStorage: `file://${folder}`,
  };
}

async function forward(port, request, response) {
  const invocation = structuredClone(INVOCATION);
  invocation.Data.req.Url = `https://app.example${request.url}`;
  invocation.Data.req.Query = { code: KEY };
  const reply = await fetch(`http://127.0.0.1:${port}/ProofpointStatus`, {
    method: "POST",
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify(invocation),
  });
  const { res } = (await reply.json()).Outputs;
  response.writeHead(res.statusCode, res.headers).end(res.body);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port) {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const connected = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (connected) return;
    // Lets the end of the program be noticed.
    await new Promise(setImmediate);
  }
}
