from __future__ import annotations

from aqueduct_provider.compat import ANY_ITEMS, CronTriggerTimetable


def test_a_timetable_of_cron_and_time_zone() -> None:
    timetable = CronTriggerTimetable("0 6 * * *", timezone="Europe/Berlin")
    timetable.validate()
    assert timetable.can_be_scheduled


def test_any_items_accept_any_json_value() -> None:
    import jsonschema

    jsonschema.validate([1, "a", None, True, {}, []], {"type": "array", "items": ANY_ITEMS})
