// node connect-repeatedly.mjs ADDRESS PORT
// Begins a connection every millisecond until its input ends. Then prints how many it began, how many were answered, and
// how many of the answers were a refusal. openMs is the time from the first answered one to the last.
import { connect } from "node:net";

const [address, port] = process.argv.slice(2);
const patienceMs = 150;
let [begun, answered, refused] = [0, 0, 0];
let [firstMs, lastMs] = [0, 0];

const timer = setInterval(() => {
  begun += 1;
  const startedMs = performance.now();
  const socket = connect({ host: address, port: Number(port) });
  const end = setTimeout(() => socket.destroy(), patienceMs);
  const answer = () => {
    answered += 1;
    firstMs = answered === 1 ? startedMs : Math.min(firstMs, startedMs);
    lastMs = Math.max(lastMs, startedMs + 1);
    clearTimeout(end);
    socket.destroy();
  };
  socket.on("connect", answer);
  socket.on("error", (error) => {
    if (!("code" in error) || error.code !== "ECONNREFUSED") return;
    refused += 1;
    answer();
  });
}, 1);
process.stdin.on("end", () => {
  clearInterval(timer);
  setTimeout(() => {
    process.stdout.write(JSON.stringify({ begun, answered, refused, openMs: Math.ceil(lastMs - firstMs) }));
    process.exit();
  }, 2 * patienceMs);
});
process.stdin.resume();
console.error("ready");
