"""The data files of the generator: well-formed, varied, without traps."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest

from rubricbench.builders.verifiable.families import MAKERS
from rubricbench.builders.verifiable.scene import is_lemma
from rubricbench.builders.verifiable.setting import assigned, check_counts, most_rows
from rubricbench.builders.verifiable.texts import (
    layouts,
    phrases,
    pools,
    skeletons,
    topics,
    translations,
)
from rubricbench.checks import registered, run
from rubricbench.checks.morphology import base_forms
from rubricbench.checks.text import count_phrase
from rubricbench.errors import InputError
from rubricbench.schema import Check


def test_there_are_enough_topics_and_skeletons():
    assert len(topics()) >= 300
    assert len({topic.name for topic in topics()}) == len(topics())
    assert len({topic.area for topic in topics()}) >= 20
    assert len({skeleton.id for skeleton in skeletons()}) == len(skeletons()) >= 40


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_topic_has_what_the_makers_count_on(topic):
    assert len(set(topic.terms)) == 6
    assert len(set(topic.facts)) == 4
    for fact in topic.facts:
        assert any(count_phrase(fact, term) for term in topic.terms), fact
        assert re.fullmatch(r"[A-Z][^,\d]+\.", fact), fact
    for term in topic.terms:
        others = [topic.name, *(t for t in topic.terms if t != term)]
        assert not any(count_phrase(other, term) for other in others), term
        assert not is_lemma(term) or not base_forms(term), term


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_figure_of_a_topic_can_be_recognised(topic):
    figure = topic.figure
    text = f"The figure for {figure.what} is {figure.value:.15g} {figure.unit}."
    assert run(Check("states_number", {"value": figure.value, "unit": figure.unit}), text).met


@pytest.mark.parametrize("skeleton", skeletons(), ids=lambda skeleton: skeleton.id)
def test_skeleton_fills_its_slots_from_what_there_is(skeleton):
    known = {"topic", "name", "other", "audience", "audience_cap", "place", "term_a", "term_b"}
    known |= {"language", "arithmetic", *skeleton.slots}
    sentences = [
        *skeleton.tasks,
        *skeleton.follow,
        *(v for vs in skeleton.slots.values() for v in vs),
    ]
    assert len(skeleton.tasks) >= 2
    for sentence in sentences:
        used = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        assert used <= known, sentence


def test_layouts_name_makers_and_makers_have_words():
    for layout in layouts().values():
        named = [*layout.core, *layout.anchors, *layout.optional]
        named += [f"not:{penalty}" for penalty in layout.penalties]
        assert set(named) <= set(MAKERS)
    plain = {name for name in MAKERS if not name.startswith("not:")}
    assert plain == set(registered()), "every family has a maker"
    assert plain == set(phrases())


def test_every_family_is_offered_by_some_skeleton():
    offered: Counter[str] = Counter()
    for skeleton in skeletons():
        layout = layouts()[skeleton.layout]
        offered.update({*layout.core, *layout.anchors, *layout.optional})
    assert set(offered) == set(registered())


def test_translations_are_of_known_topics_and_complete():
    names = {topic.name for topic in topics()}
    for name, languages in translations().items():
        assert name in names
        assert set(languages) == {"de", "es", "fr", "it", "pt"}
        assert all(len(words) == len(set(words)) == 4 for words in languages.values())


def test_rating_and_option_sets_do_not_contain_each_other():
    for options in (*pools()["option_sets"], *pools()["rating_sets"]):
        for option in options:
            check = Check("constrained_response", {"options": options})
            assert run(check, f"{option} That is all.").met


def test_no_pair_of_skeleton_and_topic_comes_twice():
    pairs = [
        (skeleton.id, topic.name)
        for split, rows in (("train", 2000), ("test", 500))
        for skeleton, topic in (assigned(0, split, i) for i in range(rows))
    ]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("counts", [{"train": 0}, {"train": most_rows(), "test": 1}])
def test_more_rows_than_pairs_are_refused(counts):
    with pytest.raises(InputError, match="cannot build"):
        check_counts(counts)
