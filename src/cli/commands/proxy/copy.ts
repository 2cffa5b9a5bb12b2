import { connect, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { KnockgateError } from "../../../errors.js";

/** After this time without a byte, the kernel checks whether the other side is still there. */
const keepAliveMs = 30_000;

/** Connects to a port; `undefined` when nothing came back in time. */
export function dialPort(
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Socket | "refused" | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const giveUp = (answer: "refused" | undefined): void => {
      clearTimeout(timer);
      // This also drops the SYN, which the kernel would otherwise retransmit into the next knock.
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
 * Copies from an input to a connection and from the connection to an output, until the connection ends.
 *
 * @param hear also gets what comes from the connection
 * @throws KnockgateError `UNREACHABLE` when the connection broke
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
    // The reader of the output is gone, so nobody needs what the host still sends.
    output.once("error", () => socket.destroy());
    socket.once("close", () => {
      input.destroy();
      resolve();
    });
    input.pipe(socket);
    socket.pipe(output, { end: false });
  });
}
