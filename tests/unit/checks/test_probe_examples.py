"""The examples of the pages about probes, answered on a real socket: bad ones are found, good ones are not."""

from __future__ import annotations

import pytest
import yaml

from tests.docs.markdown import DOCS
from tests.unit.checks.test_probes_http import Server, probe, replying, server

__all__ = ["server"]

EXAMPLES = DOCS / "rules" / "probe"
STEPS = yaml.safe_load((EXAMPLES / "steps.yaml").read_text(encoding="utf-8"))


def test_each_example_has_its_step() -> None:
    assert sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()) == sorted(STEPS)


@pytest.mark.parametrize("rule", STEPS)
def test_the_bad_example_has_exactly_this_finding_and_the_good_one_none(server: Server, rule: str) -> None:
    told = []
    for kind in ("bad", "good"):
        text = (EXAMPLES / rule / f"{kind}.http").read_text(encoding="utf-8")
        server.answer = replying(text.replace("\n", "\r\n").encode())
        proof = probe(server.url, yaml.safe_dump(STEPS[rule], sort_keys=False))
        told.append({finding.rule.id for finding in proof.entry.findings})
    assert told == [{f"probe.{rule}"}, set()]
