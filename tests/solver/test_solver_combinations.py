"""Sets of checks that can be met together, drawn at random: the solver meets them all."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubricbench.checks import check_response, describe
from rubricbench.schema import Check, Criterion, Prompt, Rubric
from rubricbench.scoring import score
from rubricbench.solver import solve

NOUNS = ["glacier", "moraine", "valley", "boulder", "ice sheet", "meltwater", "ridge", "lake"]
STOCK = ["very", "important", "overall", "in conclusion", "amazing", "delve"]


@st.composite
def prose_rubrics(draw: st.DrawFn) -> Rubric:
    """Draw a length first, then conditions around it: no two can contradict each other."""
    words = draw(st.integers(90, 220))
    sentences = words // 12
    nouns = draw(st.permutations(NOUNS))
    choices = [
        Check("word_count", {"minimum": words - 10, "maximum": words + 10}),
        Check("sentence_count", {"minimum": sentences - 1, "maximum": sentences + 1}),
        Check("paragraph_count", {"minimum": 3, "maximum": 3}),
        Check("paragraph_word_range", {"minimum": words // 6, "maximum": words // 2}),
        Check("sentence_word_limit", {"maximum": draw(st.integers(18, 24))}),
        Check("keywords_include", {"keywords": nouns[:2]}),
        Check("keyword_frequency", {"keyword": nouns[2], "minimum": 2, "maximum": 2}),
        Check("ordered_mentions", {"terms": nouns[3:6]}),
        Check("bold_terms", {"terms": nouns[6:7]}),
        Check("keywords_exclude", {"keywords": draw(st.permutations(STOCK))[:3]}),
        Check("lemma_exclude", {"lemmas": ["make", "need"]}),
        Check("no_commas", {}),
        Check("no_first_person", {}),
        Check("emoji_count", {"minimum": 2, "maximum": 2}),
        Check("question_count", {"minimum": 1, "maximum": 1}),
        Check("capital_word_frequency", {"minimum": 1, "maximum": 1}),
        Check("letter_frequency", {"letter": "z", "maximum": 3}),
        Check("regex_match", {"pattern": r"\b[A-Z]{3}-[0-9]{3}\b"}),
        Check("states_number", {"value": draw(st.integers(2, 5000)), "unit": "metres"}),
        Check("first_word_variety", {"maximum_repeats": 3}),
        Check("no_repetition", {"words": 6}),
        Check("reading_grade", {"maximum": 11}),
    ]
    chosen = draw(
        st.lists(st.sampled_from(range(len(choices))), min_size=2, max_size=9, unique=True)
    )
    names = {choices[i].name for i in chosen}
    if {"regex_match", "capital_word_frequency"} <= names:  # the reference is a word in capitals
        chosen = [i for i in chosen if choices[i].name != "regex_match"]
    return Rubric(
        prompt=Prompt.from_text("Explain how a glacier shapes a landscape."),
        criteria=tuple(
            Criterion(criterion=describe(choices[i]), weight=2, check=choices[i]) for i in chosen
        ),
    )


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(prose_rubrics())
def test_compatible_conditions_on_prose_are_met_together(rubric):
    assert score(rubric, check_response(rubric, solve(rubric))).value == 1.0


scalars = st.one_of(
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
        st.integers(1, 60),
        st.integers(60, 200),
    ),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-50, 50),
        st.integers(0, 50),
    ),
    st.just({"type": "boolean"}),
    st.just({"enum": ["small", "large"]}),
    st.just({"type": "string", "format": "date"}),
    st.just({"type": "string", "pattern": "^[A-Z]{2}[0-9]{3}$"}),
)
schemas = st.dictionaries(
    st.sampled_from(["title", "summary", "size", "code", "date", "notes", "level"]),
    st.one_of(
        scalars,
        st.builds(
            lambda low, more: {
                "type": "array",
                "items": {"type": "string", "minLength": 3},
                "minItems": low,
                "maxItems": low + more,
                "uniqueItems": True,
            },
            st.integers(1, 5),
            st.integers(0, 3),
        ),
    ),
    min_size=1,
    max_size=6,
).map(
    lambda properties: {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(schemas)
def test_records_are_built_for_schemas(schema):
    check = Check("json_schema", {"schema": schema})
    rubric = Rubric(
        prompt=Prompt.from_text("Describe a glacier as a JSON record."),
        criteria=(Criterion(criterion="Valid under the schema.", weight=1, check=check),),
    )
    assert score(rubric, check_response(rubric, solve(rubric))).value == 1.0
