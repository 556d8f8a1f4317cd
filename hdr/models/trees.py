"""Decision trees and forests of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field

from hdr.catalogue import register
from hdr.models.fit_context import Cost, FitContext

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

Trees = Annotated[
    int,
    Field(
        ge=10,
        le=500,
        title="Trees",
        description="How many trees vote. More never hurt, but cost time.",
        json_schema_extra={"step": 10},
    ),
]
Depth = Annotated[
    int, Field(ge=1, le=40, title="Depth", description="Most questions that are asked in a row about one digit.")
]
Leaf = Annotated[
    int,
    Field(
        ge=1,
        le=100,
        title="Digits per leaf",
        description="Fewest training digits on which an answer may rest.",
        json_schema_extra={"log": True},
    ),
]
Criterion = Annotated[
    Literal["gini", "entropy"],
    Field(title="Criterion", description="How the mixture of classes on both sides of a question is measured."),
]


FOREST = Cost(fit=1.1, read=0.1, held=lambda rows, features, params: 45 * rows * params["trees"])
"""A grown tree has a leaf for every few digits, and 144 bytes for each leaf and question."""


@register("classifier", "Decision tree", family="Trees", progress="sizes", cost=Cost(fit=1.1))
def decision_tree(
    context: FitContext, *, depth: Depth = 20, leaf: Leaf = 1, criterion: Criterion = "gini"
) -> DecisionTreeClassifier:
    """Asks one question after another, each about a single feature, until the answer is clear. Easy to follow, but
    small changes of a digit lead to another branch.

    Source: Breiman, Friedman, Olshen and Stone, Classification and regression trees (1984);
    sklearn.tree.DecisionTreeClassifier.
    """
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=leaf, criterion=criterion, random_state=context.seed
    )


Forest = TypeVar("Forest", "RandomForestClassifier", "ExtraTreesClassifier")


def _forest(kind: type[Forest], context: FitContext, trees: int, depth: int, leaf: int, criterion: str) -> Forest:
    return kind(
        n_estimators=trees,
        max_depth=depth,
        min_samples_leaf=leaf,
        criterion=criterion,
        n_jobs=context.threads,
        random_state=context.seed,
    )


@register("classifier", "Random forest", family="Trees", progress="trees", cost=FOREST)
def random_forest(
    context: FitContext,
    *,
    trees: Trees = 100,
    depth: Depth = 25,
    leaf: Leaf = 1,
    criterion: Criterion = "gini",
) -> RandomForestClassifier:
    """Many trees, each grown from other digits and other features at random, and a vote. The errors of single trees
    cancel out.

    Source: Breiman, Random forests (2001), doi:10.1023/A:1010933404324; sklearn.ensemble.RandomForestClassifier.
    """
    from sklearn.ensemble import RandomForestClassifier

    return _forest(RandomForestClassifier, context, trees, depth, leaf, criterion)


@register("classifier", "Extra trees", family="Trees", progress="trees", cost=FOREST)
def extra_trees(
    context: FitContext,
    *,
    trees: Trees = 100,
    depth: Depth = 25,
    leaf: Leaf = 1,
    criterion: Criterion = "gini",
) -> ExtraTreesClassifier:
    """A forest whose trees ask about thresholds drawn at random, and see all training digits. The trees resemble each
    other even less than those of a random forest, and grow faster.

    Source: Geurts, Ernst and Wehenkel, Extremely randomized trees (2006), doi:10.1007/s10994-006-6226-1;
    sklearn.ensemble.ExtraTreesClassifier.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    return _forest(ExtraTreesClassifier, context, trees, depth, leaf, criterion)
