"""A tag is released only where Cargo.toml and CHANGELOG.md know its version."""

import pathlib
import tempfile
import unittest

from support import release_notes

CHANGELOG = """# Changelog

## [Unreleased]

- Later.

## [1.10.0] - 2030-02-01

- Second.

### Fixed
- Third.

## 1.1.0

- First.

## 1.0.0
"""


class ReleaseNotes(unittest.TestCase):
    def notes(self, tag: str, version: str, changelog: str | None = CHANGELOG) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "CHANGELOG.md")
            if changelog is not None:
                path.write_text(changelog)
            return release_notes.notes(tag, version, path)

    def refused(self, because: str, *arguments: str | None) -> None:
        with self.assertRaisesRegex(release_notes.NotReleasable, because):
            self.notes(*arguments)

    def test_a_versions_text_ends_at_the_next_version(self):
        self.assertEqual(self.notes("v1.10.0", "1.10.0"), "- Second.\n\n### Fixed\n- Third.")
        self.assertEqual(self.notes("v1.1.0", "1.1.0"), "- First.")

    def test_the_tag_is_the_version_in_cargo_toml(self):
        self.refused("Cargo.toml has version 1.1.0", "v1.10.0", "1.1.0")
        self.refused("Cargo.toml has version 1.1.0", "1.1.0", "1.1.0")

    def test_the_changelog_has_text_for_the_version(self):
        self.refused("no heading", "v1.1", "1.1")
        self.refused("no heading", "v11110", "11110")
        self.refused("says nothing", "v1.0.0", "1.0.0")
        self.refused("there is no CHANGELOG.md", "v1.1.0", "1.1.0", None)


if __name__ == "__main__":
    unittest.main()
