"""Version 1 of the JSON of a problem, translated to version 2.

Version 1 has no version field. Version 1 has the names `widths` and `transfers` instead of `inputs` and `layers`,
`probes` instead of `arguments`, and `walk` instead of `trajectory`. A `walk` has the names `waypoints` instead of
`checkpoints`, and `longest_step` instead of `max_step_size`. In version 1, the Hessian-free methods are named `whole`
and `blocks`, and every layer is dense with a bias.
"""

from collections.abc import Mapping
from typing import Any

from .layer_json import shown

RENAMED = {"probes": "arguments", "walk": "trajectory"}
RENAMED_IN_TRAJECTORY = {"waypoints": "checkpoints", "longest_step": "max_step_size"}
METHODS = {"whole": "hessian_free", "blocks": "hessian_free_blocks"}


def upgraded(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Translate a problem of version 1 to version 2. An object with a field `version` or `layers` is unchanged.

    Raises `ValueError` if the layers cannot be read. The reader of version 2 checks all other fields.
    """
    if "version" in written or "layers" in written:
        return written
    inputs, layers = _layers(written)
    fields = {RENAMED.get(name, name): value for name, value in written.items() if name not in ("widths", "transfers")}
    if isinstance(fields.get("trajectory"), Mapping):
        fields["trajectory"] = _trajectory(fields["trajectory"])
    return {"version": 2, "inputs": inputs, "layers": layers} | fields


def _layers(written: Mapping[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    widths, transfers = (written.get(name) for name in ("widths", "transfers"))
    if not isinstance(widths, list) or len(widths) < 2:
        raise ValueError(f"widths: expected a list of D_0, ..., D_L, got {shown(widths)}")
    if not isinstance(transfers, list) or len(transfers) != len(widths) - 2:
        raise ValueError(f"transfers: expected a list of {len(widths) - 2} names, got {shown(transfers)}")
    pairs = zip(widths[1:], (*transfers, "identity"), strict=True)
    return widths[0], [{"kind": "dense", "units": D, "transfer": f, "bias": True} for D, f in pairs]


def _trajectory(written: Mapping[str, Any]) -> dict[str, Any]:
    fields = {RENAMED_IN_TRAJECTORY.get(name, name): value for name, value in written.items()}
    if isinstance(fields.get("method"), str):
        fields["method"] = METHODS.get(fields["method"], fields["method"])
    return fields
