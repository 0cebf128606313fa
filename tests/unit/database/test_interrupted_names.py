"""How the databases beside a live one are called that a restore makes: never too long, never another one's."""

from __future__ import annotations

from govern.database.postgresql.interrupted import Names

MOMENT = "20261121120000"


def test_a_usual_name_is_kept_whole() -> None:
    names = Names.at("app", MOMENT)
    assert (names.side, names.kept) == (f"app_restored_{MOMENT}", f"app_before_restore_{MOMENT}")


def test_a_long_name_is_cut_between_characters_and_stays_its_own() -> None:
    long = ["ü" * 31, "ü" * 30 + "a", "x" * 63, "x" * 62 + "y"]
    names = [Names.at(name, MOMENT) for name in long]
    assert all(len(name.encode()) <= 63 for one in names for name in (one.side, one.kept))
    assert len({one.kept for one in names}) == len(long)
    assert all(one.kept.endswith(MOMENT) and one.side.endswith(MOMENT) for one in names)
