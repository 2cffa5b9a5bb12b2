// Sends single packets from the network namespace it was started in. Requests and answers are JSON lines, so that a
// packet costs only a line, and not a process. Ends when its stdin does.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";

// The kernel repeats an unanswered SYN after 1 s. The attempt must end before.
const attemptLimitMs = 400;
// Long enough for a busy machine to see an answer: closing a connection before its answer is seen would send a FIN.
const fixedPortWaitMs = 40;
// With these errors no packet left. All other errors are a kind of answer.
const unsentCodes = ["EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "EINVAL", "ENETUNREACH", "EPERM", "ENOENT"];

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, request } = JSON.parse(line);
    try {
      answer({ id, value: request.kind === "knock" ? await knock(request) : await tryConnect(request) });
    } catch (error) {
      answer({ id, error: error.message });
    }
  })
  .on("close", () => process.exit());

function answer(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function knock({ to, steps, pauseMs, sourcePort }) {
  for (const [index, step] of steps.entries()) {
    await sendStep(to, step, pauseMs, sourcePort);
    if (pauseMs > 0 && index < steps.length - 1) await sleep(pauseMs);
  }
}

async function sendStep(to, step, pauseMs, sourcePort) {
  if (step.udp !== undefined) return sendDatagram(to, step.udp, sourcePort, step.payload);
  if (step.echo !== undefined) return sendPattern(to, step.echo);
  if (step.icmpPayloadBytes !== undefined) return sendEcho(to, step.icmpPayloadBytes);
  return sendSyn(to, step.tcp, pauseMs, sourcePort);
}

/** With a fixed source port the attempt has ended when this resolves, so that the next one may use the same port. */
async function sendSyn(host, port, pauseMs, localPort) {
  let unsent;
  const socket = connect({ host, port, ...(localPort === undefined ? {} : { localPort }) });
  socket.on("connect", () => socket.resetAndDestroy()); // a FIN would keep the port taken for a minute
  socket.on("error", (error) => {
    if (unsentCodes.includes(error.code)) unsent = error;
  });
  if (localPort === undefined) {
    await turn(); // node calls connect(2), which sends the SYN, before the next turn
    setTimeout(() => socket.destroy(), Math.min(Math.max(pauseMs, 50), attemptLimitMs));
  } else {
    await Promise.race([sleep(fixedPortWaitMs), new Promise((resolve) => socket.once("close", resolve))]);
    socket.destroy();
  }
  if (unsent !== undefined) throw unsent;
}

function sendDatagram(to, port, sourcePort, payload) {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(to) ? "udp6" : "udp4");
    socket.once("error", reject);
    const send = () => {
      socket.send(payload === undefined ? "knock" : Buffer.from(payload, "hex"), port, to, (error) => {
        socket.close();
        if (error) reject(error);
        else resolve();
      });
    };
    if (sourcePort === undefined) send();
    else socket.bind(sourcePort, send);
  });
}

/** Node cannot make raw sockets. */
function sendEcho(to, bytes) {
  return runPing("busybox", ["ping", isIPv6(to) ? "-6" : "-4", "-c", "1", "-s", String(bytes), to]);
}

/** The ping of iputils repeats the bytes over the whole payload, behind a time of 16 bytes. */
function sendPattern(to, { pattern, bytes }) {
  return runPing("ping", ["-c", "1", "-s", String(bytes), "-p", pattern, to], 1_000);
}

/** Resolves when ping has its answer, or after the limit. */
function runPing(program, argv, limitMs = 50) {
  return new Promise((resolve, reject) => {
    const ping = spawn(program, argv, { stdio: ["ignore", "pipe", "ignore"] });
    const timer = setTimeout(() => ping.kill("SIGKILL"), limitMs);
    ping.once("error", reject);
    ping.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function tryConnect({ address, port, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const settle = (result) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle("silent"), timeoutMs);
    socket.once("connect", () => settle("open"));
    socket.on("error", (error) => {
      if (error.code === "ECONNREFUSED") settle("refused");
      else reject(error);
    });
  });
}
