"""How checks see a text: one reading of words, sentences and Markdown for all families.

`rubricbench.checks.run` hands every family a text that `normalize` has been through: NFC, ``\\n``
as line end, no lone surrogates. The functions here expect that form and nothing else; all are
linear in the text, never raise on a string, and return tuples. What several checks of one response
share is cached by text.

===================  ===============================================================================
`words`              words as Unicode (UAX #29) sees them: "don't", "3.14" and "U.S" are one each
`sentences`          sentences of the prose: not of headings, code or tables
`paragraphs`         blocks between blank lines; a code fence is never split
`lines`              lines, without their ends
`headings`           Markdown headings, with level and line number
`sections`           each heading with the text below it
`list_items`         bullets and numbered items, with depth
`fences`             fenced code blocks, with their language
`outside_fences`     numbered lines that are not code
`prose`              the text with its fenced code blanked out, line numbers kept
`plain`              a line without its Markdown: markers, emphasis, link targets
`graphemes`          what a reader calls characters
`count_graphemes`    how many there are, faster
`says_something`     whether there is more than white space and punctuation
`fold`               the form in which texts are compared: caseless, straight quotes, plain spaces
`count_phrase`       whole-word, caseless occurrences of a word or phrase
`find_phrase`        where one occurs first
`starts_with_phrase` whether a text opens with a phrase, as whole words
`ends_with_phrase`   whether it ends with one, closing quotes and emphasis aside
`clip`               a short quotation for the evidence
===================  ===============================================================================
"""

from rubricbench.checks.text.blocks import (
    Fence,
    fences,
    is_rule,
    lines,
    outside_fences,
    paragraphs,
    prose,
)
from rubricbench.checks.text.characters import (
    clip,
    count_graphemes,
    fold,
    graphemes,
    normalize,
    says_something,
)
from rubricbench.checks.text.markdown import (
    Heading,
    ListItem,
    Section,
    headings,
    list_items,
    plain,
    sections,
)
from rubricbench.checks.text.phrases import (
    count_phrase,
    ends_with_phrase,
    find_phrase,
    searchable,
    starts_with_phrase,
)
from rubricbench.checks.text.sentences import sentences
from rubricbench.checks.text.words import split_words, words

__all__ = [
    "Fence",
    "Heading",
    "ListItem",
    "Section",
    "clip",
    "count_graphemes",
    "count_phrase",
    "ends_with_phrase",
    "fences",
    "find_phrase",
    "fold",
    "graphemes",
    "headings",
    "is_rule",
    "lines",
    "list_items",
    "normalize",
    "outside_fences",
    "paragraphs",
    "plain",
    "prose",
    "says_something",
    "searchable",
    "sections",
    "sentences",
    "split_words",
    "starts_with_phrase",
    "words",
]
