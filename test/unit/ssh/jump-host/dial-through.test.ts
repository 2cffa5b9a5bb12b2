import { afterEach, beforeEach, expect, test } from "vitest";
import type { SshClient } from "../../../../src/ssh/client";
import { findJumpHost } from "../../../../src/ssh/jump-host/dial-through";
import type { ResolvedLogin } from "../../../../src/ssh/resolve";
import type { SshTransport } from "../../../../src/ssh/transport";
import { listen, type Receiver } from "../../knock/receiver";

const login: ResolvedLogin = {
  ...{ host: "bastion.test", port: 22, user: "root", ignoreHostKey: false },
  ...{ dialErrorLimit: 0, perDialTimeout: 1 },
};

let receiver: Receiver;
let events: string[];
beforeEach(async () => {
  receiver = await listen();
  events = [];
});
afterEach(() => receiver.close());

/** Dials a machine at 127.0.0.1. */
function makeTransport(): SshTransport<SshClient> {
  const client = (name: string): SshClient => ({
    name,
    converse: () => expect.unreachable(),
    quote: (said) => said,
    onClose: () => undefined,
    close: () => undefined,
  });
  return async (of) => ({
    login: of,
    findAddresses: async () => ({ addresses: ["127.0.0.1"], cutOff: [] }),
    dial: () => expect.unreachable(),
    dialThrough: () => expect.unreachable(),
    dialHost: async (name) => {
      events.push("dial");
      return client(name);
    },
  });
}

/** What opens the machine: one datagram for each connection. */
const openHop = ({ host }: ResolvedLogin) => ({
  tries: 1,
  next: () => {
    events.push(`knock at ${host}`);
    return [{ kind: "udp", port: receiver.port } as const];
  },
  succeed: () => events.push("opened"),
});

const naming = { role: "bastion ", field: "connection.proxy" };

test("a machine on the way is knocked at before each connection, and what opened is noted", async () => {
  const jumpHost = await findJumpHost(makeTransport(), login, { ...naming, openHop });
  expect(events).toEqual([]);
  await jumpHost.take();
  await jumpHost.take();
  jumpHost.close();
  const once = ["knock at bastion.test", "dial", "opened"];
  expect(events).toEqual([...once, ...once]);
  expect(await receiver.take(2)).toHaveLength(2);
});

test("a machine without a known gate is dialled as it is", async () => {
  const jumpHost = await findJumpHost(makeTransport(), login, { ...naming, openHop: () => undefined });
  await jumpHost.take();
  jumpHost.close();
  expect([events, receiver.rest]).toEqual([["dial"], []]);
});
