"""Reports of a run: a table for the terminal, lines of JSON, and a page of HTML that is made from the lines of JSON."""

from .json_lines import UNFINISHED, read_records, recorder, records, write_records
from .page import write_page
from .summary import print_summary
from .terminal import print_failures, print_remarks, print_report, print_table

__all__ = [
    "UNFINISHED",
    "print_failures",
    "print_remarks",
    "print_report",
    "print_summary",
    "print_table",
    "read_records",
    "recorder",
    "records",
    "write_page",
    "write_records",
]
