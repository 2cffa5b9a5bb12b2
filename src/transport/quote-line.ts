/** The first line of what a machine said, fit for a message, behind a colon; empty when it said nothing. */
export function quoteLine(text: string): string {
  const [line = ""] = text.trim().split("\n");
  return line === "" ? "" : `: ${line.replace(/[^ -~]/g, "?").slice(0, 160)}`;
}
