"""Ask a model for something other than verdicts: a JSON answer, through the store, once.

    config = JudgeConfig(base_url="http://127.0.0.1:8000/v1", model="proposer")
    question = Question.of("List what differs.", schema=DIFFERENCES, tag="prompt-1")
    with Store.open("store.sqlite") as store:
        for answer in Asker(config, store).ask_all([question]):
            print(answer.question.tag, answer.value or answer.fault)

A model, its endpoint, caps and faults are those of judging (`rubricbench.judging`); what is asked
and how the answer is read is the caller's.
"""

from rubricbench.asking.asker import Answer, Asker
from rubricbench.asking.question import Question

__all__ = ["Answer", "Asker", "Question"]
