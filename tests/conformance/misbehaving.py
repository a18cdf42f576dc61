"""Adapters of the gradient, each with a different fault. The tests load them by name."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kfgn_conformance.adapters import Conventions, Description, UnsupportedError
from kfgn_conformance.quantities import QUANTITIES

SLEEP = ["sleep", "3600"]


def note(*pids):
    """Write process ids to the file that the test reads."""
    with Path(os.environ["KFGN_TEST_PIDS"]).open("a") as file:
        file.write("".join(f"{pid}\n" for pid in pids))


class Right:
    def __init__(self, dtype):
        self.dtype = dtype

    def describe(self):
        return Description(type(self).__name__, "1", self.dtype, frozenset({"gradient"}))

    def compute(self, problem, quantity):
        return tuple(a.astype(self.dtype) for a in QUANTITIES[quantity].oracle(problem))


class Hangs(Right):
    def compute(self, problem, quantity):
        time.sleep(3600)


class Dies(Right):
    def compute(self, problem, quantity):
        os.kill(os.getpid(), signal.SIGSEGV)


class Exits(Right):
    def compute(self, problem, quantity):
        os.write(2, b"no licence\n")
        os._exit(7)


class Interrupts(Right):
    def compute(self, problem, quantity):
        raise KeyboardInterrupt


class ClosesEverything(Right):
    def compute(self, problem, quantity):
        os.closerange(0, 256)
        return super().compute(problem, quantity)


class Mutates(Right):
    def compute(self, problem, quantity):
        answer = super().compute(problem, quantity)
        problem.weights[1][0, 0] += 1
        return answer


class MutatesAndRefuses(Mutates):
    def compute(self, problem, quantity):
        super().compute(problem, quantity)
        raise UnsupportedError("no tanh here")


class MutatesAndRaisesOnce(Mutates):
    times = 0

    def compute(self, problem, quantity):
        self.times += 1
        if self.times > 1:
            return Right.compute(self, problem, quantity)
        super().compute(problem, quantity)
        raise RuntimeError("no memory")


class ReplacesAnArray(Right):
    def compute(self, problem, quantity):
        answer = super().compute(problem, quantity)
        object.__setattr__(problem, "X", problem.X[:2])
        return answer


class ReshapesAnArray(Right):
    def compute(self, problem, quantity):
        answer = super().compute(problem, quantity)
        problem.X.shape = (-1,)
        return answer


class ConvertsAnArray(Right):
    def compute(self, problem, quantity):
        answer = super().compute(problem, quantity)
        object.__setattr__(problem, "X", problem.X.astype("float32"))
        return answer


class DeletesAnArray(Right):
    def compute(self, problem, quantity):
        answer = super().compute(problem, quantity)
        object.__delattr__(problem, "X")
        return answer


class Refuses(Right):
    def compute(self, problem, quantity):
        raise UnsupportedError("no tanh here")


class Transposed(Right):
    def compute(self, problem, quantity):
        return tuple(a.T for a in super().compute(problem, quantity))


class NotInItsLayout(Right):
    def describe(self):
        return Description("in_out", "1", self.dtype, frozenset({"gradient"}), conventions=Conventions(layout="in_out"))


class Accumulates(Right):
    seen = None

    def compute(self, problem, quantity):
        again = self.seen == problem.id
        self.seen = None if again else problem.id
        return tuple(a * (2 if again else 1) for a in super().compute(problem, quantity))


class Prints(Right):
    def compute(self, problem, quantity):
        print('{"arrays": []}', flush=True)
        os.write(1, b"\x80\n")
        subprocess.run(["echo", "from a child"], check=True)
        return super().compute(problem, quantity)


class ClosesItsOutput(Right):
    def compute(self, problem, quantity):
        if sys.stdout:
            sys.stdout.close()
        sys.stdout = sys.stderr = None
        return super().compute(problem, quantity)


class SharesWork(Right):
    """Compute in further processes, as a library for data loading does."""

    def compute(self, problem, quantity):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.map(abs, [-1]) == [1]
        return super().compute(problem, quantity)


class FloodsErrors(Right):
    def compute(self, problem, quantity):
        for _ in range(64):
            os.write(2, b"x" * 2**20)
        return super().compute(problem, quantity)


class ReadsItsInput(Right):
    def compute(self, problem, quantity):
        assert sys.stdin.read() == ""
        return super().compute(problem, quantity)


class StartsChildren(Right):
    """Start children that hold every stream open. One is in a separate session, and one has no parent."""

    def compute(self, problem, quantity):
        holding, apart = subprocess.Popen(SLEEP, close_fds=False), subprocess.Popen(SLEEP, start_new_session=True)
        note(os.getpid(), holding.pid, apart.pid)
        orphan = f"from subprocess import *; print(Popen({SLEEP!r}, start_new_session=True, stdout=DEVNULL).pid)"
        note(int(subprocess.run([sys.executable, "-I", "-S", "-c", orphan], stdout=subprocess.PIPE, check=True).stdout))
        return super().compute(problem, quantity)


class StartsChildrenAndHangs(StartsChildren):
    def compute(self, problem, quantity):
        super().compute(problem, quantity)
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        time.sleep(3600)


class StartsChildrenAndEnds(StartsChildren):
    def compute(self, problem, quantity):
        super().compute(problem, quantity)
        os._exit(0)


class ForksAndReturns(Right):
    def compute(self, problem, quantity):
        os.fork()
        return super().compute(problem, quantity)


class ForksAndHangs(Right):
    """Fork. The copy keeps the pipe of the answers open, because it runs the same program."""

    def compute(self, problem, quantity):
        if (child := os.fork()) == 0:
            time.sleep(3600)
        note(child)
        os._exit(3)


class Undescribed(Right):
    def describe(self):
        return {"name": "undescribed"}


class OfOneDtype(Right):
    def describe(self):
        return Description("one", "1", "float16", frozenset())


class DescribesAndHangs(Right):
    def describe(self):
        time.sleep(3600)


class DescribesAndExits(Right):
    def describe(self):
        sys.exit("no licence")


class DescribesByAGenerator(Right):
    def describe(self):
        return Description("generator", "1", self.dtype, (name for name in ("gradient",)))


class DescribesAfterwards(Right):
    """Make a right description and change it afterwards."""

    def describe(self):
        described = super().describe()
        object.__setattr__(described, "name", 7)
        return described


class Misspelt(Right):
    def describe(self):
        return Description("misspelt", "1", self.dtype, frozenset({"kfac_block"}))


class AnswersInAWrongDtype(Right):
    def compute(self, problem, quantity):
        return tuple(a.astype("float16") for a in super().compute(problem, quantity))
