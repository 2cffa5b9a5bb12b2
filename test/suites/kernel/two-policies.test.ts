import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { tcp } from "./attempt";
import {
  doorPort,
  families,
  type GatedLab,
  gateBefore,
  lookAt,
  openGatedLab,
  waitForOpen,
} from "./gated-lab";
import { addText, backendOf, loadText, type Variant, variants } from "./model-machine";
import { play, syn } from "./moves";

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(6);
});
afterAll(() => gated?.close());

const early = [syn(7_000), syn(8_000), syn(9_000)];
const late = [syn(7_100), syn(9_100), syn(8_100)];

function render(
  name: string,
  variant: Variant,
  ports: readonly number[],
  more: Partial<PolicyInput>,
): string {
  const gates = [gateBefore(tcp(...ports))];
  return renderPolicy(readPolicy({ name, backend: backendOf(variant), gates, ...more }));
}

describe.concurrent.each(families)("over %s", (family) => {
  test.for(
    variants.flatMap((variant) =>
      (["input", "prerouting"] as const).map((scope) => {
        const decides = variant !== "nftables" && scope === "input" ? "the one loaded last" : "both";
        return { variant, scope, decides };
      }),
    ),
  )(
    "of two policies of $variant at $scope that protect one port, the knock must open $decides",
    async ({ variant, scope, decides }) => {
      await gated.withHost(async (host) => {
        const address = host[family];
        await loadText(host, variant, render("early", variant, [7_000, 8_000, 9_000], { scope }));
        await addText(host, variant, render("late", variant, [7_100, 9_100, 8_100], { scope }));
        await play(early, address, gated);
        expect(await lookAt(gated.knocker, address, doorPort)).toBe("closed");
        await play(late, address, { knocker: gated.other, other: gated.other });
        const isEnough = decides === "the one loaded last";
        expect(await lookAt(gated.other, address, doorPort)).toBe(isEnough ? "open" : "closed");
        await play(late, address, gated);
        expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
      });
    },
  );
});
