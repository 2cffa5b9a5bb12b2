// The end of `npm run hosts`: makes docs/hosts.md of the results that are kept.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderHosts } from "./document";
import { matrix } from "./matrix";
import { type HostResult, resultsFolder } from "./row";

const text = renderHosts(matrix, ({ id }) => {
  const path = join(resultsFolder, `${id}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as HostResult) : undefined;
});
writeFileSync(join(__dirname, "..", "..", "..", "docs", "hosts.md"), text);
