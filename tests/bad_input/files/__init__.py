"""Files that were altered, and every reader of them.

    alterations     a seeded generator of alterations of a file: of its bytes, its JSON, its TOML, its tensors
    commands        a command run in this process, and its output
    test_runs       the files of a run: resume, show, compare
    test_kit        reports, expected failures and golden vectors
    test_data       the files of data sets
    test_terminals  unusual names, standard outputs and folders

`--alterations=200` makes 200 of each kind of file, where CI makes 20; `--kills=50` is for tests/lab/test_resume.py.
"""
