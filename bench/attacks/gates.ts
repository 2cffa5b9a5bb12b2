import { type ForgedPackets, takeAnySource } from "../../lab/forged-packets";
import { readCounter } from "../../lab/nft-counter";
import { tokenOf } from "../../src/policy/token";
import type { BenchHost } from "../hosts/bench-hosts";
import { configureFwknop, countFwknopOpenings, makeFwknopKeys, spaPort, startFwknopd } from "../hosts/fwknop";
import { countKnockdOpenings, startKnockd } from "../hosts/knockd";
import {
  controlPort,
  countLetmeinOpenings,
  letmeinBytes,
  makeLetmeinKey,
  makeLetmeinKnock,
  startLetmeind,
} from "../hosts/letmein";
import { loadRuleset } from "../hosts/load-ruleset";
import { loadTokens } from "../hosts/load-tokens";
import type { KnockStep } from "../hosts/prober";
import { renderOurs, shapeGates, shapeTokenPolicy, tokenPort } from "../hosts/rulesets";

/** A door that opens to a knock, on two hosts of a fleet that have the same secrets. */
export interface AttackedGate {
  readonly subject: string;
  readonly host: BenchHost;
  readonly other: BenchHost;
  /** Packets that look like the first one of a knock. */
  readonly begin: Pick<ForgedPackets, "kind" | "ports">;
  /** Makes a knock of the client's for `host`: it was never sent before. */
  makeKnock(): Promise<Knock>;
  /** How often a host's door was opened. */
  countOpenings(host: BenchHost): Promise<number>;
}

export interface Knock {
  readonly steps: readonly KnockStep[];
  /** The same packets once more, as somebody saw them on their way. */
  replay(): readonly KnockStep[];
}

/** The client's own address on its link to a host. */
export function clientOf({ address }: BenchHost): string {
  return address.replace(/2$/, "1");
}

/** Opens each gate on two hosts. */
export async function openGates(take: () => BenchHost, directory: string): Promise<readonly AttackedGate[]> {
  const opened: AttackedGate[] = [];
  for (const open of [openToken, openSequence, openKnockd, openFwknop, openLetmein]) {
    const pair = { host: take(), other: take() };
    await takeAnySource(pair.host.machine, "direct");
    opened.push(await open(pair, directory));
  }
  return opened;
}

type Pair = Pick<AttackedGate, "host" | "other">;

const tokens = 10_000;
/** The kernel does not know of slots. */
const firstSlot = 29_940_000;

async function openToken({ host, other }: Pair): Promise<AttackedGate> {
  const policy = shapeTokenPolicy(1);
  const write = (name: string, { key, gate }: { key: string; gate: string }, slot: number) => {
    return tokenOf(key, { policy: policy.name, gate, host: name, slot: firstSlot + slot });
  };
  for (const { machine, address } of [host, other]) {
    await loadTokens(machine, policy, (owner) => {
      return Array.from({ length: tokens }, (_, slot) => write(address, owner, slot));
    });
  }
  const owner = { key: policy.users[0]?.key ?? "", gate: "gate1" };
  let next = 0;
  return {
    subject: "token",
    host,
    other,
    begin: { kind: { payloadBytes: 16 }, ports: `${tokenPort}` },
    makeKnock: async () => {
      next += 1;
      return sayAgain([
        { udp: tokenPort, payload: Buffer.from(write(host.address, owner, next - 1), "hex") },
      ]);
    },
    countOpenings: countOurs,
  };
}

async function openSequence({ host, other }: Pair): Promise<AttackedGate> {
  const gates = shapeGates(1);
  for (const { machine } of [host, other]) {
    await loadRuleset(machine, "nftables", renderOurs("nftables", gates));
  }
  return { subject: "sequence", host, other, ...sequenceOf(gates[0]?.steps), countOpenings: countOurs };
}

async function openKnockd({ host, other }: Pair): Promise<AttackedGate> {
  const [gate] = shapeGates(1);
  for (const one of [host, other]) await startKnockd(one, "nft", gate?.steps ?? []);
  return { subject: "knockd", host, other, ...sequenceOf(gate?.steps), countOpenings: countKnockdOpenings };
}

async function openFwknop({ host, other }: Pair, directory: string): Promise<AttackedGate> {
  const keys = makeFwknopKeys();
  for (const one of [host, other]) await startFwknopd(one, keys);
  const client = configureFwknop(host, keys, directory);
  const { payload } = await client.makePacket(clientOf(host));
  let asked = 0;
  return {
    subject: "fwknop",
    host,
    other,
    begin: { kind: { payloadBytes: payload.length }, ports: `${spaPort}` },
    // Each asks for another address: for one that has a rule until the same second, fwknopd adds and logs none.
    makeKnock: async () => {
      asked += 1;
      return sayAgain([await client.makePacket(`198.18.${asked >> 8}.${asked & 255}`)]);
    },
    countOpenings: countFwknopOpenings,
  };
}

async function openLetmein({ host, other }: Pair): Promise<AttackedGate> {
  const key = makeLetmeinKey();
  for (const one of [host, other]) await startLetmeind(one, key);
  return {
    subject: "letmein",
    host,
    other,
    begin: { kind: { payloadBytes: letmeinBytes }, ports: `${controlPort}` },
    makeKnock: async () => {
      let seen: Buffer = Buffer.alloc(0);
      const step = makeLetmeinKnock(key, (response) => {
        seen = response;
      });
      return { steps: [step], replay: () => [{ ...step, reply: () => seen }] };
    },
    countOpenings: countLetmeinOpenings,
  };
}

function sequenceOf(ports: readonly number[] = []): Pick<AttackedGate, "begin" | "makeKnock"> {
  return {
    begin: { kind: "syn", ports: `${ports[0]}` },
    makeKnock: async () => sayAgain(ports.map((tcp) => ({ tcp }))),
  };
}

function sayAgain(steps: readonly KnockStep[]): Knock {
  return { steps, replay: () => steps };
}

function countOurs({ machine }: BenchHost): Promise<number> {
  return readCounter(machine, "knockgate_bench", "gate1_opened");
}
