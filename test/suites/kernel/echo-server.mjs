// Sends back all that it receives, on ports like "tcp:4022" or "udp:4053", over IPv4 and IPv6. Resets a connection that
// sends "reset".
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

for (const [protocol, port] of process.argv.slice(2).map((word) => word.split(":"))) {
  if (protocol === "tcp") {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => bytes.toString() === "reset" && socket.resetAndDestroy());
      socket.pipe(socket);
    });
    await once(server.listen(Number(port), "::"), "listening");
  } else {
    const socket = createSocket({ type: "udp6", ipv6Only: false });
    socket.on("message", (message, from) => socket.send(message, from.port, from.address));
    await once(socket.bind(Number(port)), "listening");
  }
}
console.log("ready");
