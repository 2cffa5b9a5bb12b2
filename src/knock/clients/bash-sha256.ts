import { tokenBytes } from "../token-payload.js";
import type { ClientTokens } from "./client-knock.js";
import { blockBytes, digestBlocks, roundConstants, type Sha256State } from "./sha256.js";
import { beginMessage } from "./token-shell.js";

/** All 32 bits of a number, and what repeats a number in the 32 bits above. */
const [mask, twice] = ["4294967295", "4294967297"];

/**
 * Names of the eight numbers that a round turns, and of the sixteen words that the next rounds take. They are global: bash
 * would look up each in each function's own names first.
 */
const turned = [..."ABCDEFGH"];
const words = [..."0123456789abcdef"].map((digit) => `w${digit}`);
const tokenPlaces = Array.from({ length: tokenBytes }, (_byte, at) => at);
const states = turned.map((_name, index) => `s${index}`);

/**
 * Writes functions of bash 3.2 or newer that make tokens without any other program: to start sha256sum(1) twice takes
 * longer than to compute. After `y SLOT`, `$t` is the token as hex digits, and `$r` the same as escapes of printf(1). What
 * depends on the key and not on the slot is computed beforehand, see {@link listTokenStates}.
 */
export function writeBashTokens(): string {
  return `# SHA-256 (FIPS 180-4): adds the block in w0 to wf to the state in s0 to s7. Its 64 rounds are written out, because a
# loop takes bash twice as long. All numbers but the state are doubled: the same 32 bits twice, so that >> rotates them.
add_block() {
  ((${[...turned.map((name, index) => `${name}=${states[index]}*${twice}`), "Z=B^C"].join(",")},
${roundConstants.map(writeRound).join(",\n")},
${turned.map((name, index) => `${states[index]}=${states[index]}+${name}&${mask}`).join(",")}))
}

set_state() {
  ((${states.map((name, index) => `${name}=0x\${1:${8 * index}:8}`).join(",")}))
}

# HMAC-SHA-256 (RFC 2104) of the slot $1. The states behind the key's two blocks are computed beforehand.
y() {
  q=$rest s=$1
  while test "$s"; do q=\${q}3\${s:0:1} s=\${s:1}; done
  q=\${q}80
  printf -v s "%0$((16 + (240 - \${#q}) % 128))x" $((8 * (hashed + \${#1})))
  q=$q$s
  set_state $inner
  while test "$q"; do
    ((${words.map((name, index) => `${name}=0x\${q:${8 * index}:8}*${twice}`).join(",")}))
    add_block
    q=\${q:128}
  done
  ((${[
    ...states.map((name, index) => `${words[index]}=${name}*${twice}`),
    `w8=0x80000000*${twice}`,
    "w9=wa=wb=wc=wd=we=0",
    `wf=768*${twice}`,
  ].join(",")}))
  set_state $outer
  add_block
  printf -v q %08x%08x%08x%08x $s0 $s1 $s2 $s3
  printf -v r '\\\\x%s' ${tokenPlaces.map((at) => `\${q:${2 * at}:2}`).join(" ")}
  # No token has a byte 0a: bash would send what follows in a second datagram.
  r=\${r//x0a/x0b}
  t=\${r//\\\\x/}
}
`;
}

/** The round of a number: which name stands for which number goes round, so nothing is moved. */
function writeRound(constant: number, index: number): string {
  const name = (place: number): string => turned[(place - index + 64) % 8] ?? "";
  const word = (place: number): string => words[(index + place) % 16] ?? "";
  const [a, b, d, e, f, g, h] = [name(0), name(1), name(3), name(4), name(5), name(6), name(7)];
  // The majority of a, b and c is b where b and c agree, else a. What a and b differ by is needed again in the next round.
  const [differs, before] = index % 2 === 0 ? ["Y", "Z"] : ["Z", "Y"];
  const chosen = `(${g}^${e}&(${f}^${g}))`;
  const majority = `(${b}^(${differs}=${a}^${b})&${before})`;
  const turn = [
    `X=${h}+(${e}>>6^${e}>>11^${e}>>25)+${chosen}+${constant}+${word(0)}`,
    `${d}=(${d}+X&${mask})*${twice}`,
    `${h}=(X+(${a}>>2^${a}>>13^${a}>>22)+${majority}&${mask})*${twice}`,
  ];
  if (index >= 48) return turn.join(",");
  const far = `(${word(1)}>>7^${word(1)}>>18^(${word(1)}&${mask})>>3)`;
  const near = `(${word(14)}>>17^${word(14)}>>19^(${word(14)}&${mask})>>10)`;
  return [...turn, `${word(0)}=(${word(0)}+${far}+${word(9)}+${near}&${mask})*${twice}`].join(",");
}

/** Lists assignments of bash for the function `y`. With the states, tokens can be made as with the key. Secret. */
export function listTokenStates(tokens: ClientTokens): readonly string[] {
  const message = beginMessage(tokens);
  const whole = message.length - (message.length % blockBytes);
  const pad = (byte: number): Buffer =>
    Buffer.from(
      Buffer.alloc(blockBytes)
        .fill(tokens.key, 0, tokens.key.length, "ascii")
        .map((it) => it ^ byte),
    );
  return [
    `inner=${writeState(digestBlocks(Buffer.concat([pad(0x36), message.subarray(0, whole)])))}`,
    `outer=${writeState(digestBlocks(pad(0x5c)))}`,
    `rest=${message.subarray(whole).toString("hex")}`,
    `hashed=${blockBytes + message.length}`,
  ];
}

function writeState(state: Sha256State): string {
  return state.map((number) => number.toString(16).padStart(8, "0")).join("");
}
