"""What a server allows its visitors: the size of a plan, and how many trainings and minutes within a day."""

from __future__ import annotations

import time
from contextlib import suppress

import sqlalchemy as sa

from hdr import settings
from hdr.store.runs import RunStore
from hdr.store.schema import runs as _runs
from hdr.store.schema import searches as _searches
from hdr.store.schema import starts as _starts
from hdr.training.limits import JobQuotaError
from hdr.training.run_spec import MAX_DIGITS, MIN_DIGITS, versions
from hdr.types import Step

OWNER = "default"
"""The app itself, whose own trainings count against nobody's share."""

DAY = 24 * 3600.0


def largest_size(augmentation: Step | None = None) -> int:
    """The largest training size that a plan may have here, in digits without their copies.

    Args:
        augmentation: what makes distorted copies of each, if anything does.

    Returns:
        A multiple of the smallest size, and at least that: where even that is too large, the plan is refused.
    """
    most = settings.current().training_digits
    if most is None:
        return MAX_DIGITS
    return min(MAX_DIGITS, max(MIN_DIGITS, most // versions(augmentation) // MIN_DIGITS * MIN_DIGITS))


class Quotas:
    """What has been started, and whether one more may be. Safe to use from many threads and processes at once.

    Args:
        store: the run store.
    """

    def __init__(self, store: RunStore) -> None:
        self.database = store.database

    def check(self, owner: str, token: str = "") -> None:  # nosec B107 # the token of a click, no password
        """Refuse one more training or search, where its owner, or all together, have had theirs.

        Args:
            owner: who wants to start it.
            token: of the click; one that has been noted is not refused, since it starts nothing new.

        Raises:
            JobQuotaError: with the numbers, and when it is allowed again.
        """
        rules = settings.current()
        if owner == OWNER or self._known(token):
            return
        if rules.waiting_per_session is not None:
            active = self._active(owner)
            if active >= rules.waiting_per_session:
                raise JobQuotaError(
                    f"You have {active} trainings and searches running or in line, and this server allows "
                    f"{rules.waiting_per_session} at a time. Wait until one has ended, or stop one."
                )
        started, seconds, oldest = self._started(owner)
        if rules.trainings_per_session is not None and started >= rules.trainings_per_session:
            raise JobQuotaError(
                f"You have started {started} trainings and searches within a day, and this server allows "
                f"{rules.trainings_per_session}. The next can start {_again(oldest)}."
            )
        if rules.minutes_per_session is not None and seconds >= 60 * rules.minutes_per_session:
            raise JobQuotaError(
                f"Your trainings and searches have worked for {seconds / 60:.0f} minutes within a day, and this "
                f"server allows {rules.minutes_per_session:g}. The next can start {_again(oldest)}."
            )
        if rules.trainings_per_day is not None:
            started, _, oldest = self._started(None)
            if started >= rules.trainings_per_day:
                raise JobQuotaError(
                    f"All visitors together have started {started} trainings and searches within a day, and this "
                    f"server allows {rules.trainings_per_day}. The next can start {_again(oldest)}."
                )

    def note(self, owner: str, token: str, name: str) -> None:
        """Write down that something was started; the same token counts once.

        Args:
            owner: who started it.
            token: of the click.
            name: of the run, or of the search with `hdr.tuning.records.SEARCH` before it.
        """
        row = {"token": token, "name": name, "owner": owner, "time": time.time()}
        with suppress(sa.exc.IntegrityError), self.database.writing() as connection:
            connection.execute(_starts.insert().values(row))

    def add(self, name: str, seconds: float) -> None:
        """Write down that a run or a search has worked for so many seconds more."""
        change = _starts.update().where(_starts.c.name == name).values(seconds=_starts.c.seconds + seconds)
        with self.database.writing() as connection:
            connection.execute(change)

    def forget(self) -> int:
        """Remove what counts no more; how many starts it were."""
        with self.database.writing() as connection:
            return connection.execute(_starts.delete().where(_starts.c.time < time.time() - 2 * DAY)).rowcount

    def _known(self, token: str) -> bool:
        with self.database.reading() as connection:
            return connection.execute(sa.select(_starts.c.name).where(_starts.c.token == token)).first() is not None

    def _active(self, owner: str) -> int:
        with self.database.reading() as connection:
            return sum(
                connection.execute(
                    sa.select(sa.func.count()).where(
                        table.c.owner == owner,
                        table.c.status.in_(("queued", "running")),
                        table.c.deleted.is_(None),
                    )
                ).scalar_one()
                for table in (_runs, _searches)
            )

    def _started(self, owner: str | None) -> tuple[int, float, float]:
        # How many within a day, their seconds, and when the first of them was.
        mine = (_starts.c.owner == owner,) if owner is not None else (_starts.c.owner != OWNER,)
        figures = (sa.func.count(), sa.func.sum(_starts.c.seconds), sa.func.min(_starts.c.time))
        query = sa.select(*figures).where(*mine, _starts.c.time > time.time() - DAY)
        with self.database.reading() as connection:
            count, seconds, oldest = connection.execute(query).one()
        return count, seconds or 0.0, oldest or time.time()


def _again(oldest: float) -> str:
    minutes = max((oldest + DAY - time.time()) / 60, 1)
    return f"in {minutes:.0f} min" if minutes < 100 else f"in {minutes / 60:.0f} h"
