import { servePlugin } from "./serve.js";

/**
 * Pulumi's language host for Node loads a plugin's folder with require(), and so package.json's `main`, and calls what
 * that exports. It could itself serve a module that exports a component, but not the resources that the component
 * makes.
 */
module.exports = () => servePlugin(process.argv.slice(2));
