// Loaded into each Node process of a profiled run (NODE_OPTIONS=--require). Writes into the folder KNOCKGATE_PROFILES
// whose code kept the main thread busy, as milliseconds by owner.
const { writeFileSync } = require("node:fs");
const { Session } = require("node:inspector");
const { basename, join } = require("node:path");
const { isMainThread } = require("node:worker_threads");

const reports = process.env.KNOCKGATE_PROFILES;
// The engine ends the provider's process without notice, so the result is written again and again.
const writeEveryMs = 500;
const role = /dynamic-provider/.test(process.argv[1] ?? "") ? "provider" : "program";
const isWatched = role === "provider" || basename(process.argv[1] ?? "") === "engine-run.ts";

if (isMainThread && reports !== undefined && isWatched) {
  const profile = startProfile();
  const file = join(reports, `${role}-${process.pid}.json`);
  setInterval(() => writeFileSync(file, JSON.stringify(profile.look())), writeEveryMs).unref();
}

/** Profiles this thread until its process ends. */
function startProfile() {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: 500 });
  session.post("Profiler.start");
  /** @type {Record<string, number>} */
  const owners = {};
  return {
    /** Milliseconds by owner so far. */
    look: () => {
      session.post("Profiler.stop", (error, result) => {
        if (error === null) addSelfTimes(result.profile, owners);
      });
      session.post("Profiler.start");
      return owners;
    },
  };
}

/**
 * @param {import("node:inspector").Profiler.Profile} profile
 * @param {Record<string, number>} owners
 */
function addSelfTimes({ nodes, samples = [], timeDeltas = [] }, owners) {
  const owner = new Map(nodes.map(({ id, callFrame }) => [id, nameOwner(callFrame)]));
  for (const [index, id] of samples.entries()) {
    const name = owner.get(id);
    if (name !== undefined) owners[name] = (owners[name] ?? 0) + (timeDeltas[index] ?? 0) / 1_000;
  }
}

/** @param {import("node:inspector").Runtime.CallFrame} callFrame */
function nameOwner({ functionName, url }) {
  // "(program)" is mostly waiting, too. "dispatch" below is this profiler.
  if (["(idle)", "(program)", "(root)"].includes(functionName)) return undefined;
  if (functionName === "(garbage collector)") return "garbage collection";
  if (url === "") return functionName === "dispatch" ? undefined : "system calls and native code";
  if (/^node:internal\/modules/.test(url)) return "loading modules";
  if (/^node:internal\/(crypto|tls)/.test(url)) return "Node's crypto";
  if (url.startsWith("node:")) return "Node, other";
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (name === undefined) return "Knockgate and its program";
  return /grpc|protobuf/.test(name) ? "gRPC" : name;
}

module.exports = { startProfile };
