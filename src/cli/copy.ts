import { connect, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { KnockgateError } from "../errors.js";

/** After that long without a byte the kernel asks whether the other side is still there. */
const keepAliveMs = 30_000;

/** Connects with a port; `undefined` when nothing came back within the time. */
export function dialPort(
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Socket | "refused" | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const giveUp = (answer: "refused" | undefined): void => {
      clearTimeout(timer);
      // With it goes the SYN that the kernel would else send once more, into the next knock.
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => giveUp(undefined), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void =>
      giveUp(error.code === "ECONNREFUSED" ? "refused" : undefined);
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
      resolve(socket);
    });
  });
}

/**
 * Copies from an input to a connection and from the connection to an output, until the connection has ended.
 *
 * @param hear is given what comes from the connection, too
 * @throws KnockgateError `UNREACHABLE` when it broke
 */
export function copyBothWays(
  socket: Socket,
  input: Readable,
  output: Writable,
  hear: (chunk: Buffer) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("data", hear);
    socket.once("error", (cause) => {
      reject(new KnockgateError("UNREACHABLE", `the connection broke: ${cause.message}`, { cause }));
    });
    // Nobody reads any more: what the host still sends is for nobody.
    output.once("error", () => socket.destroy());
    socket.once("close", () => {
      input.destroy();
      resolve();
    });
    input.pipe(socket);
    socket.pipe(output, { end: false });
  });
}
