"""Asks a Rego engine about plans: one policy that both keep to, and one that each breaks.

Usage: rego.py POLICIES QUICKSTART ALL
"""

import json
import sys
from pathlib import Path

from regopy import Interpreter


def ask(policy: Path, plan: Path) -> list[str]:
    engine = Interpreter()
    engine.add_module(policy.stem, policy.read_text())
    engine.set_input_term(plan.read_text())
    answer = json.loads(str(engine.query("data.policy.deny")))
    [denied] = answer["expressions"]
    return sorted(denied)


def main() -> None:
    policies, quickstart, everything = map(Path, sys.argv[1:])
    for plan in (quickstart, everything):
        denied = ask(policies / "secrets.rego", plan)
        assert denied == [], f"{plan}: {denied}"
    denied = ask(policies / "lifetimes.rego", quickstart)
    assert denied == ['qlik_api_key.declared["acme/reporting"] lives longer than 10 days'], denied
    denied = ask(policies / "lifetimes.rego", everything)
    assert any("key-4 is revoked" in line for line in denied), denied
    assert any("QP0203" in line for line in denied), denied


main()
