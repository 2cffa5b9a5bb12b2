declare function show(...parts: unknown[]): Promise<void>;
export = show;
