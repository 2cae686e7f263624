"""docs/content.md describes all content, and its pictures show the current workbook."""

import re
import sys
import unittest
import xml.etree.ElementTree as xml

import workbook
from kql import ROOT

sys.path.append(str(ROOT / "scripts"))
import list_content

PAGE = list_content.PAGE.read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "pictures"
TEXT = "{http://www.w3.org/2000/svg}text"
LARGEST = 150_000


def tabs():
    """The tabs of the workbook by label, each with the titles of its panels."""
    [strip] = workbook.of_type(workbook.LINKS)
    groups = {
        group["conditionalVisibility"]["value"]: group["content"]
        for group in workbook.of_type(workbook.GROUP)
    }

    def titles(link):
        panels = groups[link["subTarget"]]["items"]
        return [panel["content"]["title"] for panel in panels if panel["type"] == workbook.QUERY]

    return {link["linkLabel"]: titles(link) for link in strip["content"]["links"]}


def picture(label):
    return PICTURES / f"{label.lower().replace(' ', '-')}.svg"


def section(heading):
    """The page from one heading to the next."""
    found = re.search(rf"(?ms)^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE)
    return found[1] if found else ""


def first_column(text, header):
    rows = re.findall(r"(?m)^\| (.*?) \|", text)
    return rows[rows.index(header) + 1 :] if header in rows else []


def texts(path):
    """The texts of a picture, each as one line."""
    return {" ".join(" ".join(text.itertext()).split()) for text in xml.parse(path).iter(TEXT)}


class Page(unittest.TestCase):
    def test_each_tab_has_its_panels_and_no_others(self):
        self.assertGreater(len(tabs()), 1)
        for label, titles in tabs().items():
            self.assertEqual(first_column(section(label), "panel"), titles, label)

    def test_tables_of_rules_and_hunts_are_up_to_date(self):
        self.assertEqual(PAGE, list_content.with_tables(PAGE), "run scripts/list_content.py")

    def test_descriptions_say_what_is_found_and_what_to_do(self):
        for folder in ["analytic-rules", "hunting-queries"]:
            for name, made in list_content.load(folder):
                self.assertTrue(all(list_content.found_and_done(made["description"])), name)


class Pictures(unittest.TestCase):
    def test_each_tab_has_a_picture_on_the_page(self):
        self.assertEqual({picture(label) for label in tabs()}, set(PICTURES.glob("*.svg")))
        for label in tabs():
            self.assertIn(f"](pictures/{picture(label).name})", section(label))

    def test_pictures_show_the_titles_of_the_panels(self):
        for label, titles in tabs().items():
            self.assertLessEqual(
                set(titles), texts(picture(label)), f"{label}: run scripts/pictures"
            )

    def test_pictures_are_small_and_self_contained(self):
        for path in PICTURES.glob("*.svg"):
            drawn = path.read_text(encoding="utf-8")
            self.assertLess(len(drawn), LARGEST, path.name)
            self.assertNotRegex(drawn, r"href=|url\(|<script|<image|<style", path.name)


if __name__ == "__main__":
    unittest.main()
