"""Runs a project's __main__.py as an inline program of the Automation API, which needs no language host.

run-program.py PROJECT PROGRAM: reads its configuration as one line of JSON, where secrets have the key "secret"; brings
the stack up, prints its outputs as one line of JSON, and takes it down again when another line comes.
"""

import json
import os
import runpy
import sys

from pulumi import automation

project, program = sys.argv[1:]


def run():
    runpy.run_path(os.path.join(program, "__main__.py"), run_name="__main__")


def show(line):
    print(line, file=sys.stderr)


stack = automation.create_or_select_stack(
    stack_name="lab",
    project_name="knockgate-lab",
    program=run,
    opts=automation.LocalWorkspaceOptions(work_dir=project),
)
for name, value in json.loads(sys.stdin.readline()).items():
    is_secret = isinstance(value, dict)
    stack.set_config(name, automation.ConfigValue(value["secret"] if is_secret else value, secret=is_secret))
outputs = stack.up(on_output=show).outputs
print(json.dumps({name: {"value": one.value, "secret": one.secret} for name, one in outputs.items()}), flush=True)
sys.stdin.readline()
stack.destroy(on_output=show)
