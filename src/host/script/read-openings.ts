import { isIP } from "node:net";
import type { LoggedOpenings } from "../tokens.js";
import type { Reply } from "./program.js";

/** Reads what the host script says of openings in the host's log; `undefined` when the policy does not log them. */
export function readOpenings(reply: Reply): LoggedOpenings | undefined {
  const log = reply.values.get("log");
  if (log === undefined) return undefined;
  if (log !== "journal" && log !== "kernel") return { log: "none", openings: [] };
  const beganAt = log === "kernel" ? Number(reply.values.get("booted")) : 0;
  const lines = (reply.sections.get("openings") ?? "").split("\n").map((line) => line.split(" "));
  const oldest = lines.find(([word, , ...rest]) => word === "oldest" && rest.length === 0)?.[1];
  return {
    log,
    ...(oldest === undefined ? {} : { since: beganAt + Number(oldest) }),
    openings: lines.flatMap(([gate = "", user = "", seconds = "", source = ""]) => {
      const at = beganAt + Number(seconds);
      return isIP(source) === 0 || !Number.isSafeInteger(at) ? [] : [{ gate, user, at, source }];
    }),
  };
}
