import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface Receiver {
  readonly port: number;
  /** Waits for datagrams, and returns their payloads as hex digits in the order in which they came. */
  take(count: number): Promise<readonly string[]>;
  /** What came and was not taken. */
  readonly rest: readonly string[];
  close(): void;
}

/** Receives datagrams on a port of 127.0.0.1. */
export async function listen(): Promise<Receiver> {
  const socket = createSocket("udp4");
  const came: string[] = [];
  socket.on("message", (payload) => came.push(payload.toString("hex")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    rest: came,
    close: () => socket.close(),
    take: async (count) => {
      const last = Date.now() + 10_000;
      while (came.length < count && Date.now() < last) await new Promise((resolve) => setTimeout(resolve, 5));
      return came.splice(0, count);
    },
  };
}
