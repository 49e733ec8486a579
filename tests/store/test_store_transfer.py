"""A store to parquet and back: exact, deterministic, and nothing damaged gets through."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store_rows import completion, key_of, raw_key_of

from rubricbench.errors import InputError, StoreError
from rubricbench.store import Store
from rubricbench.store import transfer as transfer_module


@pytest.fixture
def parquet(tmp_path):
    return tmp_path / "store.parquet"


def stored(path, completions):
    store = Store.open(path)
    for one in completions:
        store.put(one)
    return store


def test_export_and_import_carry_everything_exactly(path, parquet, tmp_path):
    many = [
        completion(
            i,
            f"text {i} \x00" + ("\ud800" if i % 3 else ""),
            reasoning="\udfff" if i % 7 == 0 else "why",
            usage={"prompt_tokens": i},
            model="m\ud800" if i == 5 else "m",
            url="http://127.0.0.1",
            finish_reason="stop",
            created=i / 7,
            logprobs=b'[["\xc3\xa9",-0.5]]' if i % 5 == 0 else b"",
        )
        for i in range(2500)
    ]
    with stored(path, many) as store:
        report = store.export(parquet)
    assert (report.exported, report.damaged) == (2500, ())
    with Store.open(tmp_path / "other.sqlite") as other:
        assert other.import_(parquet).added == 2500
        assert list(other.iterate()) == sorted(many, key=lambda c: c.key)
        assert other.verify().ok


def test_export_reads_as_plain_text(path, parquet):
    with stored(path, [completion(0, "plain é \x00"), completion(1, "half \ud800")]) as store:
        store.export(parquet)
    rows = {row["key"]: row for row in pq.read_table(parquet).to_pylist()}
    assert rows[key_of(0)]["text"] == "plain é \x00"
    assert rows[key_of(0)]["request"] == '{"messages":["0"],"model":"m"}'
    assert rows[key_of(0)]["exact"] is None
    assert rows[key_of(1)]["text"] == "half ?"
    assert rows[key_of(1)]["exact"] is not None


def test_an_export_from_before_logprobs_were_kept_is_imported(path, parquet, tmp_path):
    many = [completion(0), completion(1, "half \ud800")]
    with stored(path, many) as store:
        store.export(parquet)
    table = pq.read_table(parquet)
    exact = [row["exact"] for row in table.to_pylist() if row["exact"]]
    assert [len(msgspec.msgpack.decode(packed)) for packed in exact] == [9]  # as it was then
    pq.write_table(table.drop_columns(["logprobs"]), parquet)
    with Store.open(tmp_path / "other.sqlite") as other:
        assert other.import_(parquet).added == 2
        assert list(other.iterate()) == sorted(many, key=lambda c: c.key)


def test_import_counts_new_present_and_conflicting(path, parquet, tmp_path):
    with stored(path, [completion(i) for i in range(10)]) as store:
        store.export(parquet)
    mine = [
        completion(0, "another answer"),
        completion(1, finish_reason="length"),
        completion(2, created=5.0, url="elsewhere"),  # the same answer, had at another time
    ]
    with stored(tmp_path / "other.sqlite", mine) as other:
        report = other.import_(parquet)
        assert (report.added, report.present, report.damaged) == (7, 1, ())
        assert set(report.conflicting) == {key_of(0), key_of(1)}
        assert other.get_many([key_of(0)])[key_of(0)].text == "another answer"
        again = other.import_(parquet)
        assert (again.added, again.present) == (0, 8)
        assert set(again.conflicting) == {key_of(0), key_of(1)}


def test_equal_stores_export_equal_bytes(tmp_path):
    files = []
    for order in (range(50), reversed(range(50))):
        with stored(tmp_path / f"{len(files)}.sqlite", map(completion, order)) as store:
            store.export(tmp_path / f"{len(files)}.parquet")
        files.append((tmp_path / f"{len(files)}.parquet").read_bytes())
    assert files[0] == files[1]


def test_empty_store_exports_and_imports(path, parquet, tmp_path):
    with Store.open(path) as store:
        assert store.export(parquet).exported == 0
    with Store.open(tmp_path / "other.sqlite") as other:
        assert other.import_(parquet).added == 0


def test_damaged_row_is_left_out_of_an_export(path, parquet, tmp_path):
    stored(path, [completion(i) for i in range(3)]).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE completions SET text = ? WHERE key = ?", (b"forged", raw_key_of(1)))
    with Store.open(path, read_only=True) as store:
        report = store.export(parquet)
    assert (report.exported, report.damaged) == (2, (key_of(1),))
    with Store.open(tmp_path / "other.sqlite") as other:
        assert other.import_(parquet).added == 2


CHANGES = {
    "text": "forged",
    "model": "forged",
    "usage": "{}",
    "created": 7.0,
    "request": "{}",
    "key": "ab" * 32,
    "digest": "00" * 32,
    "exact": b"\x00",
}


@pytest.mark.parametrize(
    ("column", "value"),
    [*CHANGES.items(), *((name, None) for name in CHANGES if name != "exact")],
)
def test_import_refuses_a_row_that_was_changed(path, parquet, tmp_path, column, value):
    with stored(path, [completion(i, usage={"prompt_tokens": 1}) for i in range(3)]) as store:
        store.export(parquet)
    table = pq.read_table(parquet)
    rows = table.to_pylist()
    rows[1][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), parquet)
    with Store.open(tmp_path / "other.sqlite") as other:
        report = other.import_(parquet)
        assert report.added == 2
        assert report.damaged == (str(rows[1]["key"]),)
        assert other.count() == 2
        assert other.verify().ok


def test_row_given_twice_is_added_once(path, parquet, tmp_path):
    with stored(path, [completion(i) for i in range(3)]) as store:
        store.export(parquet)
    table = pq.read_table(parquet)
    pq.write_table(pa.concat_tables([table, table]), parquet)
    with Store.open(tmp_path / "other.sqlite") as other:
        report = other.import_(parquet)
        assert (report.added, report.present, other.count()) == (3, 3, 3)


@pytest.mark.parametrize("content", [None, b"text", b"", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_import_of_what_is_no_parquet_is_one_clear_error(path, parquet, content):
    if content is not None:
        parquet.write_bytes(content)
    with Store.open(path) as store, pytest.raises(InputError) as caught:
        store.import_(parquet)
    assert str(caught.value).startswith(f"{parquet}: ")
    assert str(caught.value).endswith("give a file written by: rubricbench store export")


def test_import_of_a_folder_is_one_clear_error(path, tmp_path):
    with Store.open(path) as store, pytest.raises(InputError, match="store export"):
        store.import_(tmp_path)


@pytest.mark.parametrize(
    "columns", [{"key": ["a"]}, {"prompt": ["x"], "response": ["y"]}, {"key": [1], "text": ["x"]}]
)
def test_import_of_other_columns_names_the_first_that_is_wrong(path, parquet, columns):
    pq.write_table(pa.table(columns), parquet)
    with Store.open(path) as store, pytest.raises(InputError, match=r"column '(key|digest)'"):
        store.import_(parquet)


def test_import_of_a_file_with_a_damaged_page_is_one_clear_error(path, parquet, tmp_path):
    with stored(path, [completion(i, str(i) * 200) for i in range(3000)]) as store:
        store.export(parquet)
    data = bytearray(parquet.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = b"\xff" * 5000
    parquet.write_bytes(data)
    with Store.open(tmp_path / "other.sqlite") as other:
        with pytest.raises(InputError, match="not a readable parquet file"):
            other.import_(parquet)
        assert other.verify().ok  # the groups before it are in, each row intact


def test_export_onto_the_store_itself_is_refused(path):
    with stored(path, [completion(1)]) as store:
        with pytest.raises(InputError, match="would replace the store"):
            store.export(path)
        assert store.verify().ok


def test_export_that_cannot_be_written_leaves_the_old_one(path, parquet, tmp_path, monkeypatch):
    parquet.write_bytes(b"old")
    with stored(path, [completion(1)]) as store:
        with pytest.raises(StoreError, match="cannot write the file"):
            store.export(tmp_path / "nowhere" / "x.parquet")

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(transfer_module, "_row", broken)
        with pytest.raises(ZeroDivisionError):
            store.export(parquet)
    assert parquet.read_bytes() == b"old"
    assert {file.name for file in tmp_path.iterdir()} == {path.name, parquet.name}


def test_memory_of_an_export_does_not_grow_with_the_store(path, parquet, monkeypatch):
    monkeypatch.setattr(transfer_module, "MAX_GROUP_BYTES", 200_000)
    peaks = []
    for rows in (100, 1000):  # of 10 kB
        with stored(path, [completion(i, "x" * 10_000) for i in range(rows)]) as store:
            store.export(parquet)  # imports and caches come before the measurement
            tracemalloc.start()
            store.export(parquet)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 500_000


def test_progress_is_told_of_every_row(path, parquet, tmp_path):
    counted = []

    def advance() -> None:
        counted.append(1)

    with stored(path, [completion(i) for i in range(7)]) as store:
        store.export(parquet, advance=advance)
        store.verify(advance=advance)
    with Store.open(tmp_path / "other.sqlite") as other:
        other.import_(parquet, advance=advance)
    assert len(counted) == 21
