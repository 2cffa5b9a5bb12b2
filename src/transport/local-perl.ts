import { execFile } from "node:child_process";
import { readAnswers, writeProgram } from "./packet-program.js";

const perlTimeoutMs = 10_000;

/**
 * Runs the packet program on this machine.
 *
 * @throws Error when it did not run to its end
 */
export function runPerl(request: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = execFile("perl", ["-"], { timeout: perlTimeoutMs }, (error, stdout) => {
      const answers = readAnswers(stdout);
      if (answers !== undefined) return resolve(answers);
      const isMissing = error !== null && "code" in error && error.code === "ENOENT";
      const why = isMissing ? "perl is not installed" : "perl did not run";
      // Perl's own words are left out: they could quote what it was told.
      reject(new Error(why, { cause: error }));
    });
    child.stdin?.on("error", () => undefined); // perl's own end says more
    child.stdin?.end(writeProgram(request));
  });
}
