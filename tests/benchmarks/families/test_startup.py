from benchmarks.families.startup import phases_of

LOG = """\
  sam build                        3.5 s
  demo data                        0.1 s  8 events added

  Ship Captain Crew is ready after 17 s.

    App      http://localhost:8100
"""


def test_phases_are_what_make_run_says_and_the_rest_is_makes_own() -> None:
    phases = phases_of(LOG, total=10.0)
    assert phases == {"packages and tools": 6.4, "sam build": 3.5, "demo data": 0.1}
