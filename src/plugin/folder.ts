import { servePlugin } from "./serve.js";

/**
 * Pulumi's language host for Node requires a plugin's folder, and so package.json's `main`, and calls what it finds
 * there. It would serve a module that exports a component by itself, but not the resource that the component makes.
 */
module.exports = () => servePlugin(process.argv.slice(2));
