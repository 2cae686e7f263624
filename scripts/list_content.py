"""Writes the tables of analytic rules and hunting queries into docs/content.md, between its markers.

    target/sentinel/bin/python scripts/list_content.py

The first sentence of a description says what is found, the others say what to do."""

import re

import embed_content

PAGE = embed_content.ROOT / "docs" / "content.md"

# How names begin, and what is left of it in the tables.
PREFIXES = {
    "Proofpoint on Demand - ": "",
    "Proofpoint TAP - ": "TAP: ",
    "Proofpoint connector - ": "Connector: ",
}
SEVERITIES = ["High", "Medium", "Low", "Informational"]
UNITS = {"m": "min", "h": "h", "d": "d"}


def load(folder):
    """The name and the content of each file of a folder."""
    return [(file.name, embed_content.load(file)) for file in embed_content.files(folder)]


def link(folder, file, made):
    name = made["name"]
    for prefix, short in PREFIXES.items():
        name = name.replace(prefix, short)
    return f"[{name}](../sentinel/{folder}/{file})"


def found_and_done(description):
    """The first sentence of a description, and the others."""
    first, _, rest = re.sub(r"\s+", " ", description).strip().partition(". ")
    return f"{first.rstrip('.')}.", rest


def attack(made):
    """The MITRE ATT&CK tactics as words, and the techniques."""
    tactics = [
        re.sub(r"(?<=[a-z])(?=[A-Z])", " ", tactic).capitalize() for tactic in made["tactics"]
    ]
    return ", ".join([*tactics, *made["relevantTechniques"]])


def span(text):
    """A duration such as `10m` in words."""
    return f"{text[:-1]} {UNITS[text[-1]]}"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def rules():
    made = sorted(
        load("analytic-rules"), key=lambda of: (SEVERITIES.index(of[1]["severity"]), of[1]["name"])
    )
    rows = []
    for file, rule in made:
        often = f"every {span(rule['queryFrequency'])}, over {span(rule['queryPeriod'])}"
        often += "" if rule.get("enabled", True) else "; deployed disabled"
        name = link("analytic-rules", file, rule)
        rows.append(
            [name, rule["severity"], *found_and_done(rule["description"]), often, attack(rule)]
        )
    return table(["rule", "severity", "detects", "what to do", "schedule", "ATT&CK"], rows)


def hunts():
    rows = []
    for file, hunt in load("hunting-queries"):
        rows.append(
            [
                link("hunting-queries", file, hunt),
                *found_and_done(hunt["description"]),
                attack(hunt),
            ]
        )
    return table(["hunting query", "finds", "what to do", "ATT&CK"], rows)


def with_tables(page):
    """The page with up-to-date tables."""
    for name, made in {"rules": rules(), "hunts": hunts()}.items():
        begin, end = (
            f"<!-- {name}: written by scripts/list_content.py -->\n",
            f"<!-- end of {name} -->\n",
        )
        before, _, rest = page.partition(begin)
        _, mark, after = rest.partition(end)
        if not mark:
            raise SystemExit(f"{PAGE.name} has no markers for the table of {name}")
        page = f"{before}{begin}\n{made}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
