import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { joinWrites } from "../../../../src/ssh/ssh2/join-writes";

let server: Server;
let client: Socket;
let heard: string[];
let ended: Promise<unknown>;

beforeEach(async () => {
  heard = [];
  server = createServer((socket) => {
    ended = once(socket, "end");
    socket.setEncoding("utf8").on("data", (text: string) => heard.push(text));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  client = joinWrites(connect(address.port, "127.0.0.1"));
  await once(client, "connect");
  client.setNoDelay(true);
});
afterEach(() => {
  client.destroy();
  server.close();
});

test("what is written in one turn arrives together, and in order", async () => {
  for (const piece of ["length ", "payload ", "code"]) client.write(piece);
  await expect.poll(() => heard).toEqual(["length payload code"]);
  client.write("next");
  await expect.poll(() => heard).toEqual(["length payload code", "next"]);
});

test("nothing is lost when the socket is ended in the same turn", async () => {
  client.write("last ");
  client.end("words");
  await ended;
  expect(heard.join("")).toBe("last words");
});

test("a callback is called when its piece was written", async () => {
  const written: string[] = [];
  client.write("one", () => written.push("one"));
  client.write("two", "utf8", () => written.push("two"));
  await expect.poll(() => written).toEqual(["one", "two"]);
});
