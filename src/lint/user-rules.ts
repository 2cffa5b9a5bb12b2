import type { LintRule } from "../policy/lint-rule.js";

/** A random key of 32 hex digits has about 14 different characters, and one of 43 characters of base64url about 32. */
const fewestCharacters = 8;
/** The part of a key's characters that follow their neighbour in the order of their codes. At random it is below 1/5. */
const mostInOrder = 2 / 3;

/** Rules about the users whose tokens open gates. */
export const userRules: readonly LintRule[] = [
  {
    id: "user-key-weak",
    severity: "error",
    canBeAccepted: true,
    why: "Whoever guesses a user's key can make all tokens of that user.",
    fix: "Make the key with userKey from a random seed.",
    check: ({ users }) =>
      users.flatMap(({ key }, index) => {
        const message = describeWeakness(key);
        return message === undefined ? [] : [{ path: `users[${index}].key`, message }];
      }),
  },
];

/** Finds what no random key looks like. A key that a person made up in another way is not found. */
function describeWeakness(key: string): string | undefined {
  if (new Set(key).size < fewestCharacters) return "consists of few different characters.";
  if (isRepeated(key)) return "repeats one pattern.";
  return isInOrder(key) ? "is mostly characters in the order of the alphabet or of a number." : undefined;
}

/** Whether a key is one part that is written twice or more. The last time may be cut off. */
function isRepeated(key: string): boolean {
  const lengths = Array.from({ length: Math.floor(key.length / 2) }, (_, index) => index + 1);
  return lengths.some((length) => key.startsWith(key.slice(length)));
}

function isInOrder(key: string): boolean {
  const codes = [...key].map((character) => character.charCodeAt(0));
  const inOrder = codes.filter((code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1);
  return inOrder.length > mostInOrder * (key.length - 1);
}
