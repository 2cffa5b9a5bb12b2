import { makePurse } from "./purse.js";

/** One for the process: a token that it has sent is not sent again, whatever sent it. */
export const purse = makePurse(Date.now);
