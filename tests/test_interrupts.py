"""An interrupt that somebody swallows is raised again at the next check."""

from __future__ import annotations

import contextlib
import signal
import threading

import pytest

from rubricbench.interrupts import remembered_interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_swallowed_interrupt_is_raised_at_the_next_check(number):
    with remembered_interrupts() as check:
        check()  # nobody has asked yet
        with contextlib.suppress(BaseException):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            check()


def fail_after_interrupt() -> None:
    with remembered_interrupts():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise ImportError("half an import")


def test_error_that_follows_an_interrupt_is_the_interrupt():
    with pytest.raises(KeyboardInterrupt):
        fail_after_interrupt()


def fail() -> None:
    with remembered_interrupts():
        raise ValueError("its own")


def test_error_without_an_interrupt_stays_itself():
    with pytest.raises(ValueError, match="its own"):
        fail()


def test_handlers_are_put_back():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with remembered_interrupts():
        pass
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_other_threads_are_left_alone():
    seen = []

    def work() -> None:
        with remembered_interrupts() as check:
            check()
            seen.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
