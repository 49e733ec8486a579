"""How fast an endpoint may be asked: found out, held, and shared by the runs of one process.

Nobody knows what an endpoint permits: so many requests at once, so many a second or a minute, or
as many as it can bear. `Pace` finds out from what comes back. It keeps a window (`Window`: so many
in flight) that doubles with every round trip until a request is refused or the endpoint is no
faster for it (`Saturation`), shrinks a little then, remembers where that was, and looks again, ever
more seldom, whether more has become possible. After the first refusal sends are spaced (`Spacing`),
since a window alone sends bunches that are larger than a bucket's burst; a refusal shuts a `Gate`
for half a round trip, and longer while it is answered by another; where the endpoint says how much
is left (`rubricbench.judging.pace.quota`), the rest is spread over the time (`Allowance`). Where
requests are refused at any pace, the window is not cut in vain (`Blame`).

`Limiter` lets calls wait for their turn. `shared_limiter` gives all runs of a process that use the
same endpoint and key the same one, whatever threads and event loops they run on::

    share = shared_limiter(url, key).join(32)  # at most 32 at once are ours
    slot = await share.slot(within=60.0)
    ...  # send, and then one of
    slot.answered(headers)
    slot.refused(retry_after, headers)
    slot.failed()
    ...
    share.leave()

A refused call gives its slot back and waits for another like any call: the limiter knows when to
try again better than a ``Retry-After`` does. The limits this was tuned on and those it was not are
in ``tests/judging/pace_settings.py``.
"""

from rubricbench.judging.pace.limiter import Limiter, Share, Slot
from rubricbench.judging.pace.shared import shared_limiter

__all__ = ["Limiter", "Share", "Slot", "shared_limiter"]
