import { connect, type Socket } from "node:net";
import { KnockgateError } from "../../errors.js";
import { findAddresses, tryEach } from "../addresses.js";
import { startClock } from "../retry.js";
import type { SshTransport } from "../transport.js";
import { type Credentials, openSsh, readCredentials, type Ssh2Client } from "./client.js";
import { joinWrites } from "./join-writes.js";

/** Logs in by the library ssh2. */
export const ssh2: SshTransport<Ssh2Client> = async (login, field) => {
  const credentials = await readCredentials(login, field);
  return {
    login,
    findAddresses: async () => ({ addresses: await findAddresses(login.host), cutOff: [] }),
    dial: (address, name, timeoutMs) => dialSsh(credentials, address, name, timeoutMs),
    dialHost: async (name, timeoutMs) =>
      tryEach(await findAddresses(login.host), (address) => {
        const place = address === login.host ? name : `${name} (${address})`;
        return dialSsh(credentials, address, place, timeoutMs);
      }),
    dialThrough: async (carrier, address, name, timeoutMs) => {
      const leftMs = startClock(timeoutMs);
      const stream = await carrier.forward(address, login.port, timeoutMs);
      return openSsh(credentials, stream, name, leftMs());
    },
  };
};

async function dialSsh(
  credentials: Credentials,
  address: string,
  name: string,
  timeoutMs: number,
): Promise<Ssh2Client> {
  const leftMs = startClock(timeoutMs);
  const socket = await dialTcp(address, credentials.login.port, name, timeoutMs);
  // Many small messages go back and forth: Nagle's algorithm would hold each until the other side's delayed ACK.
  socket.setNoDelay(true);
  return openSsh(credentials, joinWrites(socket), name, leftMs());
}

function dialTcp(address: string, port: number, name: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const fail = (why: string, cause?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause }));
    };
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => fail(`no answer within ${Math.round(timeoutMs) / 1_000} s`), timeoutMs);
    const onError = (error: Error): void => fail(error.message, error);
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}
