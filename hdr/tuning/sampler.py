"""What a search tries next, and which trial is not worth going on with: Optuna's methods over the table of trials.

Every function builds its study anew from the trials it is given. So what comes next depends on the table and the seed
alone, whether the search was stopped in between or not.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hdr.tuning.records import Trial
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import Dimension, is_active

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as Asking

Scores = Sequence[tuple[float, float]]
"""A curve: percent of the full effort, and validation accuracy there."""

ATTEMPTS = 30
"""So often something new is looked for, before a space counts as tried out."""

FIRST = 4
"""Trials that the median is taken of, at least; fewer are never pruned."""

TREES, DEPTH = 64, 6
"""Of the forest that importance is read from: deeper ones took 17 s for 500 trials, and said the same in 0.3 s."""


def suggest(spec: SearchSpec, trials: Sequence[Trial], number: int) -> dict[str, Any] | None:
    """What the next trial is to be.

    Args:
        spec: the search.
        trials: those that have ended.
        number: of the next one, from 0.

    Returns:
        Values by path; None where nothing is left that was not tried.
    """
    if spec.method == "grid":
        points = list(spec.grid())
        random.Random(spec.seed).shuffle(points)
        return points[number] if number < len(points) else None
    own = spec.own_values()
    if number == 0 and own is not None:
        # What the plan itself comes to is what all others are judged by.
        return own
    tried = {_key(t.values) for t in trials}
    study = _study(trials, spec.space, _rungs(spec))
    for attempt in range(ATTEMPTS):
        found = _ask(spec, study, attempt_seed(spec.seed, number, attempt), attempt)
        if _key(found) not in tried:
            return found
    return None


def attempt_seed(seed: int, number: int, attempt: int) -> int:
    """The seed of one try of one trial: the same numbers whatever was drawn before."""
    return int(np.random.SeedSequence((seed, number, attempt)).generate_state(1)[0])


def should_prune(spec: SearchSpec, trials: Sequence[Trial], scores: Scores) -> bool:
    """Whether a trial that has come so far is not worth going on with.

    Args:
        spec: the search.
        trials: those that have ended.
        scores: of this one, so far.
    """
    if not spec.prune or not scores or scores[-1][0] >= 100:
        return False
    rungs = _rungs(spec)
    steps = _steps(rungs, scores)
    if len(steps) == len(_steps(rungs, scores[:-1])):
        # Asked once at every rung, when it is reached.
        return False
    from optuna.trial import TrialState, create_trial

    study, passed = _study(trials, (), rungs), _passed({k: v for k, v in steps.items() if k < max(steps)})
    study.add_trial(create_trial(state=TrialState.RUNNING, intermediate_values=steps, system_attrs=passed))
    return _pruner(spec).prune(study, study.get_trials(deepcopy=False)[-1])


def importance(trials: Sequence[Trial], space: Sequence[Dimension]) -> dict[str, float]:
    """How much of the differences between trials each dimension accounts for, the most first; they sum to 1.

    Only dimensions that every trial has, and that took more than one value. Fewer than two trials that are done, or
    trials that are all equally good, have none.

    Source: Hutter, Hoos and Leyton-Brown, An efficient approach for assessing hyperparameter importance (2014);
    optuna.importance.FanovaImportanceEvaluator.
    """
    done = [t for t in trials if t.status == "done" and t.value is not None]
    shared = [d for d in space if len({_key(t.values.get(d.path)) for t in done}) > 1]
    shared = [d for d in shared if all(d.path in t.values and d.contains(t.values[d.path]) for t in done)]
    if not shared or len({t.value for t in done}) < 2:
        return {}
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    study = _study(done, shared, {})
    forest = FanovaImportanceEvaluator(n_trees=TREES, max_depth=DEPTH, seed=0)
    found = get_param_importances(study, evaluator=forest, params=[d.path for d in shared])
    return {path: float(share) for path, share in found.items()}


def _ask(spec: SearchSpec, study: Study, seed: int, attempt: int) -> dict[str, Any]:
    from optuna.trial import TrialState

    # A method that says the same again and again is helped out by chance.
    study.sampler = _sampler("random" if attempt > ATTEMPTS // 2 else spec.method, seed)
    trial = study.ask()
    values: dict[str, Any] = {}
    for one in spec.space:
        if is_active(one, values, spec.base):
            values[one.path] = _suggest(trial, one)
    study.tell(trial, state=TrialState.FAIL)
    return values


def _suggest(trial: Asking, one: Dimension) -> Any:
    # Choices are named by their place, since True and 1 would be the same to Optuna.
    if one.choices:
        return one.choices[trial.suggest_categorical(one.path, range(len(one.choices)))]
    (low, high), log = one.limits, one.parameter.log
    value: float
    if one.parameter.type is int:
        value = trial.suggest_int(one.path, int(low), int(high), log=log)
    else:
        value = trial.suggest_float(one.path, low, high, log=log)
    if one.parameter.step:
        value = low + round((value - low) / one.parameter.step) * one.parameter.step
        value = one.parameter.type(round(value, 10))
    elif isinstance(value, float):
        # Four digits are as good as seventeen to a search, and can be read.
        value = float(f"{value:.4g}")
    return min(max(value, low), high)


def _distribution(one: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(range(len(one.choices)))
    (low, high), log = one.limits, one.parameter.log
    if one.parameter.type is int:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _sampler(method: str, seed: int) -> BaseSampler:
    from optuna.samplers import RandomSampler, TPESampler

    return TPESampler(seed=seed) if method == "tpe" else RandomSampler(seed=seed)


def _pruner(spec: SearchSpec) -> BasePruner:
    from optuna.pruners import MedianPruner, SuccessiveHalvingPruner

    if spec.method == "halving":
        return SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    return MedianPruner(n_startup_trials=FIRST, n_min_trials=FIRST)


def _study(trials: Sequence[Trial], space: Sequence[Dimension], rungs: Mapping[int, float]) -> Study:
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    # What is refused or fails counts as pruned before its first score: the worst there is, and nothing to prune by.
    states = {"done": TrialState.COMPLETE}
    ended = (t for t in trials if t.ended)
    study.add_trials([_frozen(t, states.get(t.status, TrialState.PRUNED), space, rungs) for t in ended])
    return study


def _frozen(trial: Trial, state: Any, space: Sequence[Dimension], rungs: Mapping[int, float]) -> FrozenTrial:
    from optuna.trial import create_trial

    known = {d.path: d for d in space if d.path in trial.values and d.contains(trial.values[d.path])}
    values = {path: trial.values[path] for path in known}
    steps = _steps(rungs, trial.scores) if trial.status in ("done", "pruned") else {}
    return create_trial(
        state=state,
        value=trial.value if trial.status == "done" else None,
        params={path: d.choices.index(values[path]) if d.choices else values[path] for path, d in known.items()},
        distributions={path: _distribution(d) for path, d in known.items()},
        intermediate_values=steps,
        system_attrs=_passed(steps),
    )


def _rungs(spec: SearchSpec) -> dict[int, float]:
    # Where trials are compared, by what Optuna calls a step: whole numbers in proportion to the effort.
    if spec.validation == "split":
        return {1: 12.5, 2: 25.0, 4: 50.0}
    return {fold: 100 * fold / spec.validation for fold in range(1, spec.validation)}


def _steps(rungs: Mapping[int, float], scores: Scores) -> dict[int, float]:
    # Ten epochs, a tenth of the trees and an eighth of the digits do not meet: what counts at a rung is the last score
    # up to there, once the rung is reached.
    reached, found = scores[-1][0] if scores else 0.0, {}
    for step, percent in rungs.items():
        before = [score for at, score in scores if at <= percent + 1e-6]
        if before and reached >= percent - 1e-6:
            found[step] = before[-1]
    return found


def _passed(steps: Mapping[int, float]) -> dict[str, float]:
    # What successive halving notes down of a trial, rung by rung; the table holds the scores, from which it follows.
    powers = range(max(steps, default=0).bit_length())
    return {f"completed_rung_{k}": next(v for step, v in sorted(steps.items()) if step >= 2**k) for k in powers}


def _key(values: Any) -> str:
    return json.dumps(values, sort_keys=True)
