"""Tables on the terminal and in Markdown, and rows that survive JSON."""

from rich.console import Console

from benchmarks.columns import columns
from benchmarks.markdown import lines, read_rows
from benchmarks.report import print_rows, write_json
from benchmarks.rows import Row
from benchmarks.timing import Ratio

ROWS = [
    Row(
        "a case", "KFRA", "torch", 0.25, {"over floor": Ratio(1.5, 1.25, 2.0)}, {"forward": 0.1, "Q": 0.02}, launches=3
    ),
    Row("a case", "KFRA", "numpy", 0.5, {"over floor": Ratio(2.0, 2.0, 2.0)}, peak=3 * 2**20),
    Row("another", "import", "NumPy", 0.001, note="imports torch"),
]


def test_columns_without_a_figure_are_left_out():
    headings, cells = columns(ROWS[:2])
    assert headings == ["work", "library", "ms", "over floor", "peak MiB", "launches"]
    assert cells == [["KFRA", "torch", "250", "1.50 (1.25-2.00)", "", "3"], ["KFRA", "numpy", "500", "2.00", "3", ""]]
    assert columns(ROWS[2:]) == (["work", "library", "ms", "note"], [["import", "NumPy", "1", "imports torch"]])


def test_rows_survive_json(tmp_path):
    write_json(tmp_path / "rows.json", {"threads": 1}, ROWS)
    assert read_rows(tmp_path / "rows.json") == ROWS


def test_markdown_has_a_table_for_each_case():
    assert list(lines(ROWS[2:])) == [
        "",
        "another",
        "",
        "| work | library | ms | note |",
        "| --- | --- | --- | --- |",
        "| import | NumPy | 1 | imports torch |",
    ]
    assert [line for line in lines(ROWS) if line and line[0] != "|"] == ["a case", "another"]


def test_the_floors_of_phases_are_printed_with_their_sum():
    with (console := Console(width=100)).capture() as printed:
        print_rows(ROWS, console)
    assert "a case" in printed.get()
    assert "120" in printed.get().split("sum")[1]
