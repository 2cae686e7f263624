"""The workbook has the form that the portal requires, and its queries are valid."""

import re
import unittest
import uuid

import connector_rows
import tap
import traffic
import workbook
from functions import of_connector
from kql import PARSER, check
from test_language import full
from workbook import ABSOLUTE, CLUSTERS, ODD, RELATIVE, WORKBOOK, fill, untouched
from workbook import ALL_PANELS as PANELS

# A column that several panels define, and its definition.
TERM = re.compile(r"\b(Cluster|MessageKey|Outcome|Direction|Tls) = (.*?)(?=\n *\||;|$)", re.DOTALL)


def in_columns(settings):
    """The columns that a panel's settings name, as patterns."""
    if isinstance(settings, list):
        return [column for member in settings for column in in_columns(member)]
    if not isinstance(settings, dict):
        return []
    own = [
        settings[name]
        for name in ["columnMatch", "fieldName", "exportFieldName"]
        if name in settings
    ]
    return own + [column for member in settings.values() for column in in_columns(member)]


def drawn(panel):
    """The columns that a panel's chart shows."""
    chart = panel.get("chartSettings", {})
    return [*chart.get("yAxis", []), *(chart[name] for name in ["xAxis", "group"] if name in chart)]


class Form(unittest.TestCase):
    def test_it_is_a_workbook_of_the_gallery(self):
        self.assertEqual(WORKBOOK["version"], "Notebook/1.0")
        self.assertEqual(WORKBOOK["fromTemplateId"], "sentinel-ProofpointEmailSecurity")
        self.assertEqual(WORKBOOK["fallbackResourceIds"], [])

    def test_item_names_and_ids_are_unique(self):
        names = [item["name"] for item in workbook.items()]
        self.assertEqual(len(names), len(set(names)))
        ids = [made["id"] for made in workbook.parameters().values()]
        ids += [
            link["id"]
            for item in workbook.of_type(workbook.LINKS)
            for link in item["content"]["links"]
        ]
        self.assertEqual(len(ids), len(set(map(uuid.UUID, ids))))

    def test_each_tab_shows_one_group(self):
        [tabs] = workbook.of_type(workbook.LINKS)
        links = {link["subTarget"] for link in tabs["content"]["links"]}
        self.assertEqual({link["cellValue"] for link in tabs["content"]["links"]}, {"selectedTab"})
        shown = [item["conditionalVisibility"] for item in workbook.of_type(workbook.GROUP)]
        self.assertEqual({visible["parameterName"] for visible in shown}, {"selectedTab"})
        values = [visible["value"] for visible in shown]
        self.assertEqual(len(values), len(set(values)))
        self.assertLessEqual(links, set(values))
        # A group without a tab is a placeholder and must be empty.
        groups = workbook.of_type(workbook.GROUP)
        empty = {
            group["conditionalVisibility"]["value"]
            for group in groups
            if not group["content"]["items"]
        }
        self.assertEqual(set(values) - links, empty)

    def test_every_panel_is_in_a_tab_and_uses_the_filters(self):
        outside = [item["name"] for item in WORKBOOK["items"] if item["type"] == workbook.QUERY]
        self.assertEqual(outside, [])
        for name, panel in PANELS.items():
            self.assertRegex(panel["query"], r"\{TimeRange(:start)?\}", name)
            self.assertIn("{Cluster}", panel["query"], name)

    def test_panels_use_only_existing_parameters(self):
        known = set(workbook.parameters()) | set(workbook.exported()) | workbook.brushes()
        queries = {name: panel["query"] for name, panel in PANELS.items()}
        queries |= {
            name: made["query"] for name, made in workbook.parameters().items() if "query" in made
        }
        for name, query in queries.items():
            self.assertLessEqual(
                {found[1] for found in workbook.REFERENCE.finditer(query)}, known, name
            )

    def test_a_column_has_one_definition_in_all_panels(self):
        defined = {}
        for name, panel in PANELS.items():
            for column, meaning in TERM.findall(panel["query"]):
                self.assertEqual(
                    defined.setdefault(column, meaning), meaning, f"{column} in {name}"
                )


class Language(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Checks each query with several values of its parameters."""
        made = {name: columns | {traffic.BILLED: "real"} for name, columns in full().items()}
        queries = {name: panel["query"] for name, panel in PANELS.items()}
        queries |= {
            name: one["query"] for name, one in workbook.parameters().items() if "query" in one
        }
        pairs = zip([ABSOLUTE, RELATIVE], CLUSTERS.values(), strict=True)
        plainly, other = [time | untouched() | {"Cluster": cluster} for time, cluster in pairs]
        fillings = [plainly, other, *(plainly | typed for typed in ODD)]
        filled = list(
            dict.fromkeys(
                (name, fill(query, values))
                for values in fillings
                for name, query in queries.items()
            )
        )
        made |= tap.tables() | {connector_rows.TABLE: connector_rows.COLUMNS}
        functions = {"ProofpointPOD": PARSER} | tap.checked_functions()
        functions |= of_connector().checked(made)
        answers = check(made, functions, [query for _, query in filled])
        cls.checked = list(zip(filled, answers, strict=True))
        cls.columns = {name: list(answer["columns"]) for (name, _), answer in cls.checked}

    def test_queries_are_valid_for_all_parameter_values(self):
        self.assertGreater(len(self.checked), 2 * len(PANELS))
        for (name, query), answer in self.checked:
            self.assertEqual(answer["diagnostics"], [], f"{name}\n{query}")
            self.assertFalse(answer["open"], name)

    def test_settings_name_columns_of_the_query(self):
        for name, panel in PANELS.items():
            for pattern in in_columns(panel):
                self.assertTrue(
                    any(re.fullmatch(pattern, column) for column in self.columns[name]),
                    f"{pattern} in {name}",
                )
            self.assertLessEqual(set(drawn(panel)), set(self.columns[name]), name)


if __name__ == "__main__":
    unittest.main()
