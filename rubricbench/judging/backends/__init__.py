"""Who answers a judge's requests: endpoints, and models in this process.

`protocol.Backend` is what the engine wants of each, `choose` makes the one a configuration names.
`transformers` and `vllm` run a model here: both gather calls into batches (`gather`) and encode
conversations so that nothing untrusted becomes a control token (`tokens`).
"""
