// The end of `npm run hosts`: makes docs/hosts.md of the results that are kept. A row that was not played on this
// machine keeps what the document says of it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readHosts, renderHead, renderHosts } from "./document";
import { matrix } from "./matrix";
import { type HostResult, resultsFolder } from "./row";

const place = join(__dirname, "..", "..", "..", "docs", "hosts.md");
const earlier = readHosts(readFileSync(place, "utf8"));
const text = renderHosts(matrix, (row) => {
  const path = join(resultsFolder, `${row.id}.json`);
  if (!existsSync(path)) return earlier.get(renderHead(row));
  return JSON.parse(readFileSync(path, "utf8")) as HostResult;
});
writeFileSync(place, text);
