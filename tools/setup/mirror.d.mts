/** Chooses the archive to build a Debian from, out of apt's files by name. */
export declare function chooseMirror(suite: string, files: ReadonlyMap<string, string>): string | undefined;
