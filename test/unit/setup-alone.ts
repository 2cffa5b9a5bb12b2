import { vi } from "vitest";

// The files share a process, in which a file before this one may have loaded a module that this one replaces.
vi.resetModules();
