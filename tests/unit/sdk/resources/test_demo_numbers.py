from __future__ import annotations

from datetime import date

from aqueduct_provider.sdk.resources.demo_numbers import Numbers


def test_a_name_gives_the_same_numbers_everywhere() -> None:
    # Written down, so that another version of Python which differs is noticed.
    numbers = Numbers("test")
    assert [numbers.below(1000) for _ in range(5)] == [353, 251, 691, 272, 392]
    assert Numbers("other").below(1000) != Numbers("test").below(1000)


def test_numbers_are_in_their_range() -> None:
    numbers = Numbers("test")
    assert {numbers.one("abc") for _ in range(100)} == set("abc")
    assert {numbers.weighted(1, 0, 3) for _ in range(100)} == {0, 2}
    assert all(2 <= numbers.between(2, 3) < 3 for _ in range(100))
    assert {numbers.bell(5, 1, 4, 6, 0) for _ in range(100)} == {4, 5, 6}
    assert 0 < sum(numbers.chance(0.5) for _ in range(100)) < 100
    assert numbers.day(date(2024, 2, 28), 2) in ("2024-02-28", "2024-02-29")


def test_shapes() -> None:
    numbers = Numbers("test")
    plain, skewed = ([numbers.skewed(power) for _ in range(2000)] for power in (1, 3))
    assert sum(skewed) < sum(plain)
    bell = [numbers.bell(10, 2, 0, 20, 6) for _ in range(2000)]
    mean = sum(bell) / len(bell)
    spread = (sum((one - mean) ** 2 for one in bell) / len(bell)) ** 0.5
    assert abs(mean - 10) < 0.2
    assert abs(spread - 2) < 0.2


def test_some_of_many() -> None:
    found = Numbers("test").some_of(10, 9)
    assert len(found) == 9
    assert found < set(range(10))
