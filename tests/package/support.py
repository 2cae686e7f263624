"""The scripts as modules, for the tests beside this file."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import make_package
import release_notes

__all__ = ["ROOT", "make_package", "release_notes"]
