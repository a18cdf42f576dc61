"""Generated calls with one bad argument each, over every public function, method, constructor and command.

libraries        the array libraries on which the calls are made
values           the kinds of bad value of each role that an argument can have, with the error that each must raise
calls            a good call of everything public; arguments by role
accepted         the bad values that are rightly accepted, with reasons
test_calls       each call raises the right error, with the name of the argument and what was expected
test_command_lines    the same of both commands
"""
