"""What holds for any input, tried by hypothesis.

By itself it tries the same few examples in each run, so that a run is as good as any other.
`HYPOTHESIS_PROFILE=long pytest tests/property tests/fuzz` tries thousands, others each time, and
takes the better part of an hour; what fails is printed with a line that tries it again, and kept in
`.hypothesis/` (which git ignores) for the next run.
"""

from tests.support.hypotheses import load_profile

load_profile()
