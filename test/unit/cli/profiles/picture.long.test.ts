import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jsQR from "jsqr";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { drawPicture, writePictureText } from "../../../../src/cli/commands/profile-export/picture";
import { paint } from "../../../../src/cli/framework/paint";
import { makeProfile, type Profile } from "../../../../src/knock/clients/profile";
import type { PolicyInput } from "../../../../src/policy/policy";
import { readPolicy } from "../../policy/read-policy";
import { play } from "../play";

const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const way = { host: "edge.example.org", port: 22, user: "ops", hostKey };

const [white, black] = [255, 0];

let home: string;
let environment: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "knockgate-cli-"));
  environment = { XDG_CONFIG_HOME: home };
});
afterEach(() => rmSync(home, { recursive: true }));

function makeTokenProfile(host = way.host, gates = ["ssh"]): Profile {
  const policy: PolicyInput = {
    name: "edge",
    users: [{ name: "ada", key }],
    gates: gates.map((name, index) => ({
      name,
      protect: [{ tcp: `${22 + index}` }],
      knock: { token: { udp: 62_201 + index } },
    })),
  };
  return makeProfile("edge", { ...way, host }, readPolicy(policy));
}

async function keep(profile: Profile): Promise<void> {
  expect(await play(["profile", "add", "-"], { environment, input: JSON.stringify(profile) })).toMatchObject({
    exitCode: 0,
  });
}

/** The upper and the lower half of a sign: whether it has the colour of letters. */
const halves: Readonly<Record<string, readonly [boolean, boolean]>> = {
  "█": [true, true],
  "▀": [true, false],
  "▄": [false, true],
  " ": [false, false],
};

/**
 * Photographs lines of a terminal whose letters and ground have these colours, and reads the code in the picture.
 *
 * @param inversionAttempts whether negatives are read. jsQR has no other default than what it was called with last.
 */
function scan(
  lines: readonly string[],
  letters: number,
  ground: number,
  inversionAttempts: "dontInvert" | "invertFirst" = "dontInvert",
): string | undefined {
  const scale = 3;
  const margin = 6;
  const rows = lines.flatMap((line) => [0, 1].map((half) => [...line].map((sign) => halves[sign]?.[half])));
  const columns = lines[0]?.length ?? 0;
  const [width, height] = [columns + 2 * margin, rows.length + 2 * margin].map((size) => size * scale) as [
    number,
    number,
  ];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const isLetter = rows[Math.floor(y / scale) - margin]?.[Math.floor(x / scale) - margin] ?? false;
      pixels.fill(isLetter ? letters : ground, 4 * (y * width + x), 4 * (y * width + x) + 3);
    }
  }
  return jsQR(pixels, width, height, { inversionAttempts })?.data;
}

describe("a profile as a picture", () => {
  test("is read by a camera, and added elsewhere as the same profile", async () => {
    const profile = makeTokenProfile();
    await keep(profile);
    const { exitCode, out, err } = await play(["profile", "export", "edge", "--as", "qr"], { environment });
    expect([exitCode, err]).toEqual([0, ""]);
    const text = scan(out.trimEnd().split("\n"), white, black);
    const elsewhere = { XDG_CONFIG_HOME: join(home, "elsewhere") };
    await play(["profile", "add", "-"], { environment: elsewhere, input: text ?? "" });
    const kept = (folder: string) => readFileSync(join(folder, "knockgate", "profiles", "edge.json"), "utf8");
    expect(kept(elsewhere.XDG_CONFIG_HOME)).toBe(kept(home));
    expect(JSON.parse(text ?? "")).toEqual(profile);
  });

  test("has colours of its own on a terminal, so that it is the same on a light and on a dark one", async () => {
    await keep(makeTokenProfile());
    const words = ["profile", "export", "edge", "--as", "qr"];
    const { out: plain } = await play(words, { environment });
    const { out } = await play(words, { environment, columns: 200, paint });
    const [letters, ground, reset] = ["\x1b[38;5;231", ";48;5;16m", "\x1b[0m"];
    const lines = plain.trimEnd().split("\n");
    expect(out).toBe(lines.map((line) => `${letters}${ground}${line}${reset}\n`).join(""));
  });

  test("is a negative where a light terminal has no colours", async () => {
    const lines = drawPicture("edge", "knock", undefined);
    expect(scan(lines, black, white)).toBeUndefined();
    expect(scan(lines, black, white, "invertFirst")).toBe("knock");
  });

  test("has four light modules on each side", () => {
    const lines = drawPicture("edge", "knock", undefined);
    const sides = [lines.slice(0, 2), lines.slice(-2)].flat().join("");
    expect(sides).toMatch(/^█+$/);
    for (const line of lines) expect(line).toMatch(/^█{4}.{21}█{4}$/);
  });

  test("has the size that docs/clients.md says, if its gate has a token", async () => {
    const lines = drawPicture("edge", writePictureText(makeTokenProfile()), undefined);
    const page = readFileSync(join(__dirname, "../../../../docs/clients.md"), "utf8");
    expect(page).toContain(`makes a picture of ${lines[0]?.length} columns and ${lines.length} lines`);
  });

  test("is drawn only when asked, with a warning beside it that has no key", async () => {
    await keep(makeTokenProfile());
    expect((await play(["profile", "export", "edge"], { environment })).notes).toEqual([]);
    const { notes } = await play(["profile", "export", "edge", "--as", "qr"], { environment });
    expect(notes).toEqual([
      expect.stringMatching(/^warning: whoever sees this picture can open edge \(ssh\)/),
    ]);
    expect(notes.join()).not.toContain(key);
  });

  test("holds all gates, or the one that is named", async () => {
    await keep(makeTokenProfile(way.host, ["ssh", "web"]));
    const read = async (...words: readonly string[]) => {
      const { out } = await play(["profile", "export", "edge", "--as", "qr", "--json", ...words], {
        environment,
      });
      const { qr } = JSON.parse(out);
      return JSON.parse(qr).gates.map(({ gate }: { gate: string }) => gate);
    };
    expect(await read()).toEqual(["ssh", "web"]);
    expect(await read("--gate", "web")).toEqual(["web"]);
    expect(
      await play(["profile", "export", "edge", "--as", "qr", "--gate", "none"], { environment }),
    ).toMatchObject({ exitCode: 2, out: "", notes: [] });
  });

  test("holds letters beyond ASCII, which readers decode in different ways", async () => {
    const profile = makeTokenProfile("bücher.example");
    await keep(profile);
    const { out } = await play(["profile", "export", "edge", "--as", "qr"], { environment });
    const text = scan(out.trimEnd().split("\n"), white, black) ?? "";
    expect(text).toMatch(/^[ -~]+$/);
    expect(JSON.parse(text)).toEqual(profile);
  });
});

describe("there is no picture", () => {
  test("of more bytes than a code holds", () => {
    expect(scan(drawPicture("edge", "k".repeat(2_953), undefined), white, black)).toBe("k".repeat(2_953));
    expect(() => drawPicture("edge", "k".repeat(2_954), undefined)).toThrow(
      "profile edge: it has 2954 bytes, and a QR code holds at most 2953",
    );
  });

  test("on a terminal that would break its lines", async () => {
    await keep(makeTokenProfile());
    const words = ["profile", "export", "edge", "--as", "qr"];
    const [line = ""] = (await play(words, { environment })).out.split("\n");
    expect((await play(words, { environment, columns: line.length })).exitCode).toBe(0);
    const narrow = await play(words, { environment, columns: line.length - 1 });
    expect(narrow).toMatchObject({ exitCode: 3, out: "", notes: [] });
    expect(narrow.err).toContain(`is ${line.length} columns wide, and the terminal ${line.length - 1}`);
    expect(narrow.err).not.toContain(key);
  });
});
