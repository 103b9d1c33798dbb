from benchmarks.families.startup import phases_of

LOG = """\
  sam build                        3.5 s
  demo data                        0.1 s  8 events added

  Ship Captain Crew is ready after 17 s.

    App      http://localhost:8100
"""


def test_phases_are_the_ones_make_run_prints_and_the_rest_is_make_itself() -> None:
    phases = phases_of(LOG, total=10.0)
    assert phases == {"packages and tools": 6.4, "sam build": 3.5, "demo data": 0.1}
