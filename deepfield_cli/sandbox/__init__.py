"""The worker process: wire protocol, isolation, limits, the warm pool, and the ``Submission`` that suites talk to."""
