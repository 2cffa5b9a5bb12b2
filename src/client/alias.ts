/**
 * Writes what a host is called on a command line, in ssh_config(5) and as a file: characters that a pattern, an option or
 * a path could be made of become `-`.
 */
export function writeAlias(name: string): string {
  return (
    name
      .replaceAll(/[^a-zA-Z0-9_.-]/g, "-")
      .replace(/^[-.]+/, "")
      .slice(0, 100) || "host"
  );
}
