"""What scripts/bench measures: the binary of the package, and a bare program that is built like it.

The scripts run in a folder of their own, with stand-ins for cargo and rustc that write down how they
are called.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from functions_host import NAME
from support import ROOT

CARGO = """#!{python}
import json, os, pathlib, sys
root = pathlib.Path.cwd()
words = sys.argv[1:]
if words[0] == "metadata":
    print(json.dumps({{"target_directory": str(root / "target")}}))
    sys.exit()
settings = {{name: value for name, value in os.environ.items()
            if name.startswith(("CC", "CFLAGS", "RUST", "CARGO"))}}
with open(root / "calls", "a") as calls:
    calls.write(json.dumps({{"words": words, "settings": settings}}) + "\\n")
if words[0] == "build":
    profile, target = words[words.index("--profile") + 1], words[words.index("--target") + 1]
    folder = root / "target" / target / profile / ("examples" if "--example" in words else "")
    folder.mkdir(parents=True, exist_ok=True)
    header = bytearray(64)
    header[:6], header[18:20] = b"\\x7fELF\\x02\\x01", (62).to_bytes(2, "little")
    (folder / words[-1]).write_bytes(bytes(header) + words[-1].encode())
"""

RUSTC = """#!/bin/sh
pwd
"""

ALLOCATOR = "#[global_allocator]\nstatic ALLOCATOR: MiMalloc = MiMalloc;"


class Alike(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        for name in ["scripts", "ProofpointPOD", "ProofpointStatus", "queue"]:
            shutil.copytree(ROOT / name, self.root / name)
        for name in ["Cargo.toml", "host.json"]:
            shutil.copy(ROOT / name, self.root / name)
        (self.root / "bin").mkdir()
        for name, text in [("cargo", CARGO.format(python=sys.executable)), ("rustc", RUSTC)]:
            (self.root / "bin" / name).write_text(text)
            (self.root / "bin" / name).chmod(0o755)

    def calls(self, script: str, *words: str) -> list[dict]:
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        command = [str(self.root / "scripts" / script), *words]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": path})
        calls = (self.root / "calls").read_text().splitlines()
        (self.root / "calls").unlink()
        return [json.loads(call) for call in calls]

    def test_the_bare_program_is_built_like_the_package(self):
        (package,) = self.calls("package")
        measured, bare, _ = self.calls("bench")
        self.assertEqual(measured, package)
        self.assertEqual(package["words"][-2:], ["--bin", NAME])
        self.assertEqual(bare["words"][-2:], ["--example", "bare"])
        self.assertEqual(bare["words"][:-2], package["words"][:-2])
        self.assertEqual(bare["settings"], package["settings"])
        self.assertIn("CC_x86_64_unknown_linux_musl", package["settings"])

    def test_the_binary_of_the_package_is_measured(self):
        *_, bench = self.calls("bench", "123")
        connector, bare, messages = bench["words"][-3:]
        self.assertEqual(messages, "123")
        self.assertEqual((self.root / connector).read_bytes()[64:], NAME.encode())
        self.assertEqual(connector, f"dist/app/{NAME}")
        self.assertEqual(pathlib.Path(bare).read_bytes()[64:], b"bare")

    def test_another_profile_reaches_the_build(self):
        (package,) = self.calls("package", "--profile", "package-test")
        words = package["words"]
        self.assertEqual(words[words.index("--profile") + 1], "package-test")

    def test_both_programs_have_the_same_allocator_and_compressor(self):
        for name in ["src/main.rs", "examples/bare.rs"]:
            with self.subTest(name):
                self.assertIn(ALLOCATOR, (ROOT / name).read_text())
        self.assertIn("destination::gzip;", (ROOT / "examples/bare.rs").read_text())


if __name__ == "__main__":
    unittest.main()
