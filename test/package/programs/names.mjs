// Node finds the names in a CommonJS module by reading its text; those that it finds can be imported by name.
import * as knockgate from "knockgate";

console.log(JSON.stringify(Object.keys(knockgate)));
