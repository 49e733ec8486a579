"""A certification: labels and judges in, verdict pairs, certificate and report out; resumable.

Everything is read before anything is paid for; every answer goes through the store; the files are
written from the store, in the order of the labels, so that their bytes do not depend on what came
when. Stopped or short of verdicts, it goes on when started again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.certify.analyse import certificate
from rubricbench.certify.ask import Grading, LabelledItems, replicates
from rubricbench.certify.certificate import Certificate
from rubricbench.certify.labels import Labelled, Labels, read_labels
from rubricbench.certify.page.certificate_page import write_certificate_report
from rubricbench.certify.pairs import About, Asked, Pairs
from rubricbench.certify.pairs_file import read_pairs, write_pairs
from rubricbench.certify.variants import Variant, all_configured
from rubricbench.checks import complete
from rubricbench.errors import InputError, RunError, SchemaError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files.directory import label_secret
from rubricbench.judging.files.planned import (
    PlanOptions,
    planner_of,
    secret_as_it_is,
    store_as_it_is,
)
from rubricbench.judging.judge import Judge
from rubricbench.judging.price.budget import Budget, Caps, Spent
from rubricbench.judging.price.plan import Plan
from rubricbench.judging.price.prices import PriceList
from rubricbench.judging.usage import Tally
from rubricbench.progress import progress, watched
from rubricbench.runs import RunDirectory, atomic_write, file_hash
from rubricbench.store import Store

STAGE = "certify"
CERTIFICATE, PAIRS, REPORT = "certificate.json", "verdict_pairs.parquet", "report.html"
OUTPUTS = (CERTIFICATE, PAIRS, REPORT)


class CertifyJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to certify, and where.

    Args:
        labels: the label file.
        out: the run directory.
        config: the judge.
        variants: ways of asking it; its own where none is given.
        replicates: how often everything is asked.
        form: form of the labels; ``auto`` tells by the columns.
        rubrics: source of rubrics for labels that carry none.
        limit: take only the first so many labelled responses.
        store: the completion store; ``store.sqlite`` in the run directory if not given.
        prices: price file in place of ours.
        caps: the most that this start may spend.
    """

    labels: Path
    out: Path
    config: JudgeConfig
    variants: tuple[str, ...] = ()
    replicates: int = 2
    form: str = "auto"
    rubrics: str = ""
    limit: int | None = None
    store: Path | None = None
    prices: Path | None = None
    caps: Caps = Caps()

    def __post_init__(self) -> None:
        for name in ("replicates", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}", hint="give a positive number")


class Certified(msgspec.Struct, frozen=True):
    """What a certification found.

    Args:
        certificate: the certificate.
        tally: calls of this run alone.
        lost: gradings that lost verdicts to the service: asked again when started again.
        faults: an example of what went wrong, for each cause of a failed call.
        spent: what this start spent; None without caps.
        used_up: the cap that ended it; empty if none did.
    """

    certificate: Certificate
    tally: Tally
    lost: int = 0
    faults: dict[str, str] = {}
    spent: Spent | None = None
    used_up: str = ""


def certify_files(
    job: CertifyJob, *, quiet: bool = False, say: Callable[[str], None] = lambda text: None
) -> Certified:
    """Have a judge grade labelled responses; write pairs, certificate and report.

    Args:
        job: what to certify.
        quiet: show no progress.
        say: takes remarks for the user.

    Raises:
        InputError: the labels or the judge cannot be used.
        EndpointError: the endpoint cannot be used; what was answered is stored.
        RunError: the run directory is another run's, in use, or cannot be written.
        StoreError: the store cannot be opened or written.
        KeyboardInterrupt: it was interrupted; what was answered is stored.
    """
    configs = all_configured(job.config, job.variants)
    labels = _labels(job)
    prices = PriceList(job.prices)
    budget = Budget(job.caps) if job.caps else None
    with _directory(job, configs) as directory:
        if directory.done(STAGE):
            say(f"{job.out} is complete already")
            return Certified(_recorded(directory), Tally())
        with Store.open(job.store or directory.path("store.sqlite")) as store:
            grading = Grading(labels.rows, store, label_secret(directory), quiet=quiet, say=say)
            asked = tuple(
                _graded(grading, config, job.replicates, prices, budget) for config in configs
            )
        about = About(
            labels=job.labels.name,
            form=labels.form,
            data_hash=file_hash(job.labels),
            unlabelled=labels.unlabelled,
            ties=labels.ties,
            asked=asked,
        )
        write_pairs(directory.path(PAIRS), grading.columns, about)
        made = _write(directory, *read_pairs(directory.path(PAIRS)))
        if not grading.lost:
            directory.mark_done(STAGE, OUTPUTS)
    return Certified(
        made,
        grading.tally,
        grading.lost,
        grading.faults,
        spent=budget.spent if budget else None,
        used_up=budget.used_up if budget else "",
    )


def _graded(
    grading: Grading,
    config: JudgeConfig,
    count: int,
    prices: PriceList,
    budget: Budget | None,
) -> Asked:
    price = prices.find(config.model)
    account = budget.account(max_tokens=config.max_tokens, price=price) if budget else None
    return grading.grade(config, count, price, account)


def plan_certification(
    job: CertifyJob, options: PlanOptions | None = None, *, quiet: bool = False
) -> list[Plan]:
    """Return what a certification will ask and cost; nothing is spent, sent or written.

    Args:
        job: the certification.
        options: what the plan goes by.
        quiet: show no progress.

    Returns:
        A plan for each variant and grading.

    Raises:
        InputError: as `certify_files`; or a price file or tokenizer cannot be used.
        StoreError: the store cannot be read.
    """
    configs = all_configured(job.config, job.variants)
    items = LabelledItems(_labels(job).rows)
    prices, chosen = PriceList(job.prices), options or PlanOptions()
    plans = []
    with store_as_it_is(job.store or job.out / "store.sqlite") as store:
        for config in (one for base in configs for one in replicates(base, job.replicates)):
            planner = planner_of(config, chosen, prices, len(items.rows))
            judge = Judge(config, store, secret=secret_as_it_is(job.out))
            with progress(len(items.rows), f"planning {Variant.of(config)}", quiet=quiet) as bar:
                planner.add(watched(judge.stored(items.items()), bar.advance))
            plans.append(planner.plan())
    return plans


def certify_pairs(
    path: Path, out: Path, *, say: Callable[[str], None] = lambda text: None
) -> Certified:
    """Make certificate and report from stored verdict pairs; no call is made.

    Args:
        path: parquet or JSONL (`rubricbench.certify.pairs_file`).
        out: the run directory.
        say: takes remarks for the user.

    Raises:
        InputError: the file cannot be used.
        RunError: the run directory is another run's, in use, or cannot be written.
    """
    variants, about = read_pairs(path)
    if not about.labels:
        about = msgspec.structs.replace(about, labels=path.name, data_hash=file_hash(path))
    made = certificate(variants, about)
    data = {"verdicts": file_hash(path)}
    with RunDirectory(out, command=STAGE, config={"from": "verdicts"}, data=data) as directory:
        if directory.done(STAGE):
            say(f"{out} is complete already")
            return Certified(_recorded(directory), Tally())
        _save(directory, made)
        directory.mark_done(STAGE, (CERTIFICATE, REPORT))
    return Certified(made, Tally())


def _labels(job: CertifyJob) -> Labels:
    labels = read_labels(job.labels, form=job.form, rubrics=job.rubrics)
    for row in labels.rows:
        _require_checks(row, str(job.labels))
    if job.limit is not None:
        labels = msgspec.structs.replace(labels, rows=labels.rows[: job.limit])
    return labels


def _require_checks(row: Labelled, where: str) -> None:
    for i, criterion in enumerate(row.rubric.criteria):
        try:
            if criterion.check:
                complete(criterion.check)
        except SchemaError as error:
            raise error.within(f"{row.rubric.prompt_id} rubrics[{i}]").at(file=where) from None


def _directory(job: CertifyJob, configs: list[JudgeConfig]) -> RunDirectory:
    data = {"labels": file_hash(job.labels)}
    if job.rubrics and Path(job.rubrics).is_file():
        data["rubrics"] = file_hash(Path(job.rubrics))
    config: dict[str, Any] = {
        "variants": {str(Variant.of(c)): _how_it_is_asked(c) for c in configs},
        "replicates": job.replicates,
        "form": job.form,
        "rubrics": job.rubrics,
        "limit": job.limit,
    }
    templates = {str(Variant.of(c)): c.template_hash for c in configs}
    return RunDirectory(job.out, command=STAGE, config=config, data=data, templates=templates)


def _how_it_is_asked(config: JudgeConfig) -> dict[str, Any]:
    fields = ("format", "response_format", "criteria_per_call", "repair")
    return {**config.identity(), **{field: getattr(config, field) for field in fields}}


def _write(directory: RunDirectory, variants: list[Pairs], about: About) -> Certificate:
    made = certificate(variants, about)
    _save(directory, made)
    return made


def _save(directory: RunDirectory, made: Certificate) -> None:
    atomic_write(directory.path(CERTIFICATE), made.to_json())
    write_certificate_report(made, directory.path(REPORT))


def _recorded(directory: RunDirectory) -> Certificate:
    path = directory.path(CERTIFICATE)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Certificate)
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(
            f"the certificate cannot be read: {error}",
            where=str(path),
            hint="remove it, and run again",
        ) from None
