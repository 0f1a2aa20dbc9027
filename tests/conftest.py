"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# Machines that run these tests are shared: how long an example takes says nothing about the code. Examples are
# the same in every run, so that a red test is red for everybody.
settings.register_profile(
    "everyday", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everyday")

collect_ignore = ["bench"]  # run by `make bench`; it measures and asserts nothing
