// Loaded into the resource's provider process by NODE_OPTIONS. Right after a step's line was printed it stops the whole
// process until the test has done the row's act. It uses files, because a stopped process can't wait in another way.
const { existsSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const { KNOCKGATE_FAULT_FOLDER: folder, KNOCKGATE_FAULT_AFTER: after } = process.env;

if (folder && after && process.argv[1]?.includes("dynamic-provider")) {
  const print = console.log;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  let isOver = false;
  console.log = (...words) => {
    print(...words);
    if (isOver || !words.join(" ").includes(`: ${after}`)) return;
    isOver = true;
    writeFileSync(join(folder, "reached"), "");
    while (!existsSync(join(folder, "done"))) Atomics.wait(clock, 0, 0, 10);
  };
}
