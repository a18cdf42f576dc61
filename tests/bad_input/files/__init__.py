"""Altered, missing and unwritable files, and unusual names and outputs, for both commands.

    alterations            a seeded generator of alterations of a file: its bytes, JSON, TOML or tensors
    commands               a command that is run in this process, and its output
    test_runs              altered files of a run: resume, show, compare
    test_kit               altered reports, expected failures and golden vectors
    test_data              altered files of data sets
    test_special_files     pipes, devices and circular links
    test_names             unusual names of folders, files, tasks and adapters
    test_standard_output   a standard output that is full, closed or limited to ASCII
    test_unwritable_files  files and folders that cannot be written

`--alterations=200` makes 200 alterations of each kind of file; CI makes 20. `--kills=50` is for
tests/lab/test_resume.py.
"""
