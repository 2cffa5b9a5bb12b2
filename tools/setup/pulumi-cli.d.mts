export declare const pinnedVersion: string;
export declare const oldestVersion: string;
export declare const pinnedCliPath: string;
/** Finds a Pulumi CLI that is new enough: on PATH, otherwise the pinned one. */
export declare function findPulumiCli(): string | undefined;
export declare function readCliVersion(cli: string): string | undefined;
/** The environment variables to add for any command that runs the engine. */
export declare function pulumiEnvironment(): Record<string, string> & { PATH: string };
