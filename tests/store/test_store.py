"""A completion is paid for once, kept exactly, and found again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_rows import completion, key_of

from rubricbench.errors import InputError, StoreError
from rubricbench.store import Store


def test_what_is_put_is_found_again_after_reopening(path):
    one = completion(1, usage={"prompt_tokens": 3}, finish_reason="stop", created=1.5, url="u")
    with Store.open(path) as store:
        store.put(one)
    with Store.open(path, read_only=True) as store:
        assert store.get_many([one.key]) == {one.key: one}
        assert store.get_many(["00" * 32]) == {}
        assert store.get_many([]) == {}


def test_closed_store_is_one_file(path):
    with Store.open(path) as store:
        store.put(completion(1))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_flushed_is_found_by_another_store_at_once(path):
    with Store.open(path) as store, Store.open(path) as other:
        store.put(completion(1))
        store.flush()
        assert key_of(1) in other.get_many([key_of(1)])


def test_look_up_finds_more_than_one_chunk(path):
    with Store.open(path) as store:
        for i in range(600):  # chunks of 256
            store.put(completion(i))
        store.flush()
        wanted = [key_of(i) for i in range(700)]
        assert store.get_many(wanted).keys() == set(wanted[:600])


def test_first_answer_under_a_key_stays(path):
    with Store.open(path) as store:
        store.put(completion(1, "first"))
        store.put(completion(1, "second"))
        store.flush()
        store.put(completion(1, "third"))
        store.flush()
        assert store.get_many([key_of(1)])[key_of(1)].text == "first"


texts = st.text(st.characters(), max_size=40)  # lone surrogates and NUL are among them


@given(
    text=texts | texts.map(lambda t: t + "\ud83d\x00"),
    reasoning=texts,
    model=texts,
    usage=st.dictionaries(st.sampled_from(["prompt_tokens", "x"]), st.integers(0, 2**53)),
    created=st.floats(0, 1e11),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_every_field_comes_back_exactly(tmp_path, text, reasoning, model, usage, created):
    rest = {"reasoning": reasoning, "model": model, "url": text, "finish_reason": model}
    one = completion(
        ascii((text, *rest.values(), usage, created)), text, usage=usage, created=created, **rest
    )
    with Store.open(tmp_path / "any.sqlite") as store:
        store.put(one)
        assert store.get_many([one.key]) == {one.key: one}  # still queued, or not
        store.flush()
        assert store.get_many([one.key]) == {one.key: one}
        assert one in list(store.iterate())


def test_iteration_is_ordered_by_key_and_has_what_was_put_before(path):
    with Store.open(path) as store:
        for i in range(50):
            store.put(completion(i))
        keys = [c.key for c in store.iterate()]
    assert keys == sorted(key_of(i) for i in range(50))


def test_iteration_does_not_hold_up_look_ups_and_puts(path):
    with Store.open(path) as store:
        for i in range(50):
            store.put(completion(i))
        walk = store.iterate()
        next(walk)
        store.put(completion("later"))
        store.flush()
        assert store.get_many([key_of("later")])
        assert sum(1 for _ in walk) == 49  # what it began with


def test_many_threads_lose_nothing(path):
    def put_and_read(t: int) -> None:
        for i in range(300):
            store.put(completion((t, i)))
            if i % 50 == 0:
                store.flush()
                assert store.get_many([key_of((t, i))])

    with Store.open(path) as store:
        threads = [threading.Thread(target=put_and_read, args=(t,)) for t in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.flush()
        assert store.count() == 8 * 300


async def test_event_loop_runs_on_while_another_process_holds_the_disk(path, held):
    with Store.open(path) as store:
        with held(path):
            for i in range(100):
                store.put(completion(i))  # would wait 30 s if it waited for a commit
                await asyncio.sleep(0)
            assert len(store.get_many([key_of(i) for i in range(100)])) == 100
        await asyncio.to_thread(store.flush)
        assert store.count() == 100


def test_bad_key_is_one_clear_error(path):
    with Store.open(path) as store, pytest.raises(InputError, match="not a completion's key"):
        store.get_many(["nonsense"])


def test_read_only_store_refuses_to_write(path):
    Store.open(path).close()
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="read-only"):
        store.put(completion(1))


def test_closed_store_says_so(path):
    store = Store.open(path)
    store.close()
    store.close()
    for use in (lambda: store.put(completion(1)), store.flush, lambda: store.get_many([key_of(1)])):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_failing_body_is_the_error_to_hear_about(path, monkeypatch, held):
    monkeypatch.setattr("rubricbench.store.database.BUSY_SECONDS", 0.05)
    store = Store.open(path)
    with held(path):
        store.put(completion(1))
        with pytest.raises(ZeroDivisionError), store:
            raise ZeroDivisionError


def test_store_of_a_parent_process_is_refused_after_a_fork(path):
    with Store.open(path) as store:
        store.put(completion(1))
        child = os.fork()
        if child == 0:
            refused = 0
            for use in (lambda: store.put(completion(2)), lambda: store.get_many([key_of(1)])):
                try:
                    use()
                except StoreError as error:
                    refused += "forked" in str(error)
            store.close()
            os._exit(refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
        store.flush()
        assert store.count() == 1


def test_script_that_never_closes_its_store_loses_nothing(path):
    script = (
        "import sys; from store_rows import completion; from rubricbench.store import Store\n"
        "store = Store.open(sys.argv[1])\n"
        "for i in range(100): store.put(completion(i))\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(path)],
        check=True,
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
    )
    with Store.open(path, read_only=True) as store:
        assert store.count() == 100


def test_relative_path_still_holds_after_a_change_of_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store.open("s.sqlite") as store:
        store.put(completion(1))
        monkeypatch.chdir("/")
        assert len(list(store.iterate())) == 1


@pytest.mark.parametrize("name", ["with space?#%41.sqlite", "ünïcode-名.db", ":memory:"])
def test_name_of_the_file_is_taken_literally(tmp_path, name):
    with Store.open(tmp_path / name) as store:
        store.put(completion(1))
    assert [file.name for file in tmp_path.iterdir()] == [name]
