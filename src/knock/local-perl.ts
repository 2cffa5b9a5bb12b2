import { execFile } from "node:child_process";
import { readAnswers, writeProgram } from "./packet-program.js";

const perlTimeoutMs = 10_000;

/**
 * Runs the packet program on this machine, and returns its answers.
 *
 * @throws Error when perl is missing, or the program did not run to its end
 */
export function runPerl(request: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = execFile("perl", ["-"], { timeout: perlTimeoutMs }, (error, stdout) => {
      const answers = readAnswers(stdout);
      if (answers !== undefined) return resolve(answers);
      const isMissing = error !== null && "code" in error && error.code === "ENOENT";
      const why = isMissing ? "perl is not installed" : "perl did not run";
      // Perl's message is left out: it could quote the request, which holds the steps.
      reject(new Error(why, { cause: error }));
    });
    child.stdin?.on("error", () => undefined); // the end of perl says more
    child.stdin?.end(writeProgram(request));
  });
}
