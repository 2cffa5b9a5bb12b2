/** The part of its runs that a property gets. `npm test` sets 1, `npm run test:deep` 5; the inner loop tries less. */
const share = Number(process.env["KNOCKGATE_RUNS"] ?? 0.2);

/** Says how often a property is tried. */
export function runs(full: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(full * share) };
}
