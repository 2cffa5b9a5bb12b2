import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import type { PolicyInput } from "../../../src/policy/policy";
import type { Family } from "../../../src/policy/prefix";
import { readPolicy } from "../../unit/policy/read-policy";
import { address, nameFlow, readAnswer, refusalOf, type SourceAddress, writeFrame } from "./model-frame";
import { type ModelMachine, openModelMachine } from "./model-machine";
import { canSendRawPackets } from "./raw-packet";

const variants = ["iptables-nft", "iptables-legacy"] as const;
const families = ["ipv4", "ipv6"] as const;
/** More than a list of xt_recent has room for (ip_list_tot). */
const floodSources = 120;
const doorPort = 4_022;

const hasPerl = canSendRawPackets();
if (!hasPerl) console.warn("skipped: forgotten sources, because there is no perl to craft packets");

const gate = (name: string, port: number, ports: readonly number[], strict = true) => ({
  name,
  protect: [{ tcp: `${port}` }],
  knock: { steps: ports.map((tcp) => ({ tcp })), stepTimeoutSeconds: 60, strict },
  openForSeconds: 60,
});
const ssh = gate("ssh", doorPort, [7_000, 8_000, 9_000]);
const web = gate("web", 4_443, [7_500, 8_500]);

describe.runIf(hasPerl || process.env["CI"] !== undefined).each(variants)("with %s", (variant) => {
  let machine: ModelMachine;
  beforeAll(async () => {
    machine = await openModelMachine(variants.indexOf(variant) + 60);
  });
  afterAll(() => machine?.close());

  async function load(...gates: PolicyInput["gates"]): Promise<void> {
    const limits = { firstStepsPerSecond: 0 };
    const policy = readPolicy({ name: "model", backend: "iptables", gates, limits });
    await machine.load(variant, renderPolicy(policy));
  }

  describe.each(families)(
    "over %s, for a source that the host forgot in a flood at another gate",
    (family) => {
      // Lists outlive a load, so each case has a source of its own.
      let client = sourceOf(family, 1);
      beforeEach(() => {
        client = sourceOf(family, nextClient++);
      });
      const send = (ports: readonly number[], source = client) =>
        sendSyns(
          machine,
          ports.map((port) => [source, port]),
        );
      const isOpen = async (source = client) => (await send([doorPort], source)) === 1;
      const flood = async (port = 7_500) => {
        const sources = Array.from({ length: floodSources }, (_, index) => sourceOf(family, 100 + index));
        await sendSyns(
          machine,
          sources.map((source) => [source, port]),
        );
      };

      test.each([true, false])(
        "the next step no longer counts, and a whole knock opens (strict: %s)",
        async (strict) => {
          await load({ ...ssh, knock: { ...ssh.knock, strict } }, web);
          await send([7_000]);
          await flood();
          await send([8_000, 9_000]);
          expect(await isOpen()).toBe(false);
          await send([7_000, 8_000, 9_000]);
          expect(await isOpen()).toBe(true);
        },
      );

      test("a sweep in order does not advance, with the flood in its midst", async () => {
        await load(ssh, web);
        for (const step of [7_000, 8_000]) {
          await send([step]);
          await flood();
          await send(range(step + 1, step + 1_000));
        }
        expect(await isOpen()).toBe(false);
      });

      test("a packet that begins at another gate puts it back to the start", async () => {
        await load(ssh, web);
        await send([7_000]);
        await flood();
        await send([7_500, 8_000, 9_000]);
        expect(await isOpen()).toBe(false);
        await send([7_000, 8_000]);
        await flood();
        await send([7_500, 9_000]);
        expect(await isOpen()).toBe(false);
      });

      test("a step that is another gate's first does not continue the old knock", async () => {
        await load(gate("ssh", doorPort, [7_000, 7_500, 9_000]), web);
        await send([7_000]);
        await flood();
        await send([7_500, 9_000]);
        expect(await isOpen()).toBe(false);
        await send([7_000, 7_500, 9_000]);
        expect(await isOpen()).toBe(true);
      });

      test("a first step at its own gate begins anew, without the old progress", async () => {
        await load(ssh, web);
        await send([7_000, 8_000]);
        await flood();
        await send([7_000, 9_000]);
        expect(await isOpen()).toBe(false);
      });

      test("a door that is open stays open", async () => {
        await load(ssh, web);
        await send([7_000, 8_000, 9_000]);
        await flood();
        expect(await isOpen()).toBe(true);
      });
    },
  );
});

let nextClient = 1_000;
let nextSourcePort = 1_024;

/** Resolves with the number of answers, each a reset: nothing listens there. */
async function sendSyns(
  machine: ModelMachine,
  syns: readonly (readonly [SourceAddress, number])[],
): Promise<number> {
  const number = () => (nextSourcePort = nextSourcePort === 65_535 ? 1_024 : nextSourcePort + 1);
  const packets = syns.map(([source, port]) => {
    return { source, packet: { kind: "tcp" as const, port, sourcePort: number() } };
  });
  const fence = {
    source: sourceOf("ipv4", 99),
    packet: { kind: "tcp" as const, port: 9, sourcePort: number() },
  };
  const frames = [...packets, fence].map(({ source, packet }) => writeFrame(source, packet));
  const back = await machine.exchange(frames, refusalOf(fence.source, 9, fence.packet.sourcePort));
  const flows = new Set(packets.map(({ source, packet }) => nameFlow(source, packet)));
  return back.map(readAnswer).filter((flow) => flow !== undefined && flows.has(flow)).length;
}

function sourceOf(family: Family, host: number): SourceAddress {
  return family === "ipv4"
    ? address("ipv4", [198, 18, host >> 8, host & 255])
    : address("ipv6", [0xfd88, 0, 0, 0, 0, 0, 0, host]);
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
