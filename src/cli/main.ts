#!/usr/bin/env node
import { escapeControls } from "../printable.js";
import type { CommandContext } from "./framework/command.js";
import { paint } from "./framework/paint.js";
import { runCommandLine } from "./run.js";

const isColoured = process.stdout.isTTY === true && !process.env["NO_COLOR"];

const context: CommandContext = {
  environment: process.env,
  // A getter, because opening standard input costs time and few commands use it.
  get input() {
    return process.stdin;
  },
  output: process.stdout,
  note: (line) => process.stderr.write(`${escapeControls(line)}\n`),
  live: process.stderr.isTTY === true ? (text) => process.stderr.write(`\r\x1b[K${text}`) : undefined,
  columns: process.stdout.isTTY === true ? process.stdout.columns : undefined,
  paint: (colour, text) => (isColoured ? paint(colour, text) : text),
};

// The reader of a pipe may close it early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

void runCommandLine(process.argv.slice(2), context).then(({ exitCode, out, err }) => {
  process.exitCode = exitCode;
  if (out !== "") process.stdout.write(out);
  if (err !== "") process.stderr.write(err);
});
