"""Tasks on several processes: their results in order, and their errors."""

import os

import pytest

from bnsym.several import beside, each_of


def squared(n):
    return n * n, os.getpid()


def refuse():
    raise ValueError("no")


def test_results_come_in_the_order_of_what_they_are_of():
    assert [n for n, _ in each_of(squared, [3, 1, 2])] == [9, 1, 4]


def test_one_thing_takes_no_process():
    assert list(each_of(squared, [3])) == [(9, os.getpid())]


def test_two_tasks_know_all_that_the_caller_does():
    known = [1]
    first, second = beside(lambda: (known[0], os.getpid()), lambda: (known[0] + 1, os.getpid()))
    assert (first[0], second) == (1, (2, os.getpid()))
    if hasattr(os, "fork") and (os.cpu_count() or 1) > 1:
        assert first[1] != os.getpid()


@pytest.mark.parametrize("tasks", [(refuse, int), (int, refuse)])
def test_an_error_of_either_is_raised(tasks):
    with pytest.raises(ValueError, match="no"):
        beside(*tasks)


def test_a_process_that_is_ended_from_outside_loses_nothing():
    caller = os.getpid()
    assert beside(lambda: os._exit(1) if os.getpid() != caller else 5, lambda: 6) == (5, 6)
