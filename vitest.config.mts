import { configDefaults, defineConfig } from "vitest/config";

/** The pure tests: no root, no kernel, no network. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/{kernel,lab,host,e2e,attack,coexistence}/**"],
  },
});
