/**
 * Writes a host's name for a command line, for ssh_config(5) and for a file. Characters that could form a pattern, an
 * option or a path become `-`.
 */
export function writeAlias(name: string): string {
  return (
    name
      .replaceAll(/[^a-zA-Z0-9_.-]/g, "-")
      .replace(/^[-.]+/, "")
      .slice(0, 100) || "host"
  );
}
