export declare const letmeinVersion: string;
/** The absolute path of one of letmein's programs: letmeind, letmeinfwd or letmein. */
export declare function locateLetmein(program: "letmeind" | "letmeinfwd" | "letmein"): string;
