"""Files people bring: read in a stream, and every fault is one line that names its place."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import InputError, RubricbenchError, SchemaError
from rubricbench.readers import read_rows
from rubricbench.readers.delimited import MAX_FIELD_CHARS
from rubricbench.readers.lines import MAX_LINE_BYTES

BROKEN = {
    "empty.jsonl": (b"", "the file is empty"),
    "empty.parquet": (b"", "the file is empty"),
    "blank.jsonl": (b"\n \n", "the file has no rows"),
    "header.csv": (b"prompt,text\n", "the file has no rows"),
    "odd.xlsx": (b"x", r"cannot read a \.xlsx file; use \.parquet"),
    "packed.jsonl.gz": (b"x", r"cannot read a \.gz file"),
    "none": (b"x", "cannot read a file without an ending"),
    "cut.jsonl": (b'{"a": 1}\n{"a"', r"cut\.jsonl:2: not JSON"),
    "list.jsonl": (b"[1]\n", r"list\.jsonl:1: expected one JSON object a line, got list"),
    "text.jsonl": (b'{"a": 1}\n\n"b"\n', r"text\.jsonl:3: expected one JSON object.*got str"),
    "pretty.jsonl": (b'{\n  "a": 1\n}\n', r"pretty\.jsonl:1: not JSON"),
    "twice.jsonl": (b'{"a": 1, "a": 2}\n', r"twice\.jsonl:1: .*a key appears twice"),
    "nan.jsonl": (b'{"a": NaN}\n', r"nan\.jsonl:1: .*NaN is not JSON"),
    "deep.jsonl": (b"[" * 100_000, r"deep\.jsonl:1: not JSON"),
    "latin.jsonl": (b'{"a": 1}\n{"a": "\xe9"}\n', r"latin\.jsonl:2: byte 0xe9 is not UTF-8"),
    "latin.csv": (b"a,b\nx,\xe9\n", r"latin\.csv:2: byte 0xe9 is not UTF-8"),
    "wide.jsonl": ('{"a": 1}\n'.encode("utf-16"), r"wide\.jsonl:1: a NUL byte.*UTF-16"),
    "nul.csv": (b"a,b\n\x00,1\n", r"nul\.csv:2: a NUL byte"),
    "ragged.csv": (b'a,b\n"1\n",2\n3\n', r"ragged\.csv:4: 1 fields, the header has 2"),
    "long.csv": (b"a,b\n1,2,3\n", r"long\.csv:2: 3 fields, the header has 2"),
    "double.csv": (b"a,b,b\n1,2,3\n", "column 'b' stands twice in the header"),
    "unnamed.csv": (b",a\n0,1\n", r"column 1 has no name; pandas .*index=False"),
    "open.csv": (b'a,b\n1,2\n1,"2\n\n', r"open\.csv:3: a quote opened here is never closed"),
    "after.csv": (b'a,b\n"1"x,2\n', r"after\.csv:2: not CSV: ',' expected"),
    "mac.csv": (b"a,b\r1,2\r", r"mac\.csv:1: a carriage return alone ends the line"),
    "huge.csv": (
        b'a\n"' + b"x" * (MAX_FIELD_CHARS + 1) + b'"\n',
        r"huge\.csv:2: a field of more than 16,000,000 characters",
    ),
    "text.parquet": (b"PAR1 but not really, and longer", "not a readable parquet file"),
    "tiny.parquet": (b"PAR", "not a readable parquet file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_fault_is_one_line_with_its_place(tmp_path: Path, name: str) -> None:
    content, message = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RubricbenchError, match=message) as caught:
        list(read_rows(tmp_path / name))
    assert caught.value.exit_code == 2
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_absent_file_is_refused_at_the_call_not_at_the_first_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; check the path"):
        read_rows(tmp_path / "absent.jsonl")


def test_folder_and_device_are_not_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this is a folder"):
        read_rows(tmp_path)
    with pytest.raises(InputError, match="not a regular file"):
        read_rows("/dev/null")


def test_link_to_nowhere_and_impossible_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "link.csv")
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        read_rows(tmp_path / ("x" * 300 + ".csv"))
    with pytest.raises(InputError, match="cannot be read"):
        read_rows("nul\x00.csv")


def test_file_that_stops_being_readable_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n')

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"a\.jsonl: cannot be read: Permission denied"):
        list(read_rows(path))


def test_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "endless.jsonl"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n')
        file.truncate(MAX_LINE_BYTES + 100)  # sparse: reads as NULs, takes no disk
    with pytest.raises(SchemaError, match=r"endless\.jsonl:2: a line of more than 64 MiB"):
        list(read_rows(path))


def test_parquet_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "e.parquet")
    with pytest.raises(InputError, match="the file has no rows"):
        list(read_rows(tmp_path / "e.parquet"))


def test_parquet_with_one_column_twice(tmp_path: Path) -> None:
    table = pa.table([pa.array(["x"]), pa.array(["y"])], names=["a", "a"])
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(InputError, match="column 'a' is there twice"):
        list(read_rows(tmp_path / "d.parquet"))


def test_parquet_cut_or_damaged_anywhere_is_one_line(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"a": [f"row {i}" for i in range(500)]}), whole)
    data = whole.read_bytes()
    for cut in (5, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.parquet").write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"cut\.parquet: ") as caught:
            list(read_rows(tmp_path / "cut.parquet"))
        assert "\n" not in str(caught.value)
    garbled = data[:4] + bytes(byte ^ 0x55 for byte in data[4:40]) + data[40:]
    (tmp_path / "garbled.parquet").write_bytes(garbled)
    with pytest.raises(InputError, match=r"garbled\.parquet: "):
        list(read_rows(tmp_path / "garbled.parquet"))


def test_parquet_text_that_is_not_utf8_names_its_row(tmp_path: Path) -> None:
    # three texts by their offsets: "ok", "ok", and two bytes that UTF-8 never has
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 2, 4, 6)))
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"okok\xff\xfe")])
    pq.write_table(pa.table({"a": texts}), tmp_path / "b.parquet")
    with pytest.raises(SchemaError, match=r"b\.parquet:3, a: a text is not UTF-8"):
        list(read_rows(tmp_path / "b.parquet"))


def test_csv_mark_line_ends_quotes_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(
        '\ufeffprompt, text\r\n"a ""b""","two\r\nlines, one comma"\r\n\r\nc,\r\n'.encode()
    )
    assert list(read_rows(path)) == [
        (2, {"prompt": 'a "b"', "text": "two\r\nlines, one comma"}),
        (5, {"prompt": "c", "text": ""}),
    ]


def test_jsonl_mark_line_ends_and_missing_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "a.JSONL"
    path.write_bytes(b'\xef\xbb\xbf{"a": "\\u00e9\\r\\n"}\r\n\r\n{"a": null}')
    assert list(read_rows(path)) == [(1, {"a": "é\r\n"}), (3, {"a": None})]


def test_field_up_to_the_limit_is_read_and_the_limit_of_others_is_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "big.csv"
    path.write_text("a\n" + "x" * 1_000_000 + "\n")
    before = csv.field_size_limit(131_072)  # the csv module's own
    try:
        assert [len(row["a"]) for _, row in read_rows(path)] == [1_000_000]
        assert csv.field_size_limit() == 131_072
    finally:
        csv.field_size_limit(before)


def test_reading_streams(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text('{"a": 1}\n' * 5 + "broken\n")
    rows = read_rows(path)
    assert [next(rows)[0] for _ in range(5)] == [1, 2, 3, 4, 5]
    with pytest.raises(SchemaError, match=r"many\.jsonl:6"):
        next(rows)


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30)


@given(st.lists(st.fixed_dictionaries({"a": TEXTS, "b": TEXTS}), min_size=1, max_size=8))
def test_any_text_survives_every_format(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("formats")
    pq.write_table(pa.Table.from_pylist(rows), folder / "r.parquet")
    (folder / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "r.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["a", "b"], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    for name in ("r.parquet", "r.jsonl", "r.csv"):
        assert [row for _, row in read_rows(folder / name)] == rows


PEAK = """
import sys
import psutil
from rubricbench.readers import read_responses
def rss(): return psutil.Process().memory_info().rss / 2**20
for _ in read_responses(sys.argv[1]): pass  # loads what is imported on the way
before = peak = rss()
for count, _ in enumerate(read_responses(sys.argv[2]), start=1):
    if count % 500 == 0:
        peak = max(peak, rss())
print(count, peak - before)
"""


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    # 60,000 rows of 2 kB are 120 MB, in parquet one row group. Their ids take a set entry each,
    # some 8 MB (eight bytes each once sorted in); the rest of the allowance is Arrow's and the
    # allocator's. Read as a whole, the file would be there twice: Arrow's bytes and our text.
    small, path = tmp_path / f"small.{suffix}", tmp_path / f"r.{suffix}"
    for file, count in ((small, 1), (path, 60_000)):
        rows = [{"prompt": "p", "text": f"{i:02000}", "response_id": f"a{i}"} for i in range(count)]
        if suffix == "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        elif suffix == "csv":
            with file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, ["prompt", "text", "response_id"])
                writer.writeheader()
                writer.writerows(rows)
        else:
            table = pa.Table.from_pylist(rows)
            pq.write_table(table, file, row_group_size=60_000, compression="none")
    result = subprocess.run(
        [sys.executable, "-c", PEAK, str(small), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    count, growth = map(float, result.stdout.split())
    assert count == 60_000
    print("GROWTH", growth)
    assert growth < 90, f"{growth} MiB"


@pytest.mark.parametrize(
    "column",
    [
        pa.array([0, 2**30], pa.date32()),
        pa.array([0, 2**50], pa.timestamp("s")),
        pa.array([0, 2**62], pa.duration("s")),
        pa.array([None, 1], pa.timestamp("s", tz="Nowhere/City")),
    ],
    ids=str,
)
def test_value_that_python_cannot_hold_names_line_and_column(tmp_path, column):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"prompt": ["a", "b"], "when": column}), path)
    with pytest.raises(SchemaError) as caught:
        list(read_rows(path))
    assert (caught.value.code, caught.value.field, caught.value.line) == ("wrong_type", "when", 2)


def test_many_columns_are_no_obstacle(tmp_path):
    # Counting each name among all of them takes minutes.
    path = tmp_path / "wide.csv"
    names = [f"c{i}" for i in range(100_000)]
    path.write_text(",".join(names) + "\n" + "," * (len(names) - 1) + "\n")
    ((_, row),) = read_rows(path)
    assert list(row) == names
