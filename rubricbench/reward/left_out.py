"""Lost rows left out of TRL's loss to the last token.

TRL gives a row without a reward the advantage 0 and keeps it out of its group's mean and deviation:
it pulls the policy nowhere. Its tokens still count in what the loss is divided by (``dapo`` and
others: the rest of the batch weighs less, as if the learning rate were lower for that step), and
with ``beta`` above 0 they still pull towards the reference. This leaves them out of both::

    class Trainer(LostRowsLeftOut, GRPOTrainer): ...

It masks lost rows as TRL masks truncated ones (``mask_truncated_completions``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class LostRowsLeftOut:
    """A mixin for TRL's ``GRPOTrainer``; it stands first."""

    _lost_rows: torch.Tensor | None = None

    def _calculate_rewards(self, inputs: Any, prompts: Any, *more: Any) -> torch.Tensor:
        found: torch.Tensor = super()._calculate_rewards(inputs, prompts, *more)  # type: ignore[misc]
        start = self.accelerator.process_index * len(prompts)  # type: ignore[attr-defined]
        own = found[start : start + len(prompts)]
        self._lost_rows = own.isnan().all(dim=1)
        return found

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)  # type: ignore[misc]
        assert self._lost_rows is not None
        kept = (~self._lost_rows).unsqueeze(1)
        counted = output["completion_mask"] = output["completion_mask"] * kept
        if "tool_mask" in output:
            output["tool_mask"] = output["tool_mask"] * kept
            counted = counted * output["tool_mask"]
        output["num_items_in_batch"] = self.accelerator.gather(counted.sum()).sum()  # type: ignore[attr-defined]
        return output
