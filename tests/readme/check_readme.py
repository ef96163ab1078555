"""Runs the recipes of README.md: check_readme.py TOOL ROOT [--rewrite]

Every fenced block marked `sh` is run, in order and in one temporary folder, by `bash -ec`; there
./edgefront is TOOL, and data/ and examples/ are the project's. What such a block prints on stdout
follows it to the letter, as a block marked `text` or as a table, or is left out. With --rewrite,
README.md gets what was printed.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$|((?:^\|[^\n]*\n)+)", re.DOTALL | re.MULTILINE)


def main():
    tool, root = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    rewrite = sys.argv[3:] == ["--rewrite"]
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    failures = runs = 0
    printed = None
    rewritten, position = "", 0
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(tool, f"{folder}/edgefront")
        for name in ("data", "examples"):
            os.symlink(root / name, f"{folder}/{name}")
        environment = {"EDGEFRONT_CACHE": f"{folder}/cache", **os.environ}
        for block in BLOCK.finditer(text):
            kind, body, table = block.groups()
            if table and printed is not None and printed.startswith("|"):
                kind, body = "text", table
            if kind == "sh":
                done = subprocess.run(
                    ["bash", "-ec", body],
                    cwd=folder,
                    env=environment,
                    text=True,
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                )
                printed = done.stdout
                runs += 1
                if done.returncode != 0:
                    print(f"FAILED with {done.returncode}:\n{body}{done.stdout}{done.stderr}")
                    failures += 1
            elif kind == "text" and printed is not None:
                if body != printed and not rewrite:
                    print(f"README.md shows:\n{body}but this was printed:\n{printed}")
                    failures += 1
                rewritten += text[position : block.start(3 if table else 2)] + printed
                position = block.end(3 if table else 2)
                printed = None
    if rewrite and not failures:
        readme.write_text(rewritten + text[position:], encoding="utf-8")
    if failures and not rewrite:
        print("If that is as it should be: tests/readme/check_readme.py TOOL . --rewrite")
    print(f"{runs} recipes, {failures} failures")
    return 1 if failures or not runs else 0


sys.exit(main())
