export declare const python: string;
export declare const sdkGenerator: string;
export declare function hasPython(): boolean;
