import type { Duplex } from "node:stream";
import type { Client } from "ssh2";

/** The kernel acknowledges at once if something is sent. This leaves ssh2 the time to send what it has. */
const patienceMs = 1;
/** A server that answers each request must not keep us busy. */
const mostRequests = 4;

/**
 * Answers what a server sends before the first command runs, by requests that do nothing. Until then OpenSSH's sshd
 * leaves Nagle's algorithm on: a small message waits there until the one before it is acknowledged, which this machine's
 * kernel does after 40 ms, unless it has something to send. Node has no TCP_QUICKACK (tcp(7)).
 *
 * @returns what ends that
 */
export function hurryServer(client: Client, stream: Duplex): () => void {
  let left = mostRequests;
  let timer: NodeJS.Timeout | undefined;
  const answer = (): void => {
    timer = undefined;
    if (left === 0 || !stream.writable) return;
    left -= 1;
    // No port was ever forwarded, so there is none to give back (RFC 4254, 7.1).
    client.unforwardIn("", 0, () => undefined);
  };
  const hear = (): void => {
    timer ??= setTimeout(answer, patienceMs);
  };
  const stop = (): void => {
    stream.off("data", hear);
    clearTimeout(timer);
  };
  stream.on("data", hear);
  client.once("close", stop);
  return stop;
}
