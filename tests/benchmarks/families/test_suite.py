from benchmarks.families.suite import seconds_by_folder

REPORT = """\
<testsuites><testsuite>
<testcase classname="tests.ops.test_cli" name="test_a[x.y]" time="1.5" />
<testcase classname="tests.browser.test_roles" name="test_b" time="4.0" />
<testcase classname="tests.ops.commands.test_replay" name="test_c" time="0.25" />
<testcase classname="tests.test_roles" name="test_d" time="0.5" />
</testsuite></testsuites>
"""


def test_seconds_are_summed_by_folder_longest_first() -> None:
    found = list(seconds_by_folder(REPORT).items())
    assert found == [("tests/browser", 4.0), ("tests/ops", 1.75), ("tests", 0.5)]
