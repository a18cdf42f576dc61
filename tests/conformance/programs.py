"""Programs in Python that answer the questions of the kit with given statements."""

PROGRAM = """
import json, os, subprocess, sys, time
for line in sys.stdin:
    question = json.loads(line)
    if question["ask"] == "describe":
        {describe}
    else:
        {compute}
    sys.stdout.flush()
"""
DESCRIBE = 'print(json.dumps({"name": "p", "version": "1", "quantities": ["gradient", "labels"]}))'
