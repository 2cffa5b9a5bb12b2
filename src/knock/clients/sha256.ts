/** SHA-256 (FIPS 180-4) in parts, for programs that go on from a state which is made here. */

export const blockBytes = 64;

/** Eight numbers of 32 bits. */
export type Sha256State = readonly number[];

const primes = Array.from({ length: 310 }, (_, index) => index + 2).filter((number, _index, all) =>
  all.every((other) => other >= number || number % other !== 0),
);

/** The first 32 bits behind the point (FIPS 180-4, 4.2.2 and 5.3.3). A double has 20 bits more. */
const fractionOf = (number: number): number => Math.floor((number % 1) * 2 ** 32);

/** The constants of the 64 rounds. */
export const roundConstants: readonly number[] = primes.map((prime) => fractionOf(Math.cbrt(prime)));

const initial: Sha256State = primes.slice(0, 8).map((prime) => fractionOf(Math.sqrt(prime)));

/** The state of SHA-256 after some whole blocks. */
export function digestBlocks(bytes: Buffer): Sha256State {
  let state = initial;
  for (let at = 0; at < bytes.length; at += blockBytes)
    state = addBlock(state, bytes.subarray(at, at + blockBytes));
  return state;
}

function addBlock(state: Sha256State, block: Buffer): Sha256State {
  const words = Array.from({ length: 16 }, (_, index) => block.readUInt32BE(4 * index));
  const word = (index: number): number => words[index] ?? 0;
  for (let index = 16; index < roundConstants.length; index += 1) {
    const [near, far] = [word(index - 2), word(index - 15)];
    const nearBits = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10);
    const farBits = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3);
    words.push((word(index - 16) + farBits + word(index - 7) + nearBits) >>> 0);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  roundConstants.forEach((constant, index) => {
    const chosen = g ^ (e & (f ^ g));
    const first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + chosen + constant + word(index);
    const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
  });
  return [a, b, c, d, e, f, g, h].map((value, index) => (value + (state[index] ?? 0)) >>> 0);
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}
