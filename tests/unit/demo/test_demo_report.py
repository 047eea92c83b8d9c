from citynerve.demo import report


def summary(remarks: list[str]) -> list[str]:
    ran = report.ProcessReport(name="stream", pid=1, code=0, cpu_seconds=1.0, peak_memory_mib=9.0)
    whole = report.Report(
        folder="run",
        influxdb="1.8.10",
        nodes=["a"],
        totals=report.totals([]),
        anomalies={},
        processes=[ran],
        remarks=remarks,
        problems=["stream ended with code 1"],
        ok=False,
        datastreams=[],
    )
    return [line for line in report.lines(whole) if line.startswith(("remark", "problem"))]


def test_remarks_stand_before_problems_and_many_are_counted() -> None:
    problem = "problem: stream ended with code 1"
    assert summary([]) == [problem]
    assert summary(["a: torn"]) == ["remark: a: torn", problem]
    many = summary([f"{number}: torn" for number in range(25)])
    assert len(many) == 12
    assert many[-2:] == ["remark: 15 more; --report writes them all", problem]
