import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { findRootfs, type RootfsKind } from "../tools/setup/rootfs-place.mjs";
import type { LabMachine } from "./machine";

/** First in a host's PATH. Each host has its own. */
const folder = "/usr/local/sbin";

/**
 * Puts another Debian's nft and iptables before a host's own, as an upgrade or a downgrade would do. They run with that
 * Debian's libraries and loader (ld.so(8)).
 */
export function bringTools(host: LabMachine, suite: RootfsKind): void {
  const root = findRootfs(suite);
  const triplet = readdirSync(join(root, "usr", "lib")).find((name) => name.includes("-linux-gnu")) ?? "";
  const libraries = join(root, "usr", "lib", triplet);
  const loader = join(libraries, readdirSync(libraries).find((name) => /^ld-linux.*\.so/.test(name)) ?? "");
  const own = `of-${suite}`;
  const there = `/proc/${host.pid}/root${folder}`;
  const place = join(there, own);
  mkdirSync(place, { recursive: true });
  const programs = ["nft", "xtables-nft-multi"].map((name) => join(root, "usr", "sbin", name));
  const needed = programs.flatMap((program) => listLibraries(loader, libraries, program));
  for (const file of [...programs, loader, ...new Set(needed)]) {
    copyFileSync(realpathSync(file), join(place, basename(file)));
  }
  cpSync(join(libraries, "xtables"), join(place, "xtables"), { recursive: true, dereference: true });
  const start = `${folder}/${own}/${basename(loader)} --library-path ${folder}/${own} ${folder}/${own}`;
  writeTool(there, "nft", `exec ${start}/nft "$@"\n`);
  for (const tool of ["iptables", "ip6tables"]) {
    for (const part of ["", "-save", "-restore"]) {
      const program = `XTABLES_LIBDIR=${folder}/${own}/xtables exec ${start}/xtables-nft-multi ${tool}${part} "$@"\n`;
      writeTool(there, `${tool}${part}`, program);
    }
  }
}

function writeTool(place: string, name: string, program: string): void {
  writeFileSync(join(place, name), `#!/bin/sh\n${program}`);
  chmodSync(join(place, name), 0o755);
}

function listLibraries(loader: string, libraries: string, program: string): readonly string[] {
  const said = execFileSync(loader, ["--library-path", libraries, "--list", program], { encoding: "utf8" });
  return [...said.matchAll(/ => (\/\S+)/g)].flatMap(([, path]) => path ?? []);
}
