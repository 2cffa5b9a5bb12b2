import type { ClientTokens } from "../../../../src/knock/clients/client-knock";

/** What a client of the user ada knows of a gate. */
export const adasTokens: ClientTokens = {
  kind: "tokens",
  carrier: { kind: "udp", port: 62_201 },
  user: "ada",
  key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ",
  policy: "edge",
  gate: "ssh",
  host: "edge.example.org",
  settings: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
};
