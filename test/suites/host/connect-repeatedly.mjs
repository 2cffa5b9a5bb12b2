// node connect-repeatedly.mjs ADDRESS PORT
// Begins a connection every millisecond until its input ends. Then prints how many it began, how many were
// answered, and how long that took.
import { connect } from "node:net";

const [address, port] = process.argv.slice(2);
const patienceMs = 150;
let [begun, answered] = [0, 0];
const startedMs = performance.now();

const timer = setInterval(() => {
  begun += 1;
  const socket = connect({ host: address, port: Number(port) });
  const end = setTimeout(() => socket.destroy(), patienceMs);
  const answer = () => {
    answered += 1;
    clearTimeout(end);
    socket.destroy();
  };
  socket.on("connect", answer);
  socket.on("error", (error) => {
    if ("code" in error && error.code === "ECONNREFUSED") answer();
  });
}, 1);
process.stdin.on("end", () => {
  clearInterval(timer);
  const elapsedMs = performance.now() - startedMs;
  setTimeout(() => {
    process.stdout.write(JSON.stringify({ begun, answered, elapsedMs }));
    process.exit();
  }, 2 * patienceMs);
});
process.stdin.resume();
console.error("ready");
