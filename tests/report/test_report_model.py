from __future__ import annotations

import pytest
from report_samples import report_data, without

from rubricbench.errors import InputError
from rubricbench.report import ReportData, Responder


def test_a_report_needs_samples() -> None:
    with pytest.raises(InputError, match="at least one sample"):
        ReportData("t", "now", (Responder("m"),), ())


def test_names_of_responders_are_unique() -> None:
    samples = without(report_data(2), "empty", "echo", "careful").samples
    twice = (Responder("middling-135M"), Responder("middling-135M"))
    with pytest.raises(InputError, match="same name"):
        ReportData("t", "now", twice, samples)


def test_samples_and_responders_must_match() -> None:
    samples = without(report_data(2), "empty", "echo", "careful").samples
    with pytest.raises(InputError, match="does not declare: 'middling-135M'"):
        ReportData("t", "now", (Responder("other"),), samples)
    with pytest.raises(InputError, match="has no samples: 'silent'"):
        ReportData("t", "now", (Responder("middling-135M"), Responder("silent")), samples)
