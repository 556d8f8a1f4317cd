"""A class's task: written and read again, what it refuses, and what hostile links do."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdr import catalogue
from hdr.classroom.assignment import PAGES, PARTS, Assignment, AssignmentError, build, parameters
from hdr.classroom.assignment_link import MAX_CHARACTERS, from_text, to_text
from hdr.preprocessing import Pipeline
from hdr.training.run_spec import MAX_DIGITS, MIN_DIGITS, PRESETS, Change, RunSpec, for_dataset
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import HdrError, Step

PLAN = RunSpec("bundled", 1_000, classifier=Step("svm", {"C": 7.0}), features=(Step("hog"),), reduction=Step("pca"))

names = st.sampled_from([e.name for e in catalogue.entries("classifier")])
extractors = st.sampled_from([e.name for e in catalogue.entries("feature")])


@st.composite
def any_task(draw: st.DrawFn) -> Assignment:
    """Any task on the ready-made plans and others."""
    plan = draw(st.sampled_from([PLAN, *(p.spec for p in PRESETS.values())]))
    sizes = (draw(st.integers(MIN_DIGITS, plan.train_size)), draw(st.integers(plan.train_size, MAX_DIGITS)))
    return build(
        title="T" + draw(st.text(max_size=40)),
        instruction=draw(st.text(max_size=200)),
        plan=plan,
        pages=tuple(draw(st.lists(st.sampled_from(PAGES), unique=True))),
        datasets=tuple(draw(st.lists(st.sampled_from(["mnist", "bundled", "usps"]), unique=True))),
        sizes=draw(st.none() | st.just(sizes)),
        classifiers=tuple(draw(st.lists(names, unique=True))),
        features=tuple(draw(st.lists(extractors, unique=True))),
        free=tuple(draw(st.lists(st.sampled_from([*PARTS, *parameters()]), unique=True))),
        tune=draw(st.booleans()),
        target=draw(st.none() | st.floats(0.1, 1.0)),
    )


def simple(**values: object) -> Assignment:
    """A task in which nothing is free but what is said."""
    return build(**{"title": "Try", "plan": PLAN, **values})


def packed(content: object) -> str:
    """A link of the right form with any content."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(b"\x01" + zlib.compress(data)).decode().rstrip("=")


@settings(max_examples=80 * settings().max_examples // 100)
@given(any_task())
def test_a_task_comes_back_from_its_link_as_it_was_and_its_plan_lies_within(task: Assignment) -> None:
    text = to_text(task)
    assert from_text(text) == task
    assert len(text) < MAX_CHARACTERS
    assert text.replace("-", "").replace("_", "").isalnum()
    task.check(task.plan)


def test_a_usual_link_is_short() -> None:
    free = ("classifier.svm.C", "classifier.svm.kernel")
    task = build(title="Reach 98%", instruction="Change C only.", plan=PRESETS["fast"].spec, free=free, target=0.98)
    assert len(to_text(task)) < 700


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: base64.urlsafe_b64encode(b"\x01" + b).decode()))
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(AssignmentError):
        from_text(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150 * settings().max_examples // 100)
@given(st.sampled_from([*Assignment.model_fields, "more"]), json_values)
def test_a_task_with_any_value_in_it_is_read_or_refused_in_words(name: str, value: object) -> None:
    known = json.loads(simple(free=("seed",), target=0.9).model_dump_json())
    try:
        task = from_text(packed({**known, name: value}))
    except AssignmentError as error:
        assert len(str(error)) < 1_000
    else:
        task.check(task.plan)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 15_000, "damaged"),
        (b"\xff\xfe", "damaged"),
        (b" " * 1_000_000, "damaged or was cut off"),
        ([], "cannot be set"),
        ({"title": "x"}, "plan"),
        ({"title": " ", "plan": {}}, "title: it must be 1 to 60 letters, and has 0"),
        ({"title": "x" * 61, "plan": {}}, "and has 61"),
        ({"title": "x", "plan": {"train_size": True}}, "train_size is 'True'"),
        ({"title": "x", "plan": {"classifier": {"name": "os"}}}, "no classifier 'os'"),
        ({"title": "x", "plan": {}, "pages": ["../etc"]}, "pages"),
        ({"title": "x", "plan": {}, "sizes": [500, 9_999]}, "include the plan's 10,000"),
        ({"title": "x", "plan": {}, "sizes": [1, 90_000]}, "from 500 to 60,000"),
        ({"title": "x", "plan": {}, "free": ["__class__"]}, "nothing is called '__class__'"),
        ({"title": "x", "plan": {}, "datasets": ["own-1234"]}, "no data set that everybody can have"),
        ({"title": "x", "plan": {}, "target": "1e999"}, "target"),
        ({"title": "x", "plan": {}, "owner": "me"}, "owner"),
    ],
)
def test_hostile_content_is_refused_with_what_is_wrong(content: object, said: str) -> None:
    with pytest.raises(AssignmentError) as refused:
        from_text(packed(content))
    assert said in str(refused.value)


def test_a_link_that_was_cut_off_or_is_of_another_version_is_refused() -> None:
    text = to_text(simple())
    for damaged in (text[:-8], text[:40], "C" + text[1:], text + "AAAA", "x" * 5_000):
        with pytest.raises(AssignmentError):
            from_text(damaged)


def test_words_are_kept_without_what_nobody_sees() -> None:
    assert simple(title="  A\u202e\n B ").title == "A B"


REFUSED = [
    (replace(PLAN, dataset="mnist"), "data sets bundled, not mnist"),
    (replace(PLAN, train_size=1_500), "allows 1,000 training digits, not 1,500"),
    (replace(PLAN, seed=3), "seed at 0, not 3"),
    (replace(PLAN, threads=2), "threads at 1, not 2"),
    (replace(PLAN, pipeline=Pipeline((Step("deskew"),))), "preprocessing at none, not Deskew"),
    (replace(PLAN, features=(Step("pixels"),)), "features at HOG"),
    (replace(PLAN, features=(Step("hog", {"cell": 7}),)), "Cell"),
    (replace(PLAN, reduction=None), "reduction at"),
    (replace(PLAN, reduction=Step("pca", {"components": 20})), "this class keeps"),
    (replace(PLAN, augmentation=Step("distort")), "distorted copies at none"),
    (replace(PLAN, classifier=Step("mlp")), "classifiers Support vector machine, not"),
    (replace(PLAN, classifier=Step("svm", {"C": 6.0})), "C at 7, not 6"),
]


@pytest.mark.parametrize(("spec", "said"), REFUSED, ids=lambda v: v if isinstance(v, str) else "")
def test_a_plan_outside_is_refused_with_the_value_and_what_is_allowed(spec: RunSpec, said: str) -> None:
    with pytest.raises(AssignmentError) as refused:
        simple().check(spec)
    assert said in str(refused.value)


@pytest.mark.parametrize("spec", [spec for spec, said in REFUSED if "threads" not in said])
def test_what_is_free_may_be_changed(spec: RunSpec) -> None:
    simple(
        datasets=("mnist",),
        sizes=(500, 2_000),
        classifiers=("mlp",),
        features=("pixels",),
        free=(*PARTS, "features.hog.cell", "classifier.svm.C", "reduction.pca.components"),
    ).check(spec)


def test_an_entry_that_is_chosen_again_has_the_values_of_the_class() -> None:
    task = simple(classifiers=("mlp",))
    for name in task.classifiers:
        task.check(replace(PLAN, classifier=task.step("classifier", name)))
    with pytest.raises(AssignmentError):
        task.check(replace(PLAN, classifier=Step("svm")))


def test_what_is_changed_while_it_learns_has_to_be_free() -> None:
    plan = replace(PLAN, classifier=Step("mlp"), changes=(Change(3, (("learning_rate", 0.01),)),))
    task = simple(plan=plan, free=("classifier.mlp.epochs",))
    assert not task.plan.changes
    with pytest.raises(AssignmentError):
        task.check(plan)
    simple(plan=plan, free=("classifier.mlp.learning_rate",)).check(plan)


def test_a_search_stays_within_what_is_free() -> None:
    free = ("classifier.svm.C", "features.hog.cell")
    task = simple(tune=True, classifiers=("mlp", "logistic_regression"), free=free)
    good = dimension(PLAN, "classifier.svm.C", 1.0, 10.0), dimension(PLAN, "classifier", choices=["svm", "mlp"])
    task.check_search(SearchSpec(PLAN, good))
    offered = task.within(dimension(PLAN, "classifier"))
    assert set(offered.parameter.choices) == set(offered.choices) == {"svm", "mlp", "logistic_regression"}
    assert task.within(dimension(PLAN, "reduction")) is None
    assert task.within(dimension(PLAN, "augmentation.on")) is None
    assert task.within(dimension(PLAN, "features")) is None
    two = replace(PLAN, features=(Step("hog"), Step("hog", {"cell": 7})))
    assert simple(plan=two, free=free).within(dimension(two, "features.hog.2.cell"))
    for path in ("classifier.svm.gamma", "reduction.pca.components"):
        with pytest.raises(HdrError):
            task.check_search(SearchSpec(PLAN, (dimension(PLAN, path),)))
    with pytest.raises(AssignmentError, match="Classifier"):
        task.check_search(SearchSpec(PLAN, (dimension(PLAN, "classifier", choices=["svm", "random_forest"]),)))
    with pytest.raises(AssignmentError, match="no searches"):
        simple(free=free).check_search(SearchSpec(PLAN, good[:1]))


def test_every_parameter_is_called_as_a_search_calls_it() -> None:
    from hdr.tuning.space import all_dimensions

    known = {d.path for d in all_dimensions(for_dataset(PRESETS["fast"].spec, "bundled"))}
    assert set(parameters()) <= known
