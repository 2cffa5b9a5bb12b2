/** The longest name that is compared. A longer one is not a misspelled field. */
const longest = 40;

/**
 * Finds the name that was meant: the same name in another case, a name that contains the typed one or is contained in
 * it, or a name that is one or two typing errors away. Only letters are compared, so digits and colons do not matter.
 */
export function findNearName(typed: string, names: readonly string[]): string | undefined {
  if (typed.length > longest) return undefined;
  const letters = toLetters(typed);
  if (letters.length < 2) return undefined;
  return (
    names.find((name) => toLetters(name) === letters) ??
    names.find((name) => isPart(letters, toLetters(name)) || isPart(toLetters(name), letters)) ??
    names.find((name) => countSlips(letters, toLetters(name)) <= (letters.length < 5 ? 1 : 2))
  );
}

function toLetters(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, "");
}

function isPart(part: string, whole: string): boolean {
  return part.length >= 4 && whole.includes(part);
}

/** Counts letters that are missing, too many, wrong, or swapped (optimal string alignment). */
function countSlips(one: string, other: string): number {
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return at(last, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
