"""azuredeploy.json deploys the content of sentinel/ in the form that Azure requires."""

import json
import sys
import unittest

from kql import CONTENT, ROOT, load

sys.path.append(str(ROOT / "scripts"))
import embed_content

TEMPLATE = embed_content.TEMPLATE.read_text(encoding="utf-8")
DEPLOYED = json.loads(TEMPLATE)["variables"]["content"]

# The parameters that functions share, and those of the functions over TAP.
TIMES = (
    "starttime:datetime=datetime(null),endtime:datetime=datetime(null),"
    "arrivedafter:datetime=datetime(null),arrivedby:datetime=datetime(null)"
)
OF_TAP = f'{TIMES},guids:dynamic=dynamic(["*"])'


def named(folder):
    return {
        rule["id"]: rule
        for rule in (load(path) for path in sorted((CONTENT / folder).glob("*.yaml")))
    }


class Deployment(unittest.TestCase):
    def test_the_template_has_the_current_content(self):
        hint = "run target/sentinel/bin/python scripts/embed_content.py"
        self.assertEqual(TEMPLATE, embed_content.embedded(TEMPLATE), hint)

    def test_every_file_is_deployed(self):
        for folder, member in {
            "analytic-rules": "analyticRules",
            "hunting-queries": "huntingQueries",
        }.items():
            self.assertCountEqual([each["name"] for each in DEPLOYED[member]], named(folder))
        queries = {each["properties"]["query"] for each in DEPLOYED["functions"]}
        parsers = [load(path) for path in (CONTENT / "parsers").glob("*.yaml")]
        self.assertEqual(
            queries,
            {(each.get("FunctionQuery") or each["ParserQuery"]).strip() for each in parsers},
        )
        [book] = (CONTENT / "workbooks").glob("*.json")
        self.assertEqual(
            json.loads(DEPLOYED["workbook"]["serializedData"]),
            json.loads(book.read_text(encoding="utf-8")),
        )
        [card] = (CONTENT / "connector").glob("*.json")
        self.assertEqual(
            DEPLOYED["connector"]["properties"],
            json.loads(card.read_text(encoding="utf-8"))["properties"],
        )

    def test_functions_have_the_names_that_queries_use(self):
        aliases = {
            each["name"]: each["properties"]["functionAlias"] for each in DEPLOYED["functions"]
        }
        expected = {
            "ProofpointPOD Data Parser": "ProofpointPOD",
            "ProofpointTAPEvent": "ProofpointTAPEvent",
            "ProofpointTAPThreats": "ProofpointTAPThreats",
            "ProofpointConnector": "ProofpointConnector",
            "ProofpointReconciliation": "ProofpointReconciliation",
            "ASimEmailEventProofpointPOD": "ASimEmailEventProofpointPOD",
            "vimEmailEventProofpointPOD": "vimEmailEventProofpointPOD",
        }
        self.assertEqual(aliases, expected)

    def test_functions_have_their_parameters(self):
        parameters = {
            each["name"]: each["properties"].get("functionParameters")
            for each in DEPLOYED["functions"]
        }
        expected = {
            "ProofpointPOD Data Parser": "starttime:datetime=datetime(null),"
            "endtime:datetime=datetime(null),arrivedafter:datetime=datetime(null),"
            'arrivedby:datetime=datetime(null),ids:dynamic=dynamic(["*"]),'
            "words:dynamic=dynamic([\"*\"]),disposition:string='*'",
            "ProofpointTAPEvent": OF_TAP,
            "ProofpointTAPThreats": OF_TAP,
            "ProofpointConnector": TIMES,
            "ProofpointReconciliation": f'{TIMES},feeds:dynamic=dynamic(["*"]),every:long=1',
            "ASimEmailEventProofpointPOD": "disabled:bool=false",
            "vimEmailEventProofpointPOD": "starttime:datetime=datetime(null),"
            "endtime:datetime=datetime(null),ipaddr_has_any_prefix:dynamic=dynamic([]),"
            "emailfromaddress_has_any:dynamic=dynamic([]),emailrecipient_has_any:dynamic=dynamic([]),"
            "emailsubject_has_any:dynamic=dynamic([]),emaildirection_in:dynamic=dynamic([]),"
            "emaildeliverylocation_in:dynamic=dynamic([]),eventresult:string='*',"
            "disabled:bool=false,pack:bool=false",
        }
        self.assertEqual(parameters, expected)

    def test_rules_match_their_files(self):
        rules = named("analytic-rules")
        for deployed in DEPLOYED["analyticRules"]:
            rule, properties = rules[deployed["name"]], deployed["properties"]
            with self.subTest(rule=rule["name"]):
                self.assertEqual(properties["displayName"], rule["name"])
                self.assertEqual(properties["query"], rule["query"].strip())
                self.assertEqual(properties["techniques"], rule["relevantTechniques"])
                for name in [
                    "severity",
                    "tactics",
                    "triggerThreshold",
                    "entityMappings",
                    "customDetails",
                ]:
                    self.assertEqual(properties[name], rule[name])
                known = {
                    "id",
                    "name",
                    "status",
                    "kind",
                    "version",
                    "requiredDataConnectors",
                    "relevantTechniques",
                }
                self.assertLessEqual(set(rule) - known, set(properties))

    def test_durations_are_in_iso_8601(self):
        of = {"5m": "PT5M", "3h": "PT3H", "14d": "P14D"}
        self.assertEqual({text: embed_content.iso(text) for text in of}, of)

    def test_texts_keep_paragraphs_but_not_line_breaks(self):
        self.assertEqual(
            embed_content.plain("One\ntwo.\n\nThree\n  four.\n"), "One two.\n\nThree four."
        )

    def test_no_text_looks_like_an_expression(self):
        self.assertEqual(
            [text for text in embed_content.texts(DEPLOYED) if text.startswith("[")], []
        )


if __name__ == "__main__":
    unittest.main()
