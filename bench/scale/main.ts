// What it costs to have many hosts in one stack: see docs/scale.md. usage: npm run scale -- [OPTIONS]
//   --hosts N           fakes: N hosts that answer at once, in place of the transport (default 100)
//   --lab N             N real hosts of the lab instead
//   --subjects A,B,...  of floor, gates, ballast, fleet, wave (default: all but wave for fakes, fleet for the lab)
//   --acts A            "all", or only "up", if the others would take too long (default all)
//   --broken N          this many hosts of a fleet's second wave are broken, each in another way; needs --lab
//   --parallel N        the engine's --parallel (default: its own, four times the processors)
//   --checkpoints MODE  "every": the state is written at each step; "last": once, at the end (default every)
//   --backend NAME      "files", or "postgres": a PostgreSQL server of its own keeps the states (default files)
//   --ballast BYTES     size of the no-ops' argument in "ballast" (default: makes their state as large as that of
// gates)
//   --gates A,B,...     measures only what policies of A, B, ... gates cost the provider's process
//   --json FILE         also writes the figures there
//   --log FILE          writes all that the engine printed there
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeDirectory, removeDirectory } from "../../lab/directory";
import { makeLogin } from "./login";
import { measurePolicies } from "./policy-cost";
import { startPostgres } from "./postgres";
import { runRollout } from "./rollout";
import { runSeries, type Series } from "./series";
import { keepInFiles, type StateBackend } from "./state-backend";
import { chooseBallast } from "./state-size";
import { type Declared, type SubjectName, subjects } from "./subjects";
import { renderTable } from "./table";
import { nameFakes, openLabTargets } from "./targets";

const { values } = parseArgs({
  options: {
    gates: { type: "string" },
    hosts: { type: "string", default: "100" },
    lab: { type: "string" },
    subjects: { type: "string" },
    acts: { type: "string", default: "all" },
    broken: { type: "string", default: "0" },
    parallel: { type: "string" },
    checkpoints: { type: "string", default: "every" },
    backend: { type: "string", default: "files" },
    ballast: { type: "string" },
    json: { type: "string" },
    log: { type: "string" },
  },
});

type Results = Partial<Record<SubjectName, Series>>;

async function main(): Promise<void> {
  if (values.gates !== undefined) {
    return console.log(await measurePolicies(values.gates.split(",").map(Number)));
  }
  const names = listSubjects();
  const directory = makeDirectory();
  try {
    if (names.length > 1) return runEach(directory, names);
    await runOne(directory, names[0] ?? "floor");
  } finally {
    removeDirectory(directory);
  }
}

/** Each subject runs in a process of its own: otherwise the memory of one would count for the next. */
function runEach(directory: string, names: readonly SubjectName[]): void {
  const file = join(directory, "one.json");
  const results: Results = {};
  for (const name of names) {
    const own = [
      "--subjects",
      name,
      "--ballast",
      `${chooseBallast(results.gates?.state, results.floor?.state)}`,
      "--json",
      file,
    ];
    const args = [...process.execArgv, __filename, ...process.argv.slice(2), ...own];
    const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`${name}: its measurement ended with ${status}`);
    const { results: found, ...facts }: { readonly results: Results } = JSON.parse(
      readFileSync(file, "utf8"),
    );
    const series = found[name];
    if (series === undefined) throw new Error(`${name}: its measurement left no figures`);
    results[name] = series;
    if (Object.keys(results).length === 1) console.log(JSON.stringify(facts));
    console.log(renderTable(name, series, results.floor));
    keep({ ...facts, arguments: values, results });
  }
}

async function runOne(directory: string, name: SubjectName): Promise<void> {
  prepareEnvironment(directory);
  const backend = await startBackend(directory);
  if (backend.url !== undefined) process.env["PULUMI_BACKEND_URL"] = backend.url;
  try {
    await measureOne(directory, name, backend);
  } finally {
    await backend.close();
  }
}

function startBackend(directory: string): StateBackend | Promise<StateBackend> {
  const { backend } = values;
  if (backend === "files") return keepInFiles(directory);
  if (backend === "postgres") return startPostgres();
  throw new Error(`--backend: ${backend} is neither files nor postgres`);
}

async function measureOne(directory: string, name: SubjectName, backend: StateBackend): Promise<void> {
  const login = await makeLogin(directory);
  const targets =
    values.lab === undefined
      ? nameFakes(readCount("hosts"), login.publicKey)
      : await openLabTargets(readCount("lab"), login);
  const ballast = Number(values.ballast ?? 0);
  const declared: Declared = { hosts: targets.hosts, login: login.login, turns: new Map(), ballast };
  const engine = {
    backend,
    hasOnlyUp: values.acts === "up",
    parallel: values.parallel === undefined ? undefined : readCount("parallel"),
    onOutput: (text: string) => {
      if (values.log !== undefined) appendFileSync(values.log, text);
    },
  };
  const facts = { at: new Date().toISOString(), arguments: values, ...targets.facts };
  try {
    if (values.broken !== "0") {
      const broken = await targets.breakHosts(readCount("broken"));
      const rollout = await runRollout(directory, declared, broken, engine);
      console.log(JSON.stringify({ ...facts, rollout }, undefined, 2));
      return keep({ ...facts, rollout });
    }
    const series = await runSeries(directory, name, declared, engine);
    console.log(`${JSON.stringify(facts)}\n${renderTable(name, series, undefined)}`);
    keep({ ...facts, results: { [name]: series } });
  } finally {
    await targets.close();
  }
}

/** The environment of the engine and the providers' processes. The engine passes all of it on. */
function prepareEnvironment(directory: string): void {
  const watcher = join(__dirname, "watch-provider.cjs");
  process.env["NODE_OPTIONS"] = `${process.env["NODE_OPTIONS"] ?? ""} --require ${watcher}`.trim();
  if (values.checkpoints === "last") process.env["PULUMI_SKIP_CHECKPOINTS"] = "true";
  if (values.lab === undefined) {
    const disks = join(directory, "disks");
    mkdirSync(disks);
    process.env["KNOCKGATE_SCALE_FAKE"] = disks;
  }
}

function listSubjects(): readonly SubjectName[] {
  const usual = values.lab === undefined ? "floor,gates,ballast,fleet" : "fleet";
  return (values.subjects ?? usual).split(",").map((name) => {
    if (name in subjects) return name as SubjectName;
    throw new Error(`--subjects: ${name} is none of ${Object.keys(subjects).join(", ")}`);
  });
}

function readCount(name: "hosts" | "lab" | "broken" | "parallel"): number {
  const text = values[name] ?? "";
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${name}: ${text} is not a whole number above 0`);
}

function keep(figures: object): void {
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
