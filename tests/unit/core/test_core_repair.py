"""Repair plans as values."""

from __future__ import annotations

from dataclasses import replace

from govern.core.changes import Change
from govern.core.repair import RepairPlan, RepairStep, attribute_statements
from govern.core.snapshot import ObjectKey

AGE = ObjectKey("column", "public", "users.age")
MAIL = ObjectKey("column", "public", "users.mail")


def plan(*steps: RepairStep) -> RepairPlan:
    return RepairPlan(steps=steps, changes=(), hazards=(), remaining=())


def test_a_change_gets_its_own_statements_and_those_of_the_whole_script() -> None:
    repair = plan(
        RepairStep(sql="SET x"),
        RepairStep(sql="ALTER age", undoes=(AGE,)),
        RepairStep(sql="ALTER mail", undoes=(MAIL,)),
        RepairStep(sql="CREATE VIEW of both", undoes=(AGE, MAIL)),
    )
    assert repair.statements_for(AGE) == ("SET x", "ALTER age", "CREATE VIEW of both")


def test_a_change_that_nothing_was_found_for_gets_no_statements() -> None:
    assert plan(RepairStep(sql="SET x")).statements_for(AGE) == ()


def test_statements_made_elsewhere_belong_to_what_they_name() -> None:
    statements = ('alter table "public"."users" drop column "age"', "set check_function_bodies = off")
    steps = attribute_statements(statements, (AGE, MAIL, ObjectKey("column", "public", "users.a")))
    assert [step.undoes for step in steps] == [(AGE,), ()]


def differing(name: str) -> Change:
    return Change(key=ObjectKey("index", "public", name), action="removed")


def test_each_change_is_proven_for_itself_even_where_another_one_stays() -> None:
    gone, stays = differing("gone"), differing("stays")
    plan = RepairPlan(
        steps=(RepairStep(sql="CREATE INDEX gone …", undoes=(gone.key,)),),
        changes=(gone, stays),
        hazards=(),
        remaining=(stays,),
    )
    assert (plan.proves(gone.key), plan.proves(stays.key), plan.is_proven) == (True, False, False)
    assert not replace(plan, remaining=(stays, differing("new"))).proves(gone.key)
    assert not replace(plan, problem="syntax error").proves(gone.key)
