import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { KnockgateError } from "../../errors.js";

/**
 * Loads a module and returns its export `policy`, else its default. Node itself runs TypeScript where it can (from
 * 22.18 on), else tsx does, if that is installed beside the module or beside knockgate.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without the module's own message: it may quote a knock
 */
export async function loadModule(url: URL): Promise<unknown> {
  const exported = await importModule(url).catch((cause: unknown) => {
    if (cause instanceof KnockgateError) throw cause;
    const what = cause instanceof Error && /^[A-Za-z]{1,40}$/.test(cause.name) ? cause.name : "no error";
    throw new KnockgateError("ARGUMENTS_INVALID", `${url.pathname}: it could not be loaded (${what})`, {
      cause,
    });
  });
  const { policy, default: whole } = exported;
  // A default export that TypeScript compiled to CommonJS has a default of its own.
  const inner = whole as { readonly policy?: unknown; readonly default?: unknown } | undefined;
  return policy ?? inner?.policy ?? inner?.default ?? whole;
}

/** The part of `tsx/cjs/api` that is used. */
interface Tsx {
  require(path: string, from: string): Exported;
}

type Exported = Readonly<Record<string, unknown>>;

async function importModule(url: URL): Promise<Exported> {
  const isTypeScript = /\.[cm]?ts$/.test(url.pathname);
  const canRun = "typescript" in process.features && process.features.typescript !== false;
  if (!isTypeScript || canRun) return import(url.href);
  const tsx: Tsx = (await import(findTsx(url))).default;
  return tsx.require(fileURLToPath(url), fileURLToPath(url));
}

function findTsx(url: URL): string {
  for (const from of [url, pathToFileURL(__filename)]) {
    try {
      return pathToFileURL(createRequire(from).resolve("tsx/cjs/api")).href;
    } catch {
      // It is not there. Try the next place.
    }
  }
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    `${url.pathname}: TypeScript needs Node 22.18 or newer, or tsx beside it (npm install --save-dev tsx)`,
  );
}
