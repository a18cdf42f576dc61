"""The number of operations that PyTorch dispatches in a call: kernel launches on a GPU, and operators on the host.

The time of a small network is the time of its dispatches, which no rate of products bounds.
"""

from .libraries import Library
from .timing import Call


def launches(call: Call, library: Library) -> int | None:
    """The number of kernel launches or operators in a call; None for libraries other than PyTorch."""
    if library.backend.library != "torch":
        return None
    from torch.profiler import ProfilerActivity, profile

    on_gpu = library.backend.device == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * on_gpu]) as found:
        call()
    events = found.events()
    if on_gpu:
        return len([event for event in events if "LaunchKernel" in event.name])
    return len([event for event in events if event.name.startswith("aten::") and event.cpu_parent is None])
