"""Generated calls with one bad argument each, over every public function, method, constructor and command.

libraries           the array libraries on which the calls are made
values              the kinds of bad value, with the error that each must raise
roles               the bad values of each role that an argument can have
calls               a good call of every public name, with the role of each argument
accepted            the bad values that are rightly accepted, with reasons
test_calls          each call raises the right error, with the name of the argument and the expected value
test_command_lines  the same for the options of both commands
"""
