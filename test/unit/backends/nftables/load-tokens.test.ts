import { expect, test } from "vitest";
import type { LoadedTable } from "../../../../src/backends/backend";
import { planLoad } from "../../../../src/backends/load";
import { lowerForBackend } from "../../../../src/backends/render";
import type { PolicyInput } from "../../../../src/policy/policy";
import { readPolicy } from "../../policy/read-policy";
import { describeTable } from "../loaded-table";

const client = "198.51.100.7";
const table = "inet knockgate_edge";
const ada = { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" };
const ben = { name: "ben", key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW" };
const cid = { name: "cid", key: "ocrD3rI0zNY0xQrKd0XZiaLd2oThlgvbnWh-gVDaSmM" };

function declare(users: PolicyInput["users"], tokens: PolicyInput["tokens"] = {}) {
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }];
  return readPolicy({ name: "edge", users, gates, tokens });
}

const all = declare([ada, ben, cid]);
const loaded = describeTable(lowerForBackend(all));

/** The names of sets that a load deletes, flushes or adds. */
function listTouched(users: PolicyInput["users"], tokens?: PolicyInput["tokens"], from = loaded) {
  const load = planLoad(declare(users, tokens), from, client);
  const lines = load.text.split("\n").filter((line) => /^(delete|flush|add) set /.test(line));
  const touched = lines.map((line) => line.replace(`${table} `, "").replace(/ \{.*/, ""));
  return { kind: load.kind, touched: touched.map((line) => line.replace(/_[0-9a-f]{8}$/, "_LABEL")) };
}

test("a load of the same policy touches no set of tokens", () => {
  expect(listTouched([ada, ben, cid])).toEqual({ kind: "refill", touched: [] });
});

test("one user less: only that user's set goes", () => {
  expect(listTouched([ada, cid])).toEqual({ kind: "refill", touched: ["delete set ssh_user_ben_LABEL"] });
  expect(listTouched([ben, cid])).toEqual({ kind: "refill", touched: ["delete set ssh_user_ada_LABEL"] });
});

test("one user more: only that user's set comes", () => {
  const before = describeTable(lowerForBackend(declare([ada, cid])));
  expect(listTouched([ada, ben, cid], {}, before)).toEqual({
    kind: "refill",
    touched: ["add set ssh_user_ben_LABEL"],
  });
});

test("a new key is a new set, and takes the old one away", () => {
  expect(listTouched([ada, { ...ben, key: `${ben.key}2` }, cid])).toEqual({
    kind: "refill",
    touched: ["delete set ssh_user_ben_LABEL", "add set ssh_user_ben_LABEL"],
  });
});

test("another horizon makes all sets anew and keeps the doors open", () => {
  const { kind, touched } = listTouched([ada, ben, cid], { horizonDays: 2 });
  expect(kind).toBe("refill");
  expect(touched).toEqual([
    "delete set tokens_32768",
    ...["ada", "ben", "cid"].map((name) => `delete set ssh_user_${name}_LABEL`),
    "add set tokens_16384",
    ...["ada", "ben", "cid"].map((name) => `add set ssh_user_${name}_LABEL`),
  ]);
});

test.each<readonly [string, Partial<LoadedTable["sets"][number]>]>([
  ["another size", { size: 8 }],
  ["no timeouts", { flags: [] }],
])("a set of tokens with %s can only be replaced", (_, wrong) => {
  const sets = loaded.sets.map((set) => (set.name.startsWith("tokens_") ? { ...set, ...wrong } : set));
  expect(planLoad(all, { ...loaded, sets }, client).kind).toBe("replace");
});

test.each(["integer", "type 0", "undefined"])("a set whose type nft lists as %j is kept", (type) => {
  const sets = loaded.sets.map((set) => (set.type === "integer" ? { ...set, type } : set));
  expect(planLoad(all, { ...loaded, sets }, client).kind).toBe("refill");
});
