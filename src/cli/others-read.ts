/** Whether others on this machine can read a file of that mode. Windows has no such modes. */
export function canOthersRead({ mode }: { readonly mode: number }): boolean {
  return process.platform !== "win32" && (mode & 0o077) !== 0;
}
