# Everyday tasks. Each is one command, which also works without just.

# List the tasks.
default:
    @just --list

# Run the whole connector against stand-ins.
demo *arguments:
    cargo run --release -- demo {{arguments}}

# Run all checks, or some: lint rust template content page package.
test *parts:
    scripts/test {{parts}}

# Format everything.
format:
    cargo fmt --all
    target/lint/bin/ruff format .
    tests/lint/node_modules/.bin/biome format --write .

# Make the package that Azure runs.
package:
    scripts/package

# Kill the program again and again.
kill rounds="500":
    scripts/killtest --rounds {{rounds}}

# Feed made-up input to every parser, some seconds each.
fuzz seconds="600":
    scripts/fuzz {{seconds}}

# Measure the package.
bench:
    scripts/bench

# Write what is generated from the Sentinel content.
content:
    target/sentinel/bin/python scripts/embed_content.py
    target/sentinel/bin/python scripts/list_content.py
