// node connect-repeatedly.mjs ADDRESS PORT
// Begins a connection every millisecond until its input ends. Then prints how many it began, how many were answered, how
// many of the answers were a refusal, and for how many milliseconds the port answered in all: each answer counts for the
// time until the next connection was begun.
import { connect } from "node:net";

const [address, port] = process.argv.slice(2);
const patienceMs = 150;
let [begun, answered, refused] = [0, 0, 0];
/** When each connection was begun, and the numbers of those that were answered. */
const beginnings = [];
const answeredNumbers = [];

const timer = setInterval(() => {
  const number = begun;
  begun += 1;
  beginnings.push(performance.now());
  const socket = connect({ host: address, port: Number(port) });
  const end = setTimeout(() => socket.destroy(), patienceMs);
  const answer = () => {
    answered += 1;
    answeredNumbers.push(number);
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
  beginnings.push(performance.now());
  setTimeout(() => {
    const lengths = answeredNumbers.map((number) => beginnings[number + 1] - beginnings[number]);
    const openMs = Math.round(lengths.reduce((sum, length) => sum + length, 0));
    process.stdout.write(JSON.stringify({ begun, answered, refused, openMs }));
    process.exit();
  }, 2 * patienceMs);
});
process.stdin.resume();
console.error("ready");
