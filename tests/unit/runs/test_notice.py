from __future__ import annotations

from dataclasses import replace

import pytest

from aqueduct_provider.runs.notice import Notice, html_page, plain, slack_text, title, to_document
from aqueduct_provider.spec.redactor import Redactor

CHECK = Notice(
    "warning",
    flow="churn",
    flow_id="flow-id",
    dag_id="churn",
    version="version-id",
    run_id="run-1",
    task_id="low",
    check="less than 0.1 (2)",
    severity="warning",
    metric="rate",
    value=0.13,
    values=(0.08, 0.13),
    url="https://airflow.example.org/aqueduct/dags/churn/runs/run-1",
)
FLOW = replace(CHECK, event="failure", check="", severity="", metric="", value=None, values=(), reason="a\nb")


def test_the_message_of_a_bound() -> None:
    assert plain(CHECK).splitlines() == [
        "[warning] churn: check 'rate less than 0.1' did not pass",
        "rate = 0.13 (must be less than 0.1)",
        "Severity: warning, the flow goes on.",
        "Last values of rate: 0.08, 0.13",
        "Run run-1, task low, version version-id",
        "https://airflow.example.org/aqueduct/dags/churn/runs/run-1",
    ]


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (replace(CHECK, event="recovery"), "[recovered] churn: check 'rate less than 0.1' passes again"),
        (replace(CHECK, check="no NULLs", metric=""), "[warning] churn: check 'no NULLs' did not pass"),
        (
            replace(CHECK, event="failure", reason="1 / 0"),
            "[failure] churn: check 'rate less than 0.1' could not be computed",
        ),
        (FLOW, "[failure] churn: the flow failed"),
        (replace(FLOW, event="recovery", reason=""), "[recovered] churn: the flow succeeds again"),
    ],
)
def test_titles(notice: Notice, line: str) -> None:
    assert title(notice) == line


def test_a_recovered_check_names_no_severity() -> None:
    assert "Severity" not in plain(replace(CHECK, event="recovery"))


def test_the_document_of_a_check() -> None:
    assert to_document(CHECK) == {
        "version": 1,
        "event": "warning",
        "flow": {"id": "flow-id", "name": "churn", "dag_id": "churn", "version": "version-id"},
        "run_id": "run-1",
        "task_id": "low",
        "check": {"name": "less than 0.1 (2)", "severity": "warning"},
        "metric": {"name": "rate", "value": 0.13, "bound": "less than 0.1", "last_values": [0.08, 0.13]},
        "reason": None,
        "url": CHECK.url,
        "text": plain(CHECK),
    }


def test_the_document_of_a_flow() -> None:
    document = to_document(FLOW)
    assert (document["check"], document["metric"], document["reason"]) == (None, None, "a\nb")


def test_nothing_that_users_wrote_is_markup() -> None:
    notice = replace(CHECK, flow="<!channel> & <b>", metric="<script>")
    assert "&lt;!channel&gt; &amp; &lt;b&gt;" in slack_text(notice)
    assert "<script>" not in html_page(notice)
    assert "<!channel>" not in html_page(notice)


def test_texts_are_one_line_and_bounded() -> None:
    notice = replace(
        CHECK, flow="a\r\nBcc: x@example.org\x00", check="c" * 300, reason="r\x1b[0m\n" * 1000 + "cause"
    )
    masked = notice.masked(lambda text: text)
    assert "\n" not in title(masked)
    assert "\r" not in title(masked)
    assert len(masked.check) == 200
    assert len(masked.reason) == 1000
    assert masked.reason.endswith("cause")
    assert "\x1b" not in masked.reason


def test_secrets_are_masked_everywhere() -> None:
    redact = Redactor(["hunter22", "12345"])
    notice = replace(CHECK, flow="hunter22", reason="login hunter22", url="https://x/hunter22", value=12345)
    masked = notice.masked(redact)
    assert "hunter22" not in str(masked)
    assert "12345" not in str(masked)
    assert masked.event == "warning"
    assert masked.values == ()


def test_a_long_address_is_not_cut() -> None:
    url = f"https://airflow.example.org/{'x' * 500}"
    assert replace(CHECK, url=url).masked(lambda text: text).url == url
