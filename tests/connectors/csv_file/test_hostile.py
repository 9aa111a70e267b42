"""Files that are wrong in every known way: a clear word for the clerk, and nothing lost."""

import gzip
import io
import resource
import zipfile
from pathlib import Path

import pytest

from connectors.contract import NeedsPerson
from connectors.csv_file.files import Limits, inspect_file, map_raw, read_file
from tests.connectors.csv_file.tables import (
    HEADER,
    PROFILES,
    orders,
    raws,
    records,
    rejected,
    write,
)

ROW = "1,2026-02-01 10:00:00,a@b.jp,100,paid"
JAPANESE = "注文番号,注文日時,メールアドレス,注文者氏名,合計金額,ステータス"


def refused(path: Path, **options: object) -> NeedsPerson:
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=PROFILES, **options)  # type: ignore[arg-type]
    assert path.name in caught.value.problem
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp932", "cp932"),
        ("utf-16", "utf-16"),
    ],
)
def test_names_survive_every_encoding(tmp_path: Path, encoding: str, told: str) -> None:
    text = f"{JAPANESE}\n1,2026/02/01 10:00,a@b.jp,髙﨑①～,100,発送済み\n"
    path = write(tmp_path, text, encoding=encoding)
    assert inspect_file(path, profiles=PROFILES).encoding == told
    assert orders(path)[0].buyer.name == "髙﨑①～"


def test_excel_unicode_text_is_tab_separated_utf_16(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\r\n{ROW}\r\n".replace(",", "\t"), encoding="utf-16")
    preview = inspect_file(path, profiles=PROFILES)
    assert (preview.encoding, preview.delimiter) == ("utf-16", "\t")
    assert len(orders(path)) == 1


def test_euc_jp_is_read_only_where_somebody_says_so(tmp_path: Path) -> None:
    text = f"{JAPANESE}\n1,2026/02/01 10:00,a@b.jp,見本花子,100,発送済み\n"
    path = write(tmp_path, text, encoding="euc_jp")
    assert "euc_jp" in refused(path).remedy
    assert orders(path, encoding="euc_jp")[0].buyer.name == "見本花子"


def test_all_kana_euc_jp_that_reads_as_cp932_is_asked_about(tmp_path: Path) -> None:
    rows = "".join(f"{n},2026-02-01,a@b.jp,アイウエオカキク\n" for n in range(5))
    path = write(tmp_path, f"order_number,ordered_at,email,name\n{rows}", encoding="euc_jp")
    assert path.read_bytes().decode("cp932")
    assert "EUC-JP" in refused(path).problem
    assert orders(path, encoding="euc-jp")[0].buyer.name == "アイウエオカキク"


def test_half_width_kana_in_cp932_is_no_reason_to_ask(tmp_path: Path) -> None:
    text = f"{JAPANESE}\n1,2026/02/01 10:00,a@b.jp,ﾐﾎﾝ ﾊﾅｺ,100,発送済み\n"
    path = write(tmp_path, text, encoding="cp932")
    assert orders(path)[0].buyer.name == "ﾐﾎﾝ ﾊﾅｺ"


def test_a_byte_that_fits_no_encoding_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"{HEADER}\n{ROW}\n".encode() + b"2,\x81\xff,a@b.jp,1,paid\n")
    assert "x.csv:3:" in refused(path).problem
    assert "latin9" in refused(path, encoding="latin9").problem


def test_text_that_was_garbled_before_is_refused(tmp_path: Path) -> None:
    garbled = "見本花子のお茶".encode().decode("cp932", "ignore")
    rows = "".join(f"{n},2026-02-01,a@b.jp,{garbled}\n" for n in range(3))
    path = write(tmp_path, f"order_number,ordered_at,email,name\n{rows}")
    assert "x.csv" not in refused(path).problem
    assert "garbled" in refused(path).problem


def test_replacement_characters_are_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER},note\n{ROW},\ufffd\n")
    assert "replacement_characters" in inspect_file(path, profiles=PROFILES).warnings


def test_some_nul_bytes_are_removed_and_many_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n{ROW}\n".replace("paid", "pa\0id"))
    assert "nul_removed" in inspect_file(path, profiles=PROFILES).warnings
    assert orders(path)[0].payment == "paid"
    path = write(tmp_path, f"{HEADER}\n{ROW}\n" + "\0" * 20)
    assert "NUL" in refused(path).problem
    path.write_bytes(f"{HEADER}\n{ROW}\n".encode("utf-16-le"))
    assert "UTF-16" in refused(path).problem


def test_a_giant_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "giant.csv"
    with path.open("wb") as sink:
        sink.write(f"{HEADER}\n1,".encode())
        sink.truncate(1024**3)  # one cell of a gigabyte, without a gigabyte of disk
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "64 MB" in refused(path).problem
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_a_giant_cell_in_a_gzip_stops_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "giant.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as sink:
        sink.write(f"{HEADER}\n1,".encode())
        for _ in range(64):
            sink.write(b"x" * 1024 * 1024)
    limits = Limits(unpacked_bytes=16 * 1024 * 1024)
    assert "16 MB" in refused(path, limits=limits).problem


def test_a_cell_beyond_a_megabyte_names_its_line_and_yields_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n{ROW}\n2,{'x' * 1_100_000},a@b.jp,1,paid\n")
    preview = inspect_file(path, profiles=PROFILES)
    with pytest.raises(NeedsPerson, match=r"orders\.csv:3:"):
        next(read_file(path, preview, profiles=PROFILES))


def test_lone_quotation_marks_cost_no_neighbour(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"{HEADER},note\n1,2026-02-01,a@b.jp,100,paid,x\n"
        '2,2026-02-01,a@b.jp,100,paid,"lone\n'
        "3,2026-02-01,a@b.jp,100,paid,y\n"
        '4,2026-02-01,a@b.jp,100,paid,5" pipe\n',
    )
    assert [one.number for one in orders(path)] == ["1", "2", "3", "4"]
    assert [raw.position for raw in raws(path)] == ["line 2", "line 3", "line 4", "line 5"]


def test_two_lone_quotation_marks_do_not_merge_what_stands_between(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f'{HEADER},note\n1,2026-02-01,a@b.jp,100,paid,"x\n2,2026-02-01,a@b.jp,100,paid,y\n'
        '3,2026-02-01,a@b.jp,100,paid,z"\n4,2026-02-01,a@b.jp,100,paid,\n',
    )
    assert [one.number for one in orders(path)] == ["1", "2", "3", "4"]


def test_a_quoted_line_break_stays_inside_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path, f'{HEADER},note\n{ROW},"一行目\r\n二行目, 終"\n2{ROW[1:]},x\n')
    assert [one.note for one in orders(path)] == ["一行目\r\n二行目, 終", "x"]
    assert [raw.position for raw in raws(path)] == ["line 2", "line 4"]


def test_a_row_of_another_width_is_rejected_and_never_shifted(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n{ROW}\n2,2026-02-01,a,b.jp,100,paid\n3,x\n4{ROW[1:]}\n")
    assert rejected(path) == [("wrong_cell_count", "line 3"), ("wrong_cell_count", "line 4")]
    bad = [r.rejected for r in records(path) if r.rejected]
    assert bad[0].payload["cells"] == ["2", "2026-02-01", "a", "b.jp", "100", "paid"]
    assert bad[0].payload["header"] == HEADER.split(",")
    assert [r.raw.external_id for r in records(path) if r.raw] == ["1", "4"]


def test_title_lines_above_and_total_lines_below_are_told(tmp_path: Path) -> None:
    path = write(
        tmp_path, f"受注一覧,,,,\n2026年2月,,,,\n{HEADER}\n{ROW}\n,,,,\n合計 1 件\n,,,100,\n"
    )
    preview = inspect_file(path, profiles=PROFILES)
    assert preview.header_line == 3
    assert "title_lines:2" in preview.warnings
    assert rejected(path) == [("wrong_cell_count", "line 6"), ("no_order_number", "line 7")]
    assert [r.raw.position for r in records(path) if r.raw] == ["line 4"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found_by_the_names_in_the_header(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, f"{HEADER}\n{ROW}\n".replace(",", delimiter), name="x.dat")
    assert inspect_file(path, profiles=PROFILES).delimiter == delimiter
    assert len(orders(path)) == 1


def test_ten_thousand_columns_are_refused(tmp_path: Path) -> None:
    header = HEADER + "".join(f",c{n}" for n in range(10_000))
    assert "10005" in refused(write(tmp_path, f"{header}\n{ROW}\n")).problem


def test_duplicate_headers_are_all_kept(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER},note,note,\n{ROW},first,second,third\n")
    (raw,) = raws(path)
    cells = raw.payload["rows"][0]
    assert (cells["note"], cells["note#2"], cells["#8"]) == ("first", "second", "third")
    assert map_raw(raw, PROFILES).note == "first"


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", " "])
def test_an_empty_file_is_told(tmp_path: Path, text: str) -> None:
    assert "empty" in refused(write(tmp_path, text)).problem


def test_a_file_without_a_header_is_told(tmp_path: Path) -> None:
    assert "header" in refused(write(tmp_path, "1,2,3\n4,5,6\n")).problem


def test_a_header_alone_holds_no_orders(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n")
    assert inspect_file(path, profiles=PROFILES).rows_estimate == 0
    assert records(path) == []


def test_the_extension_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_text(f"{HEADER}\n{ROW}\n")
    assert inspect_file(path, profiles=PROFILES).container == "text"
    assert len(orders(path)) == 1


def test_gzip_is_unpacked_members_and_all(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(gzip.compress(f"{HEADER}\n".encode()) + gzip.compress(f"{ROW}\n".encode()))
    assert inspect_file(path, profiles=PROFILES).container == "gzip+text"
    assert len(orders(path)) == 1


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_a_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "orders.csv.gz"
    rows = "".join(f"{n}{ROW[1:]}\n" for n in range(500))
    path.write_bytes(gzip.compress(f"{HEADER}\n{rows}".encode())[:-cut])
    assert "gzip" in refused(path).problem


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    data = bytearray(gzip.compress(f"{HEADER}\n{ROW}\n".encode()))
    data[-6] ^= 0xFF  # the checksum
    path.write_bytes(bytes(data))
    assert "gzip" in refused(path).problem


def test_a_file_that_changed_since_the_preview_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n{ROW}\n")
    preview = inspect_file(path, profiles=PROFILES)
    write(tmp_path, f"{HEADER}\n{ROW}\n2{ROW[1:]}\n")
    with pytest.raises(NeedsPerson, match="changed"):
        next(read_file(path, preview, profiles=PROFILES))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "cannot be opened" in refused(tmp_path / "gone.csv").problem


def test_a_plain_zip_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("orders.csv", f"{HEADER}\n{ROW}\n")
    path.write_bytes(data.getvalue())
    assert "ZIP" in refused(path).problem


def test_many_rows_stay_in_bounded_memory_and_report_progress(tmp_path: Path) -> None:
    rows = "".join(f"{n},2026-02-01 10:00:00,u{n}@b.jp,100,paid\n" for n in range(10_000))
    path = write(tmp_path, f"{HEADER}\n{rows}")
    preview = inspect_file(path, profiles=PROFILES)
    seen: list[tuple[int, int]] = []
    found = read_file(
        path, preview, profiles=PROFILES, progress=lambda done, total: seen.append((done, total))
    )
    assert sum(1 for _ in found) == 10_000
    assert (seen[0], seen[-1], len(seen)) == ((0, 10_000), (10_000, 10_000), 11)
