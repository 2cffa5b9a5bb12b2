import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { Client } from "ssh2";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hurryServer } from "../../../../src/ssh/ssh2/hurry";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A connection, and how many requests that do nothing were sent over it. */
function connect() {
  const stream = new PassThrough();
  const client = Object.assign(new EventEmitter(), { unforwardIn: vi.fn() });
  const stop = hurryServer(client as unknown as Client, stream);
  const hear = (): void => {
    stream.emit("data", Buffer.from("a message"));
    vi.advanceTimersByTime(5);
  };
  return { stream, client, stop, hear, sent: () => client.unforwardIn.mock.calls.length };
}

test("what a server sends is answered, messages that come together by one request", () => {
  const { stream, hear, sent } = connect();
  expect(sent()).toBe(0);
  hear();
  expect(sent()).toBe(1);
  stream.emit("data", Buffer.from("one"));
  stream.emit("data", Buffer.from("two"));
  vi.advanceTimersByTime(5);
  expect(sent()).toBe(2);
});

test("a server that answers each request is not asked forever", () => {
  const { hear, sent } = connect();
  for (let times = 0; times < 20; times += 1) hear();
  expect(sent()).toBe(4);
});

test.each([
  ["the first command runs", ({ stop }: ReturnType<typeof connect>) => stop()],
  ["the connection is closed", ({ client }: ReturnType<typeof connect>) => void client.emit("close")],
  ["the stream was ended", ({ stream }: ReturnType<typeof connect>) => void stream.end()],
])("nothing is sent after %s", (_when, end) => {
  const connection = connect();
  connection.stream.emit("data", Buffer.from("a message"));
  end(connection);
  vi.advanceTimersByTime(5);
  connection.hear();
  expect(connection.sent()).toBe(0);
});
