import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const answerLimitMs = 3_000;

/** A TCP connection from the outside to a server that echoes. */
export interface Session {
  /** Resolves when the same text came back. */
  echo(text: string): Promise<void>;
  /** Makes the server reset it. */
  provokeReset(): Promise<void>;
  /** Makes both ends reset it. The caller has made sure that neither reset gets through. */
  forget(): Promise<void>;
  close(): void;
}

export async function openSession(address: string, port: number, localPort?: number): Promise<Session> {
  const from = localPort === undefined ? {} : { localPort };
  const socket = connect({ host: address, port, timeout: answerLimitMs, ...from });
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  await once(socket, "connect");
  socket.on("error", () => undefined); // the next echo shows what became of the session
  return {
    echo: async (text) => {
      received = "";
      socket.write(text);
      const until = Date.now() + answerLimitMs;
      while (received !== text) {
        if (Date.now() > until) throw new Error(`a session with ${address} port ${port} got no answer`);
        await sleep(2);
      }
    },
    provokeReset: async () => {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.write("reset");
      await closed;
    },
    forget: async () => {
      socket.write("reset");
      await sleep(50);
      socket.resetAndDestroy();
      await sleep(50);
    },
    close: () => socket.resetAndDestroy(),
  };
}

/** Tries a SYN from a source port. A connection and a refusal are both answers. */
export function tryFromPort(
  address: string,
  port: number,
  localPort: number,
  waitMs: number,
): Promise<"open" | "refused" | "silent"> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, localPort });
    // The port is free again only when the socket is closed.
    const settle = (answer: "open" | "refused" | "silent") => {
      clearTimeout(timer);
      socket.once("close", () => resolve(answer));
      if (answer === "open") socket.resetAndDestroy();
      else socket.destroy();
    };
    const timer = setTimeout(() => settle("silent"), waitMs);
    socket.once("connect", () => settle("open"));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") settle("refused");
      else reject(error);
    });
  });
}

/** One UDP socket of the outside, connected to a port, so that it learns of a refusal. */
export interface DatagramSession {
  ask(waitMs: number): Promise<"answered" | "refused" | "silent">;
  close(): void;
}

export async function openDatagramSession(address: string, port: number): Promise<DatagramSession> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  let settle: (answer: "answered" | "refused") => void = () => undefined;
  socket.on("message", () => settle("answered"));
  socket.on("error", () => settle("refused"));
  socket.connect(port, address);
  await once(socket, "connect");
  return {
    ask: (waitMs) => {
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve("silent"), waitMs);
        settle = (answer) => {
          clearTimeout(timer);
          resolve(answer);
        };
        socket.send("?", (error) => {
          if (error !== null) settle("refused");
        });
      });
    },
    close: () => socket.close(),
  };
}

/** One datagram to a port, from a source port of its own. */
export async function askDatagram(address: string, port: number, waitMs: number) {
  const session = await openDatagramSession(address, port);
  try {
    return await session.ask(waitMs);
  } finally {
    session.close();
  }
}
