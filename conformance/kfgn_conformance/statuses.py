"""The exit statuses of `kfgn-check`."""

PASSED, FAILED, USAGE, NOTHING_CHECKED, UNWRITTEN, INTERRUPTED = 0, 1, 2, 3, 4, 130
