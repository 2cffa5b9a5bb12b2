/** Chooses the archive that a Debian can be built from, out of files as apt has them, by name. */
export declare function chooseMirror(suite: string, files: ReadonlyMap<string, string>): string | undefined;
