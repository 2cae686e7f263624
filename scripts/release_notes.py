"""Prints what CHANGELOG.md says of the version that a tag releases, such as v1.2.3.

Fails where Cargo.toml has another version, or where CHANGELOG.md has no text for it. A version's
text begins at a heading such as `## 1.2.3` or `## [1.2.3] - 2030-01-31` and ends at the next.
"""

import pathlib
import re
import sys

from make_package import ROOT, version


class NotReleasable(Exception):
    """The tag does not fit the tree that it points at."""


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: release_notes.py <tag>")
    try:
        print(notes(sys.argv[1], version(), ROOT / "CHANGELOG.md"))
    except NotReleasable as error:
        sys.exit(f"{sys.argv[1]} can't be released: {error}")


def notes(tag: str, manifest_version: str, changelog: pathlib.Path) -> str:
    if tag != f"v{manifest_version}":
        raise NotReleasable(f"Cargo.toml has version {manifest_version}")
    if not changelog.is_file():
        raise NotReleasable("there is no CHANGELOG.md")
    heading = re.compile(rf"^## \[?{re.escape(manifest_version)}\]?(\s.*)?$", re.MULTILINE)
    text = changelog.read_text()
    if not (found := heading.search(text)):
        raise NotReleasable(f"CHANGELOG.md has no heading `## {manifest_version}`")
    section = re.split(r"^## ", text[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        raise NotReleasable(f"CHANGELOG.md says nothing under `## {manifest_version}`")
    return section


if __name__ == "__main__":
    main()
