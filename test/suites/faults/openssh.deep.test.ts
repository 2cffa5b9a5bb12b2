// The matrix of faults (docs/faults.md) once more, with the deployer's own ssh as the transport.
import { describe, vi } from "vitest";
import { testMatrix } from "./play-matrix";

vi.setConfig({ maxConcurrency: 5, testTimeout: 600_000, hookTimeout: 600_000 });

describe("the matrix of faults by the transport openssh", () => void testMatrix(undefined, "openssh"));
