import { connect } from "node:net";
import { KnockgateError } from "../../errors.js";
import { runPerl } from "../../knock/local-perl.js";
import { askPorts } from "../../knock/packet-program.js";
import { describeHangUp, listenForBanner } from "../../ssh/hang-up.js";

/**
 * Probes the port of an SSH server. Where this machine can do that, the server does not notice: it penalizes a source
 * that connects without logging in, and whoever knocks logs in next.
 *
 * @returns `undefined` when nothing came back
 * @throws KnockgateError `UNREACHABLE` when the server takes connections and hangs up
 */
export async function askSsh(
  address: string,
  port: number,
  timeoutMs: number,
  waitsForBanner: boolean,
): Promise<"open" | "refused" | undefined> {
  if (waitsForBanner || process.platform !== "linux") return readBanner(address, port, timeoutMs);
  const answers = await runPerl(askPorts(address, [port], timeoutMs)).catch(() => undefined);
  if (answers === undefined) return readBanner(address, port, timeoutMs);
  const word = answers.find((line) => line.startsWith(`port ${port} `))?.split(" ")[2];
  return word === "open" || word === "refused" ? word : undefined;
}

/** Connects and waits for the SSH banner. A server that accepts the connection and stays silent counts as open. */
function readBanner(
  address: string,
  port: number,
  timeoutMs: number,
): Promise<"open" | "refused" | undefined> {
  const beginning = listenForBanner();
  let isConnected = false;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const end = (answer: "open" | "refused" | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(isConnected ? "open" : undefined), timeoutMs);
    socket.once("connect", () => {
      isConnected = true;
    });
    socket.on("data", (chunk) => {
      beginning.hear(chunk);
      if (beginning.isSsh) end("open");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (!isConnected) end(error.code === "ECONNREFUSED" ? "refused" : undefined);
    });
    socket.once("close", () => {
      clearTimeout(timer);
      if (isConnected && !beginning.isSsh)
        reject(
          new KnockgateError(
            "UNREACHABLE",
            `${address}: the gate is open, but ${describeHangUp(beginning.said)}`,
          ),
        );
      resolve(undefined);
    });
  });
}
