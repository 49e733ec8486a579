"""Price files: found by name, read strictly, unknown said plainly."""

from __future__ import annotations

import pytest

from rubricbench.errors import InputError
from rubricbench.judging.price.prices import PriceList
from rubricbench.judging.price.rules import RULES, cache_rule

FILE = """
currency: EUR
as_of: 2026-01-31
source: a letter
models:
  a: {input: 2, output: 8}
  b/c: {input: 1, cached_input: 0.25, output: 4, batch_discount: 0.5, prefix_cache: "64:32"}
"""


def prices(tmp_path, text=FILE):
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    return PriceList(path)


def test_the_list_that_is_installed_is_valid_and_dated():
    listed = PriceList()
    assert len(listed) > 10
    mini = listed.find("gpt-4.1-mini")
    assert mini is not None
    assert (mini.input, mini.cached_input, mini.output) == (0.40, 0.10, 1.60)
    assert mini.as_of == "2026-04-02"
    assert mini.prefix_cache == RULES["openai"]


def test_a_cost_is_fresh_cached_and_answer_tokens_at_their_prices(tmp_path):
    price = prices(tmp_path).find("b/c")
    assert price is not None
    # (1,000,000 - 400,000) * 1 + 400,000 * 0.25 + 100,000 * 4, a million each
    assert price.cost(1_000_000, 100_000, 400_000) == pytest.approx(0.6 + 0.1 + 0.4)


def test_without_a_price_for_cached_tokens_they_cost_what_others_do(tmp_path):
    price = prices(tmp_path).find("a")
    assert price is not None
    assert price.cost(1_000_000, 0, 1_000_000) == pytest.approx(2.0)
    assert (price.currency, price.as_of, price.source) == ("EUR", "2026-01-31", "a letter")
    assert (price.batch_discount, price.prefix_cache) == (None, None)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("a", "a"),
        ("a-2025-04-14", "a"),
        ("a-20250414", "a"),
        ("x/a", "a"),
        ("x/a-2025-04-14", "a"),
        ("b/c", "b/c"),
        ("b/c-2025-04-14", "b/c"),
        ("c", None),
        ("a-mini", None),
        ("ab", None),
        ("", None),
    ],
)
def test_date_and_provider_are_passed_over_and_nothing_else(tmp_path, model, found):
    price = prices(tmp_path).find(model)
    assert (price.model if price else None) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "`models`"),
        ("- a", "`models`"),
        ("models: {}", "`models`"),
        ("models: {a: 3}", "model 'a': a price needs"),
        ("models: {a: {input: 1}}", "`output` is missing"),
        ("models: {a: {input: 1, output: free}}", "`output` must be a price, got 'free'"),
        ("models: {a: {input: -1, output: 1}}", "`input` must be a price, got -1"),
        ("models: {a: {input: .nan, output: 1}}", "`input` must be a price, got nan"),
        ("models: {a: {input: true, output: 1}}", "`input` must be a price, got True"),
        ("models: {a: {input: 1, output: 1, ouput: 2}}", "unknown field 'ouput'"),
        ("models: {a: {input: 1, output: 1, batch_discount: 50}}", "share from 0 to 1, got 50"),
        ("models: {a: {input: 1, output: 1, prefix_cache: x}}", "unknown prefix cache 'x'"),
        ("models:\n  a: {input: 1", "prices.yaml:"),
        ("a: &a {input: 1}\nmodels: {b: *a}", "aliases"),
    ],
)
def test_a_bad_price_file_is_one_clear_line(tmp_path, text, says):
    with pytest.raises(InputError) as error:
        prices(tmp_path, text)
    assert says in str(error.value)
    assert "prices.yaml" in str(error.value)


def test_a_price_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "big.yaml").write_bytes(b" " * ((1 << 20) + 1))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name, says in (
        ("none.yaml", "No such file"),
        (".", "Is a directory"),
        ("big.yaml", "larger than 1 MiB"),
        ("binary.yaml", "not YAML"),
    ):
        with pytest.raises(InputError, match=says):
            PriceList(tmp_path / name)


def test_served_tokens_come_in_whole_blocks_from_a_minimum_on():
    openai, vllm, none = RULES["openai"], RULES["vllm"], RULES["none"]
    assert openai.served(1023, 5000) == 0
    assert openai.served(1024, 5000) == 1024
    assert openai.served(1151, 5000) == 1024  # 1,151 = 1,024 + 127
    assert openai.served(1152, 5000) == 1152
    assert openai.served(1152, 1152) == 1024  # the last token is computed: 1,151 is 8.99 blocks
    assert vllm.served(31, 100) == 16
    assert vllm.served(15, 100) == 0
    assert none.served(5000, 6000) == 0


def test_a_rule_of_ones_own_is_minimum_and_block():
    rule = cache_rule("4096:1")
    assert (rule.served(4095, 9000), rule.served(4097, 9000)) == (0, 4097)
    assert not cache_rule("0:1").caches
    for text in ("", "openAI", "1024", "1024:0", "-1:1", "1:2:3"):
        with pytest.raises(InputError, match="unknown prefix cache"):
            cache_rule(text)
