// The bench imports this, too: it only looks, and prints nothing.
import { join } from "node:path";
import { root } from "../root.mjs";

/** A Python virtual environment with the Ansible that a fleet is compared with. */
export const ansibleFolder = join(root, "node_modules", ".knockgate-ansible");
export const ansiblePlaybook = join(ansibleFolder, "bin", "ansible-playbook");
