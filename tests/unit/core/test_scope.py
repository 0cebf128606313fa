"""What a project decided about drift: nothing is left out that nobody answers for."""

from __future__ import annotations

from datetime import date

import pytest

from govern.core.changes import Change, accept, diff
from govern.core.finding import Severity
from govern.core.scope import Ignore, Known, Scope, Weight, sort_changes
from govern.core.snapshot import Fact, Facts, ObjectKey, Snapshot

TODAY = date(2030, 6, 15)


def snapshot(objects: dict[tuple[str, str], Facts]) -> Snapshot:
    return Snapshot(
        dialect="postgresql",
        server_version="18.4",
        objects={ObjectKey(kind, "public", name): facts for (kind, name), facts in objects.items()},
    )


def ignore(name: str, *, kind: str = "*", fact: str | None = None, until: date = TODAY) -> Ignore:
    return Ignore(kind=kind, name=name, fact=fact, reason="tried out", owner="ada", until=until)


DECLARED = snapshot(
    {
        ("table", "users"): {},
        ("column", "users.id"): {"type": "integer"},
        ("column", "users.age"): {"type": "integer", "default": "1"},
        ("table", "gone"): {},
        ("column", "gone.id"): {"type": "integer"},
        ("sequence", "gone_id_seq"): {"owned_by": "public.gone.id"},
        ("comment", "sequence gone_id_seq"): {"text": "counts"},
    }
)
LIVE = snapshot(
    {
        ("table", "users"): {},
        ("column", "users.id"): {"type": "integer"},
        ("column", "users.age"): {"type": "bigint", "default": "2"},
        ("index", "users.tmp_age"): {"definition": "…"},
        ("table", "stray"): {},
        ("column", "stray.id"): {"type": "integer"},
        ("comment", "column stray.id"): {"text": "hm"},
    }
)
CHANGES = diff(DECLARED, LIVE)


def names(changes: tuple[Change, ...]) -> list[str]:
    return [f"{change.action} {change.key.name}" for change in changes]


def test_without_a_scope_everything_is_open() -> None:
    found = sort_changes(CHANGES, Scope(), TODAY)
    assert found.open == CHANGES
    assert names(CHANGES) == ["changed users.age", "added users.tmp_age", "removed gone", "added stray"]


@pytest.mark.parametrize(
    "entry",
    [
        ignore("users.tmp_*"),
        ignore("public.users.tmp_*"),
        ignore("*tmp*", kind="index"),
        ignore("users.tmp_age", kind="ind*"),
    ],
)
def test_an_entry_ignores_what_its_globs_match(entry: Ignore) -> None:
    found = sort_changes(CHANGES, Scope(ignore=(entry,)), TODAY)
    assert names(found.ignored) == ["added users.tmp_age"]
    assert len(found.open) == len(CHANGES) - 1
    assert (found.unused, found.expired) == ((), ())


@pytest.mark.parametrize(
    "entry", [ignore("tmp_*"), ignore("*tmp*", kind="table"), ignore("other.users.tmp_age")]
)
def test_an_entry_that_matches_nothing_ignores_nothing_and_is_told(entry: Ignore) -> None:
    found = sort_changes(CHANGES, Scope(ignore=(entry,)), TODAY)
    assert found.open == CHANGES
    assert found.unused == (entry,)


def test_an_entry_holds_until_the_end_of_its_day() -> None:
    entry = ignore("users.tmp_age")
    assert not sort_changes(CHANGES, Scope(ignore=(entry,)), TODAY).expired
    found = sort_changes(CHANGES, Scope(ignore=(entry,)), date(2030, 6, 16))
    assert found.open == CHANGES
    assert (found.expired, found.unused) == ((entry,), ())


def test_a_fact_is_ignored_without_the_others() -> None:
    found = sort_changes(CHANGES, Scope(ignore=(ignore("users.age", fact="default"),)), TODAY)
    (age,) = (change for change in found.open if change.key.name == "users.age")
    assert dict(age.facts) == {"type": ("integer", "bigint")}
    both = (ignore("users.age", fact="default"), ignore("users.age", fact="type"))
    assert "changed users.age" not in names(sort_changes(CHANGES, Scope(ignore=both), TODAY).open)


def test_a_fact_of_an_object_that_is_gone_is_not_ignored() -> None:
    entry = ignore("gone", fact="options")
    found = sort_changes(CHANGES, Scope(ignore=(entry,)), TODAY)
    assert "removed gone" in names(found.open)
    assert found.unused == (entry,)


def test_the_first_weight_that_matches_counts() -> None:
    weights = (
        Weight(kind="index", name="users.*", severity=Severity.INFO),
        Weight(kind="*", name="users.*", severity=Severity.CRITICAL),
    )
    scope = Scope(weights=weights)
    assert scope.weight_of(ObjectKey("index", "public", "users.tmp_age")) is Severity.INFO
    assert scope.weight_of(ObjectKey("column", "public", "users.age")) is Severity.CRITICAL
    assert scope.weight_of(ObjectKey("table", "public", "notes")) is None


def test_a_comment_is_matched_by_what_it_speaks_of() -> None:
    key = ObjectKey("comment", "public", "column users.age")
    for name in ("users.age", "public.users.age", "column users.age"):
        assert Scope(weights=(Weight(kind="comment", name=name, severity=Severity.INFO),)).weight_of(key)


def test_known_differences_are_not_open() -> None:
    scope = Scope(known=frozenset(map(Known.of, CHANGES)))
    found = sort_changes(CHANGES, scope, TODAY)
    assert (found.open, found.known, found.vanished) == ((), CHANGES, ())


def test_a_known_difference_that_became_another_one_is_open_again() -> None:
    scope = Scope(known=frozenset(map(Known.of, CHANGES)))
    retyped = snapshot(
        {
            (key.kind, key.name): {"type": "text", "default": "2"} if key.name == "users.age" else facts
            for key, facts in LIVE.objects.items()
        }
    )
    found = sort_changes(diff(DECLARED, retyped), scope, TODAY)
    assert names(found.open) == ["changed users.age"]
    assert found.vanished == ()


def test_a_known_difference_that_is_gone_is_told() -> None:
    scope = Scope(known=frozenset(map(Known.of, CHANGES)))
    found = sort_changes(CHANGES[1:], scope, TODAY)
    assert [known.name for known in found.vanished] == ["public.users.age"]


@pytest.mark.parametrize("change", CHANGES, ids=names(CHANGES))
def test_what_is_accepted_differs_no_more_and_the_rest_does(change: Change) -> None:
    left = diff(accept(DECLARED, LIVE, [change]), LIVE)
    assert names(left) == [name for name in names(CHANGES) if name != names((change,))[0]]
    assert diff(accept(DECLARED, LIVE, CHANGES), LIVE) == ()


def test_accepting_one_fact_leaves_the_others() -> None:
    (age,) = (change for change in CHANGES if change.key.name == "users.age")
    facts: dict[str, tuple[Fact, Fact]] = {"default": age.facts["default"]}
    accepted = accept(DECLARED, LIVE, [Change(key=age.key, action="changed", facts=facts)])
    (left,) = (change for change in diff(accepted, LIVE) if change.key == age.key)
    assert dict(left.facts) == {"type": ("integer", "bigint")}


def test_accepting_nothing_is_the_same_snapshot() -> None:
    assert accept(DECLARED, LIVE, ()) is DECLARED
