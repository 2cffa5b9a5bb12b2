/** Whether a file's mode lets other users of this machine read it. Windows has no such modes. */
export function canOthersRead({ mode }: { readonly mode: number }): boolean {
  return process.platform !== "win32" && (mode & 0o077) !== 0;
}
