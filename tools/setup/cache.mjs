// The tests and the bench import this, too: it only looks, and prints nothing.
import { homedir } from "node:os";
import { join } from "node:path";

/** Where a user keeps what all checkouts share, such as root file systems. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "knockgate");
