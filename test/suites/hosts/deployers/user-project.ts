import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { commandEnvironment, finishCommand } from "../../../../lab/command";
import { findPulumiCli, pulumiEnvironment } from "../../../../tools/setup/pulumi-cli.mjs";

const root = join(__dirname, "..", "..", "..", "..");
/** What the engine starts, before what tools/bin has for the checkout's own SDK. */
const bin = join(__dirname, "bin");
const limitMs = 300_000;

/** A user's Pulumi project, in a folder and a home of their own. */
export interface UserProject {
  readonly folder: string;
  write(file: string, text: string): void;
  read(file: string): string;
  /** Runs a command in it to its end. Returns its stdout, and then its stderr. */
  run(argv: readonly string[], stdin?: string): Promise<string>;
  /** Runs a command that may fail. */
  attempt(argv: readonly string[]): Promise<{ readonly printed: string; readonly code: number }>;
  /** Many of them are more than a lab removes quickly. */
  remove(): void;
}

interface ProjectOptions {
  /** The example whose files it gets, unmodified. */
  readonly example: string;
  readonly files: readonly string[];
  /** The `node` on PATH. */
  readonly node: string;
  /** A folder with one more command. */
  readonly tools?: string;
}

/** Makes a project in a place that does not exist yet. */
export function makeUserProject(place: string, options: ProjectOptions): UserProject {
  const { example, files, node, tools = bin } = options;
  const inside = (name: string): string => {
    mkdirSync(join(place, name), { recursive: true });
    return join(place, name);
  };
  const [folder, home, backend] = [inside("project"), inside("home"), inside("backend")];
  for (const file of files) copyFileSync(join(root, "examples", example, file), join(folder, file));
  const { PATH: _path, ...quiet } = pulumiEnvironment();
  // npm stands beside the Node that runs this. The checkout's own commands are not on PATH.
  const folders = [tools, bin, ...[node, findPulumiCli() ?? "", process.execPath].map(dirname)];
  const env = {
    ...quiet,
    ...commandEnvironment,
    HOME: home,
    PATH: [...folders, commandEnvironment.PATH].join(delimiter),
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "only for the lab",
    PULUMI_HOME: join(home, ".pulumi"),
  };
  const finish = (argv: readonly string[], stdin: string, check: boolean) => {
    const [tool = "", ...args] = argv;
    const child = spawn(tool, args, { cwd: folder, env });
    return finishCommand(child, argv.join(" "), { stdin, check, timeoutMs: limitMs });
  };
  return {
    folder,
    write: (file, text) => writeFileSync(join(folder, file), text),
    read: (file) => readFileSync(join(folder, file), "utf8"),
    run: async (argv, stdin = "") => {
      const { stdout, stderr } = await finish(argv, stdin, true);
      return `${stdout}${stderr}`;
    },
    attempt: async (argv) => {
      const { stdout, stderr, code } = await finish(argv, "", false);
      return { printed: `${stdout}${stderr}`, code };
    },
    remove: () => rmSync(place, { recursive: true }),
  };
}
