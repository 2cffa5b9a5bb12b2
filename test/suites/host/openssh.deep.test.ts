import { describe } from "vitest";
import { playOpenssh } from "./openssh-promises";

/** The oldest and the newest OpenSSH that the Debians of the tests have: 8.4, and 10. */
describe.each(["bullseye", "trixie"] as const)("a connection by the ssh of Debian %s", (suite) =>
  playOpenssh(suite),
);
