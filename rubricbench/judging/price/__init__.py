"""What judging costs: known before it is paid for (`plan`), and capped while it is (`budget`).

    rubricbench judge … --plan                 # calls, tokens, cached share, cost; nothing is spent
    rubricbench judge … --max-cost 20          # stops when 20 dollars are used up, and can go on

Prices are those of ``prices.yaml`` or of a file of yours in the same form (`prices`); tokens are
counted by the model's own tokenizer where that is at hand (`tokens`); what a provider serves from
its prefix cache is modelled on the prompts in the order they are sent (`prefix`).
"""
