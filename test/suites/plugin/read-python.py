"""Prints what the program on standard input says of knockgate, as JSON: its resources, and the outputs that it exports.

A call of one of knockgate's classes becomes {"call": NAME, "arguments": {...}}; what is no literal {"expression": TEXT}.
"""

import ast
import json
import sys


def read(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [read(item) for item in node.elts]
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("knockgate."):
        arguments = {keyword.arg: read(keyword.value) for keyword in node.keywords}
        return {"call": node.func.attr, "arguments": arguments}
    return {"expression": ast.unparse(node)}


program = ast.parse(sys.stdin.read())
assigned = {
    statement.targets[0].id: read(statement.value)
    for statement in program.body
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
}
exported = [
    ast.unparse(node.args[1])
    for node in ast.walk(program)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pulumi.export"
]
resources = {name: value for name, value in assigned.items() if isinstance(value, dict) and "call" in value}
print(json.dumps({"resources": resources, "exported": exported}))
