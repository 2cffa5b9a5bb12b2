// Node finds a CommonJS module's names by reading its text. Only names that it finds can be imported.
import * as knockgate from "knockgate";

console.log(JSON.stringify(Object.keys(knockgate)));
