import { describe } from "vitest";
import { playOpenssh } from "./openssh-promises";

describe("a connection by this machine's ssh", () => playOpenssh());
