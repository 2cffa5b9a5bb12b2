// Imported by the bench, too: it only looks, and prints nothing.
import { join } from "node:path";
import { root } from "../root.mjs";

/** A virtual environment of Python with the Ansible that a fleet is measured against. */
export const ansibleFolder = join(root, "node_modules", ".knockgate-ansible");
export const ansiblePlaybook = join(ansibleFolder, "bin", "ansible-playbook");
