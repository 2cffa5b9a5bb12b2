export declare const ansiblePlaybook: string;
